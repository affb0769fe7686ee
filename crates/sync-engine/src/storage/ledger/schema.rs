//! The tables.

use rusqlite::{Connection, Result};

use crate::storage::ledger::migrate;
use crate::storage::{meta, sql};

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

/// Makes the tables, and their columns, where they are missing; to be called in a transaction.
pub fn create(db: &Connection) -> Result<()> {
    meta::create(db)?;
    db.execute_batch(SCHEMA)?;
    migrate::add_columns(db)
}

/// Whether a worker has made the tables.
pub fn is_made(db: &Connection) -> Result<bool> {
    let find = "SELECT 1 FROM sqlite_schema WHERE name = 'plex_item'";
    sql::any(db, find, [])
}
