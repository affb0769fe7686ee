//! A row for each item of Plex that was written to, with the scene that owns it.

use rusqlite::{Connection, Result, Row, params};
use scene_sync::path;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::storage::ledger::server::ServerId;
use crate::storage::sql::{self, unsigned};

/// An item of Plex that was written to; `W` is the record of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow<W> {
    /// Plex's rating key.
    pub item: String,
    /// The scene it belongs to.
    pub owner: Option<u64>,
    /// The file it was found by, as Plex writes it; empty until a look has confirmed it.
    pub path: String,
    /// What was sent.
    pub written: W,
}

const ITEM: &str = "SELECT item, scene, path, written FROM plex_item";

/// An item's row. A record that cannot be read counts as absent: the next sync writes it anew.
pub fn item<W: DeserializeOwned>(
    db: &Connection,
    server: ServerId,
    key: &str,
) -> Result<Option<ItemRow<W>>> {
    let find = format!("{ITEM} WHERE server = ?1 AND item = ?2");
    Ok(sql::row(db, &find, params![server.0, key], item_row)?.flatten())
}

/// The items of a scene.
pub fn items_of<W: DeserializeOwned>(
    db: &Connection,
    server: ServerId,
    scene: u64,
) -> Result<Vec<ItemRow<W>>> {
    let find = format!("{ITEM} WHERE server = ?1 AND scene = ?2");
    let rows = sql::rows(db, &find, params![server.0, scene.cast_signed()], item_row)?;
    Ok(rows.into_iter().flatten().collect())
}

/// Who owns an item.
pub fn owner(db: &Connection, server: ServerId, item: &str) -> Result<Option<u64>> {
    let find = "SELECT scene FROM plex_item WHERE server = ?1 AND item = ?2 AND scene IS NOT NULL";
    sql::row(db, find, params![server.0, item], |row| unsigned(row, 0))
}

/// Writes or replaces an item's row.
pub fn put_item<W: Serialize>(db: &Connection, server: ServerId, row: &ItemRow<W>) -> Result<()> {
    let written = serde_json::to_string(&row.written)
        .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
    let owner = row.owner.map(u64::cast_signed);
    let put = "INSERT INTO plex_item (server, item, scene, path, path_hash, written) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (server, item) DO UPDATE SET scene = ?3, path = ?4, path_hash = ?5, written = ?6";
    let hash = path_hash(&row.path);
    let values = params![server.0, row.item, owner, row.path, hash, written];
    sql::run(db, put, values).map(drop)
}

/// Whether an item that may hold this file was ever written to, for whichever scene.
pub fn is_bound(db: &Connection, server: ServerId, path: &str) -> Result<bool> {
    let find = "SELECT 1 FROM plex_item WHERE server = ?1 AND path_hash = ?2";
    sql::any(db, find, params![server.0, path_hash(path)])
}

/// How many items on record are looked at for an example.
const EXAMPLES: usize = 200;

/// Whether an item of another scene that is on record lies below a folder.
pub fn is_any_below(db: &Connection, server: ServerId, folder: &str, scene: u64) -> Result<bool> {
    let find = format!(
        "SELECT path FROM plex_item WHERE server = ?1 AND scene IS NOT NULL AND scene <> ?2 LIMIT {EXAMPLES}"
    );
    let paths: Vec<String> = sql::rows(db, &find, params![server.0, scene.cast_signed()], |row| {
        row.get(0)
    })?;
    Ok(paths
        .iter()
        .any(|path| scene_sync::path::covers(folder, path)))
}

/// Takes an item away from a scene; what was written to it stays on record. Returns the scenes that
/// waited for it.
pub fn release(db: &Connection, server: ServerId, item: &str, from: u64) -> Result<Vec<u64>> {
    let release =
        "UPDATE plex_item SET scene = NULL WHERE server = ?1 AND item = ?2 AND scene = ?3";
    match sql::run(db, release, params![server.0, item, from.cast_signed()])? {
        0 => Ok(Vec::new()),
        _ => waiters(db, server, item),
    }
}

/// Forgets an item that is gone from Plex. Returns the scenes that waited for it.
pub fn drop_item(db: &Connection, server: ServerId, item: &str) -> Result<Vec<u64>> {
    let forget = "DELETE FROM plex_item WHERE server = ?1 AND item = ?2";
    sql::run(db, forget, params![server.0, item])?;
    waiters(db, server, item)
}

/// The items on record of a server that belong to no scene.
pub fn ownerless(db: &Connection, server: ServerId) -> Result<Vec<String>> {
    let find = "SELECT item FROM plex_item WHERE server = ?1 AND scene IS NULL";
    sql::rows(db, find, [server.0], |row| row.get(0))
}

/// Notes that a scene waits for an item of another one; whether that is news.
pub fn wait_for(db: &Connection, server: ServerId, item: &str, scene: u64) -> Result<bool> {
    let add = "INSERT OR IGNORE INTO item_waiter (server, item, scene) VALUES (?1, ?2, ?3)";
    Ok(sql::run(db, add, params![server.0, item, scene.cast_signed()])? > 0)
}

/// The items a scene waits for.
pub fn waited_for(db: &Connection, server: ServerId, scene: u64) -> Result<Vec<String>> {
    let find = "SELECT item FROM item_waiter WHERE server = ?1 AND scene = ?2";
    sql::rows(db, find, [server.0, scene.cast_signed()], |row| row.get(0))
}

/// A scene no longer waits for any item.
pub fn wait_no_more(db: &Connection, server: ServerId, scene: u64) -> Result<()> {
    let forget = "DELETE FROM item_waiter WHERE server = ?1 AND scene = ?2";
    sql::run(db, forget, [server.0, scene.cast_signed()]).map(drop)
}

fn waiters(db: &Connection, server: ServerId, item: &str) -> Result<Vec<u64>> {
    let find = "SELECT scene FROM item_waiter WHERE server = ?1 AND item = ?2";
    sql::rows(db, find, params![server.0, item], |row| unsigned(row, 0))
}

/// The same for paths that differ in case only, and in every release of this program.
fn path_hash(path: &str) -> i64 {
    let digest = Sha256::digest(path::loose_key(path));
    let first = digest.iter().take(8);
    first.fold(0, |hash, byte| hash << 8 | i64::from(*byte))
}

fn item_row<W: DeserializeOwned>(row: &Row<'_>) -> Result<Option<ItemRow<W>>> {
    let written: String = row.get(3)?;
    let Ok(written) = serde_json::from_str(&written) else {
        return Ok(None);
    };
    Ok(Some(ItemRow {
        item: row.get(0)?,
        owner: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
        path: row.get(2)?,
        written,
    }))
}
