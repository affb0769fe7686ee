//! The sync record: a row for each Plex item that was written to, with the scene that owns it, and a row for each scene as
//! of its last sync. It lies in the queue's own file, so that settling a job and recording its result are one transaction.

mod items;
mod left_out;
mod looks;
mod migrate;
mod server;
mod totals;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, params};

use crate::core::job::Related;

pub use items::{
    ItemRow, drop_item, is_bound, item, items_of, owner, ownerless, put_item, release, wait_for,
    wait_no_more, waited_for,
};
pub use left_out::{left_out, left_out_of, put_left_out};
pub use looks::{LastLook, last_look, looked, written_scenes};
pub use migrate::migrate;
pub use server::{ServerId, caught_up, consent, has_consent, server, set_caught_up};
pub use totals::{Total, count, count_from, counted_since, total};

/// The tables; safe to run again. Only the worker does.
const SCHEMA: &str = "
-- Whether a person had the whole library written, and how far changes in Stash were looked at.
CREATE TABLE IF NOT EXISTS plex_server (
  id INTEGER PRIMARY KEY,
  identifier TEXT NOT NULL UNIQUE,
  consent INTEGER NOT NULL DEFAULT 0,
  caught_up INTEGER NOT NULL DEFAULT 0
) STRICT;
-- One owner an item is the primary key. An item without one keeps what was written to it for the scene that takes it next.
-- With a rowid, since without one a record of more than a quarter of a page takes a page of its own.
CREATE TABLE IF NOT EXISTS plex_item (
  server INTEGER NOT NULL,
  item TEXT NOT NULL,
  scene INTEGER,
  path TEXT NOT NULL,
  path_hash INTEGER NOT NULL,
  written TEXT NOT NULL,
  PRIMARY KEY (server, item)
) STRICT;
CREATE INDEX IF NOT EXISTS plex_item_scene ON plex_item(scene) WHERE scene IS NOT NULL;
CREATE INDEX IF NOT EXISTS plex_item_path ON plex_item(path_hash);
CREATE TABLE IF NOT EXISTS synced_scene (
  server INTEGER NOT NULL,
  scene INTEGER NOT NULL,
  hash BLOB NOT NULL,
  synced_at INTEGER NOT NULL,
  cover_address TEXT NOT NULL DEFAULT '',
  cover TEXT NOT NULL DEFAULT '',
  updated_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (server, scene)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scene_ref (
  scene INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (scene, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scene_ref_of ON scene_ref(kind, id);
-- Scenes that wait for an item whose owner holds a file of it too.
CREATE TABLE IF NOT EXISTS item_waiter (
  server INTEGER NOT NULL,
  item TEXT NOT NULL,
  scene INTEGER NOT NULL,
  PRIMARY KEY (server, item, scene)
) STRICT, WITHOUT ROWID;
-- The path map that a scene's file and its item speak for.
CREATE TABLE IF NOT EXISTS path_hint (scene INTEGER PRIMARY KEY, rule TEXT NOT NULL) STRICT;
-- What was left out of a scene that was written, and why.
CREATE TABLE IF NOT EXISTS left_out (
  scene INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (scene, reason)
) STRICT;
-- What the items of a library were seen to show after it was sent, or not.
CREATE TABLE IF NOT EXISTS library_field (
  server INTEGER NOT NULL,
  library TEXT NOT NULL,
  field TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (server, library, field)
) STRICT, WITHOUT ROWID;
";

const META: &str = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID";

/// A fingerprint of what a scene was synced as: its content, its files and its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncHash(pub [u8; 16]);

/// A scene as of its last sync.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SceneRow {
    /// What it was synced as; none after a look that failed, or while an edit is under way.
    pub hash: Option<SyncHash>,
    /// When, in milliseconds since 1970; 0 for never.
    pub synced_at: i64,
    /// The address of the cover that was last looked at; empty for none.
    pub cover_address: String,
    /// What names the picture that was there; empty where there was none.
    pub cover: String,
}

/// Makes the tables, and their columns, where they are missing; to be called in a transaction.
pub fn create(db: &Connection) -> Result<()> {
    create_meta(db)?;
    db.execute_batch(SCHEMA)?;
    migrate::add_columns(db)
}

/// Makes the table of small values, for a hook that comes before any worker.
pub fn create_meta(db: &Connection) -> Result<()> {
    db.execute_batch(META)
}

/// Whether a worker has made the tables.
pub fn is_made(db: &Connection) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'plex_item'")?
        .exists([])
}

/// The scene's row.
pub fn scene(db: &Connection, server: ServerId, scene: u64) -> Result<Option<SceneRow>> {
    db.prepare_cached(
        "SELECT hash, synced_at, cover_address, cover FROM synced_scene WHERE server = ?1 AND scene = ?2",
    )?
    .query_row(params![server.0, scene.cast_signed()], |row| {
        let hash: Vec<u8> = row.get(0)?;
        Ok(SceneRow {
            hash: hash.try_into().ok().map(SyncHash),
            synced_at: row.get(1)?,
            cover_address: row.get(2)?,
            cover: row.get(3)?,
        })
    })
    .optional()
}

/// When a scene was last synced to whichever server, in milliseconds since 1970.
pub fn synced_at(db: &Connection, scene: u64) -> Result<Option<i64>> {
    db.prepare_cached("SELECT max(synced_at) FROM synced_scene WHERE scene = ?1")?
        .query_row([scene.cast_signed()], |row| row.get(0))
}

/// Writes or replaces the scene's row.
pub fn put_scene(db: &Connection, server: ServerId, scene: u64, row: &SceneRow) -> Result<()> {
    let hash = row.hash.map_or_else(Vec::new, |hash| hash.0.to_vec());
    db.prepare_cached(
        "INSERT INTO synced_scene (server, scene, hash, synced_at, cover_address, cover) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (server, scene) DO UPDATE SET hash = ?3, synced_at = ?4, cover_address = ?5, cover = ?6",
    )?
    .execute(params![server.0, scene.cast_signed(), hash, row.synced_at, row.cover_address, row.cover])?;
    Ok(())
}

/// The picture on record is what Stash gives at this address, if it is still the one on record.
pub fn confirm_cover(
    db: &Connection,
    server: ServerId,
    scene: u64,
    cover: &str,
    address: &str,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE synced_scene SET cover_address = ?4 WHERE server = ?1 AND scene = ?2 AND cover = ?3",
    )?
    .execute(params![server.0, scene.cast_signed(), cover, address])?;
    Ok(())
}

/// From now on the scene equals nothing: the next job about it looks at Plex.
pub fn make_unequal(db: &Connection, server: ServerId, scene: u64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO synced_scene (server, scene, hash, synced_at) VALUES (?1, ?2, x'', 0)
         ON CONFLICT (server, scene) DO UPDATE SET hash = x''",
    )?
    .execute(params![server.0, scene.cast_signed()])?;
    Ok(())
}

/// What a change of which must bring the scene back.
pub fn put_refs(db: &Connection, scene: u64, refs: &[(Related, u64)]) -> Result<()> {
    db.prepare_cached("DELETE FROM scene_ref WHERE scene = ?1")?
        .execute([scene.cast_signed()])?;
    let mut add =
        db.prepare_cached("INSERT OR IGNORE INTO scene_ref (scene, kind, id) VALUES (?1, ?2, ?3)")?;
    for (kind, id) in refs {
        add.execute(params![
            scene.cast_signed(),
            kind.number(),
            id.cast_signed()
        ])?;
    }
    Ok(())
}

/// Forgets a scene that is gone from Stash: its items lose their owner and keep what was written to them. Returns the
/// scenes that waited for one of its items.
pub fn forget_scene(db: &Connection, scene: u64) -> Result<Vec<u64>> {
    let id = scene.cast_signed();
    let waiting = ids(db
        .prepare_cached(
            "SELECT DISTINCT w.scene FROM item_waiter w JOIN plex_item i USING (server, item)
             WHERE i.scene = ?1 AND w.scene <> ?1",
        )?
        .query_map([id], |row| row.get(0))?)?;
    for forget in [
        "UPDATE plex_item SET scene = NULL WHERE scene = ?1",
        "DELETE FROM item_waiter WHERE scene = ?1",
        "DELETE FROM synced_scene WHERE scene = ?1",
        "DELETE FROM scene_ref WHERE scene = ?1",
        "DELETE FROM path_hint WHERE scene = ?1",
        "DELETE FROM left_out WHERE scene = ?1",
    ] {
        db.prepare_cached(forget)?.execute([id])?;
    }
    Ok(waiting)
}

/// The synced scenes that referred to an object, also to one that Stash has deleted since.
pub fn scenes_of(db: &Connection, of: Related, id: u64) -> Result<Vec<u64>> {
    let mut find = db.prepare_cached("SELECT scene FROM scene_ref WHERE kind = ?1 AND id = ?2")?;
    ids(find.query_map(params![of.number(), id.cast_signed()], |row| row.get(0))?)
}

/// The scenes with a row after one id, up to another one or to the end.
pub fn scenes_between(
    db: &Connection,
    server: ServerId,
    after: u64,
    upto: Option<u64>,
) -> Result<Vec<u64>> {
    let mut find = db.prepare_cached(
        "SELECT scene FROM synced_scene WHERE server = ?1 AND scene > ?2 AND scene <= ?3",
    )?;
    let upto = upto.map_or(i64::MAX, u64::cast_signed);
    ids(
        find.query_map(params![server.0, after.cast_signed(), upto], |row| {
            row.get(0)
        })?,
    )
}

/// Forgets by which files the items were found, and what libraries cannot hold, not what was written; how many items.
pub fn forget_matches(db: &Connection) -> Result<usize> {
    db.execute_batch(
        "UPDATE synced_scene SET hash = x''; DELETE FROM library_field; DELETE FROM path_hint;",
    )?;
    db.execute("UPDATE plex_item SET path = '' WHERE path <> ''", [])
}

/// Notes, or withdraws, the path map rule that a scene's file and its item speak for.
pub fn hint_path(db: &Connection, scene: u64, rule: Option<&str>) -> Result<()> {
    let id = scene.cast_signed();
    match rule {
        Some(rule) => db
            .prepare_cached("INSERT OR REPLACE INTO path_hint (scene, rule) VALUES (?1, ?2)")?
            .execute(params![id, rule]),
        None => db
            .prepare_cached("DELETE FROM path_hint WHERE scene = ?1")?
            .execute([id]),
    }?;
    Ok(())
}

/// The path map rules that scenes speak for, with how many do, the most first.
pub fn path_hints(db: &Connection) -> Result<Vec<(String, u64)>> {
    let mut find = db.prepare_cached(
        "SELECT rule, count(*) FROM path_hint GROUP BY rule ORDER BY count(*) DESC, rule LIMIT 3",
    )?;
    let hints = find.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    hints.collect()
}

/// What is known of the fields of a server's libraries: library, field, state.
pub fn library_fields(db: &Connection, server: ServerId) -> Result<Vec<(String, String, String)>> {
    let mut find =
        db.prepare_cached("SELECT library, field, state FROM library_field WHERE server = ?1")?;
    let fields = find.query_map([server.0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    fields.collect()
}

/// Remembers what is known of a field of a library.
pub fn put_library_field(
    db: &Connection,
    server: ServerId,
    library: &str,
    field: &str,
    state: &str,
) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO library_field VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![server.0, library, field, state])?;
    Ok(())
}

/// A small remembered value.
pub fn meta(db: &Connection, key: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// The same where no worker may have made the table yet.
pub fn early_meta(db: &Connection, key: &str) -> Result<Option<String>> {
    match meta(db, key) {
        // SQLite's word for a statement that names what is not there.
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        known => known,
    }
}

/// Remembers a small value.
pub fn set_meta(db: &Connection, key: &str, value: &str) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}

fn ids(rows: impl Iterator<Item = Result<i64>>) -> Result<Vec<u64>> {
    rows.map(|id| id.map(i64::cast_unsigned)).collect()
}

#[cfg(test)]
mod tests;
