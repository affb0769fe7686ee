//! What a scene was when it was last looked at: by its `updated_at`, which is cheap to compare.

use std::collections::BTreeSet;

use queue::{DeadFilter, Queue};
use rusqlite::{Connection, Result};

use crate::core::catch_up::Stamp;
use crate::core::job::{Job, scene_of_key};
use crate::storage::ledger::server::ServerId;
use crate::storage::meta;
use crate::storage::sql::{self, unsigned};

/// What is on record of a scene's last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastLook {
    /// What it was then.
    pub stamp: Stamp,
    /// Plex was written to for it, then or before.
    pub written: bool,
}

/// A scene's last look, however it ended.
pub fn last_look(db: &Connection, server: ServerId, scene: u64) -> Result<Option<LastLook>> {
    let find =
        "SELECT updated_at, synced_at > 0 FROM synced_scene WHERE server = ?1 AND scene = ?2";
    sql::row(db, find, [server.0, scene.cast_signed()], |row| {
        Ok(LastLook {
            stamp: Stamp::stored(row.get(0)?),
            written: row.get(1)?,
        })
    })
}

/// Notes what a scene was when it was looked at.
pub fn looked(db: &Connection, server: ServerId, scene: u64, stamp: Stamp) -> Result<()> {
    let put = "INSERT INTO synced_scene (server, scene, hash, synced_at, updated_at) VALUES (?1, ?2, x'', 0, ?3)
               ON CONFLICT (server, scene) DO UPDATE SET updated_at = ?3";
    let values = [server.0, scene.cast_signed(), stamp.to_store()];
    sql::run(db, put, values).map(drop)
}

/// How many scenes were ever written to a server.
fn written_scenes(db: &Connection, server: ServerId) -> Result<u64> {
    let find = "SELECT count(*) FROM synced_scene WHERE server = ?1 AND synced_at > 0";
    Ok(sql::row(db, find, [server.0], |row| unsigned(row, 0))?.unwrap_or_default())
}

/// Remembers how many scenes Stash has; none where all of them are kept equal.
pub fn set_library(db: &Connection, server: ServerId, scenes: u64) -> Result<()> {
    meta::write(db, meta::LIBRARY, &(server.0, scenes))
}

/// How many of them are not synced and left alone: not those that failed, which are listed apart.
pub fn not_synced(queue: &Queue<Job>) -> queue::Result<u64> {
    let db = queue.sql();
    let library = meta::read::<(i64, u64)>(db, meta::LIBRARY)?;
    let Some((server, scenes)) = library.filter(|(_, scenes)| *scenes > 0) else {
        return Ok(0);
    };
    let server = ServerId(server);
    let failed = queue.dead_keys(&DeadFilter::all())?.into_iter();
    let failed: BTreeSet<_> = failed.filter_map(|(_, key)| scene_of_key(&key)).collect();
    let mut handled = written_scenes(db, server)?;
    for scene in failed {
        let look = last_look(db, server, scene)?;
        handled += u64::from(!look.is_some_and(|look| look.written));
    }
    Ok(scenes.saturating_sub(handled))
}
