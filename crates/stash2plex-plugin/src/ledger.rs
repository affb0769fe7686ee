//! What was last written to Plex, a row per scene, in the queue's own file so that settling a job and remembering
//! its result are one transaction.

use rusqlite::{Connection, OptionalExtension, Result, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::job::Related;

/// The tables; safe to run again. Only the worker does.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS ledger (
  scene INTEGER PRIMARY KEY,
  rating_key TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  written TEXT NOT NULL,
  synced_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ledger_refs (
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  scene INTEGER NOT NULL REFERENCES ledger(scene) ON DELETE CASCADE,
  PRIMARY KEY (kind, id, scene)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_refs_scene ON ledger_refs(scene);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// What is known of one synced scene; `W` is the record of the fields last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<W> {
    /// The item in Plex.
    pub rating_key: String,
    /// Hash of everything that was to be written.
    pub content_hash: String,
    /// The fields as last written.
    pub written: W,
    /// When, in milliseconds since 1970.
    pub synced_at: i64,
    /// Performers, studio, tags and groups the scene refers to.
    pub refs: Vec<(Related, u64)>,
}

/// Makes the tables where they are missing.
pub fn create(db: &Connection) -> Result<()> {
    db.execute_batch(SCHEMA)
}

/// The scene's row. One whose record cannot be read counts as absent: the next sync writes it anew.
pub fn get<W: DeserializeOwned>(db: &Connection, scene: u64) -> Result<Option<Row<W>>> {
    let mut find = db.prepare_cached(
        "SELECT rating_key, content_hash, written, synced_at FROM ledger WHERE scene = ?1",
    )?;
    let row = find
        .query_row([scene.cast_signed()], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get::<_, String>(2)?,
                row.get(3)?,
            ))
        })
        .optional()?;
    Ok(
        row.and_then(|(rating_key, content_hash, written, synced_at)| {
            Some(Row {
                rating_key,
                content_hash,
                written: serde_json::from_str(&written).ok()?,
                synced_at,
                refs: Vec::new(),
            })
        }),
    )
}

/// Writes or replaces the scene's row.
pub fn put<W: Serialize>(db: &Connection, scene: u64, row: &Row<W>) -> Result<()> {
    intend(db, scene, row)?;
    remove_refs(db, scene)?;
    let mut add = db.prepare_cached(
        "INSERT OR IGNORE INTO ledger_refs (kind, id, scene) VALUES (?1, ?2, ?3)",
    )?;
    for (kind, id) in &row.refs {
        add.execute(params![kind.word(), id.cast_signed(), scene.cast_signed()])?;
    }
    Ok(())
}

/// The same for what is only about to be synced, which refers to nothing new yet.
pub fn intend<W: Serialize>(db: &Connection, scene: u64, row: &Row<W>) -> Result<()> {
    let written = serde_json::to_string(&row.written)
        .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
    db.prepare_cached(
        "INSERT INTO ledger (scene, rating_key, content_hash, written, synced_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (scene) DO UPDATE SET rating_key = ?2, content_hash = ?3, written = ?4, synced_at = ?5",
    )?
    .execute(params![
        scene.cast_signed(),
        row.rating_key,
        row.content_hash,
        written,
        row.synced_at
    ])?;
    Ok(())
}

/// Forgets the scene.
pub fn remove(db: &Connection, scene: u64) -> Result<()> {
    remove_refs(db, scene)?;
    db.prepare_cached("DELETE FROM ledger WHERE scene = ?1")?
        .execute([scene.cast_signed()])?;
    Ok(())
}

/// The synced scenes that referred to an object, also to one that Stash has deleted since.
pub fn scenes_of(db: &Connection, of: Related, id: u64) -> Result<Vec<u64>> {
    let mut find =
        db.prepare_cached("SELECT scene FROM ledger_refs WHERE kind = ?1 AND id = ?2")?;
    let scenes = find.query_map(params![of.word(), id.cast_signed()], |row| {
        row.get::<_, i64>(0)
    })?;
    scenes.map(|scene| scene.map(i64::cast_unsigned)).collect()
}

/// The scenes with a row after one id, up to another one or to the end.
pub fn scenes_between(db: &Connection, after: u64, upto: Option<u64>) -> Result<Vec<u64>> {
    let mut find =
        db.prepare_cached("SELECT scene FROM ledger WHERE scene > ?1 AND scene <= ?2")?;
    let upto = upto.map_or(i64::MAX, u64::cast_signed);
    let scenes = find.query_map([after.cast_signed(), upto], |row| row.get::<_, i64>(0))?;
    scenes.map(|scene| scene.map(i64::cast_unsigned)).collect()
}

/// Forgets all scenes.
pub fn clear(db: &Connection) -> Result<()> {
    db.execute_batch("DELETE FROM ledger_refs; DELETE FROM ledger;")
}

/// Whether a worker has made the tables.
pub fn is_made(db: &Connection) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'")?
        .exists([])
}

/// Forgets which item each scene has, not what was written to it; how many scenes.
pub fn forget_items(db: &Connection) -> Result<usize> {
    db.execute(
        "UPDATE ledger SET rating_key = '' WHERE rating_key <> ''",
        [],
    )
}

/// A small remembered value.
pub fn meta(db: &Connection, key: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Remembers a small value.
pub fn set_meta(db: &Connection, key: &str, value: &str) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}

fn remove_refs(db: &Connection, scene: u64) -> Result<()> {
    db.prepare_cached("DELETE FROM ledger_refs WHERE scene = ?1")?
        .execute([scene.cast_signed()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(written: &str) -> Row<String> {
        Row {
            rating_key: "17".into(),
            content_hash: "abc".into(),
            written: written.into(),
            synced_at: 5,
            refs: vec![
                (Related::Tag, 3),
                (Related::Tag, 3),
                (Related::Performer, 8),
            ],
        }
    }

    #[test]
    fn remembers_the_latest_and_what_it_referred_to() -> Result<()> {
        let db = Connection::open_in_memory()?;
        create(&db)?;
        create(&db)?;
        assert_eq!(get::<String>(&db, 1)?, None);
        put(&db, 1, &row("old"))?;
        put(&db, 2, &row("other"))?;
        put(
            &db,
            1,
            &Row {
                refs: vec![(Related::Tag, 9)],
                ..row("new")
            },
        )?;
        assert_eq!(
            get::<String>(&db, 1)?.map(|r| r.written),
            Some("new".into())
        );
        assert_eq!(scenes_of(&db, Related::Tag, 3)?, [2]);
        assert_eq!(scenes_of(&db, Related::Tag, 9)?, [1]);
        remove(&db, 2)?;
        assert_eq!(scenes_of(&db, Related::Performer, 8)?, [0; 0]);
        assert_eq!(get::<String>(&db, 2)?, None);
        Ok(())
    }

    #[test]
    fn an_unreadable_record_counts_as_absent() -> Result<()> {
        let db = Connection::open_in_memory()?;
        create(&db)?;
        put(&db, 1, &row("text"))?;
        assert_eq!(get::<u64>(&db, 1)?, None);
        Ok(())
    }
}
