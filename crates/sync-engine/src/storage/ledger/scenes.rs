//! A row for each scene, as of its last sync.

use rusqlite::{Connection, Result, params};

use crate::core::job::Related;
use crate::storage::ledger::server::ServerId;
use crate::storage::sql::{self, unsigned};

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

/// The scene's row.
pub fn scene(db: &Connection, server: ServerId, scene: u64) -> Result<Option<SceneRow>> {
    let find = "SELECT hash, synced_at, cover_address, cover FROM synced_scene WHERE server = ?1 AND scene = ?2";
    sql::row(db, find, [server.0, scene.cast_signed()], |row| {
        let hash: Vec<u8> = row.get(0)?;
        Ok(SceneRow {
            hash: hash.try_into().ok().map(SyncHash),
            synced_at: row.get(1)?,
            cover_address: row.get(2)?,
            cover: row.get(3)?,
        })
    })
}

/// When a scene was last synced to whichever server, in milliseconds since 1970.
pub fn synced_at(db: &Connection, scene: u64) -> Result<Option<i64>> {
    let find = "SELECT max(synced_at) FROM synced_scene WHERE scene = ?1";
    Ok(sql::row(db, find, [scene.cast_signed()], |row| row.get(0))?.flatten())
}

/// Writes or replaces the scene's row.
pub fn put_scene(db: &Connection, server: ServerId, scene: u64, row: &SceneRow) -> Result<()> {
    let hash = row.hash.map_or_else(Vec::new, |hash| hash.0.to_vec());
    let put = "INSERT INTO synced_scene (server, scene, hash, synced_at, cover_address, cover) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (server, scene) DO UPDATE SET hash = ?3, synced_at = ?4, cover_address = ?5, cover = ?6";
    let (scene, address) = (scene.cast_signed(), &row.cover_address);
    let values = params![server.0, scene, hash, row.synced_at, address, row.cover];
    sql::run(db, put, values).map(drop)
}

/// The picture on record is what Stash gives at this address, if it is still the one on record.
pub fn confirm_cover(
    db: &Connection,
    server: ServerId,
    scene: u64,
    cover: &str,
    address: &str,
) -> Result<()> {
    let confirm = "UPDATE synced_scene SET cover_address = ?4 WHERE server = ?1 AND scene = ?2 AND cover = ?3";
    let values = params![server.0, scene.cast_signed(), cover, address];
    sql::run(db, confirm, values).map(drop)
}

/// From now on the scene equals nothing: the next job about it looks at Plex.
pub fn make_unequal(db: &Connection, server: ServerId, scene: u64) -> Result<()> {
    let put = "INSERT INTO synced_scene (server, scene, hash, synced_at) VALUES (?1, ?2, x'', 0)
               ON CONFLICT (server, scene) DO UPDATE SET hash = x''";
    sql::run(db, put, [server.0, scene.cast_signed()]).map(drop)
}

/// What a change of which must bring the scene back.
pub fn put_refs(db: &Connection, scene: u64, refs: &[(Related, u64)]) -> Result<()> {
    let scene = scene.cast_signed();
    sql::run(db, "DELETE FROM scene_ref WHERE scene = ?1", [scene])?;
    let add = "INSERT OR IGNORE INTO scene_ref (scene, kind, id) VALUES (?1, ?2, ?3)";
    for (kind, id) in refs {
        sql::run(db, add, [scene, kind.number(), id.cast_signed()])?;
    }
    Ok(())
}

/// Forgets a scene that is gone from Stash: its items lose their owner and keep what was written to
/// them. Returns the scenes that waited for one of its items.
pub fn forget_scene(db: &Connection, scene: u64) -> Result<Vec<u64>> {
    let id = [scene.cast_signed()];
    let find = "SELECT DISTINCT w.scene FROM item_waiter w JOIN plex_item i USING (server, item)
                WHERE i.scene = ?1 AND w.scene <> ?1";
    let waiting = sql::rows(db, find, id, |row| unsigned(row, 0))?;
    for forget in [
        "UPDATE plex_item SET scene = NULL WHERE scene = ?1",
        "DELETE FROM item_waiter WHERE scene = ?1",
        "DELETE FROM synced_scene WHERE scene = ?1",
        "DELETE FROM scene_ref WHERE scene = ?1",
        "DELETE FROM path_hint WHERE scene = ?1",
        "DELETE FROM left_out WHERE scene = ?1",
    ] {
        sql::run(db, forget, id)?;
    }
    Ok(waiting)
}

/// The synced scenes that referred to an object, also to one that Stash has deleted since.
pub fn scenes_of(db: &Connection, of: Related, id: u64) -> Result<Vec<u64>> {
    let find = "SELECT scene FROM scene_ref WHERE kind = ?1 AND id = ?2";
    sql::rows(db, find, [of.number(), id.cast_signed()], |row| {
        unsigned(row, 0)
    })
}

/// The scenes with a row after one id, up to another one or to the end.
pub fn scenes_between(
    db: &Connection,
    server: ServerId,
    after: u64,
    upto: Option<u64>,
) -> Result<Vec<u64>> {
    let find = "SELECT scene FROM synced_scene WHERE server = ?1 AND scene > ?2 AND scene <= ?3";
    let upto = upto.map_or(i64::MAX, u64::cast_signed);
    let between = [server.0, after.cast_signed(), upto];
    sql::rows(db, find, between, |row| unsigned(row, 0))
}

/// Forgets by which files the items were found, and what libraries cannot hold, not what was
/// written; how many items.
pub fn forget_matches(db: &Connection) -> Result<usize> {
    db.execute_batch(
        "UPDATE synced_scene SET hash = x''; DELETE FROM library_field; DELETE FROM path_hint;",
    )?;
    db.execute("UPDATE plex_item SET path = '' WHERE path <> ''", [])
}
