//! The Plex servers, and how far each is looked after.

use rusqlite::{Connection, Result};

use crate::storage::sql;

/// A Plex server, by which all that was written is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerId(pub(super) i64);

/// The server with this identifier. The rows of a server whose identifier was not known yet become
/// its own.
pub fn server(db: &Connection, identifier: &str) -> Result<ServerId> {
    let name = "UPDATE OR IGNORE plex_server SET identifier = ?1 WHERE identifier = ''";
    sql::run(db, name, [identifier])?;
    let add = "INSERT OR IGNORE INTO plex_server (identifier) VALUES (?1)";
    sql::run(db, add, [identifier])?;
    on_record(db, identifier)
}

/// The same for one who only looks: of a server that is not on record, nothing is.
pub fn on_record(db: &Connection, identifier: &str) -> Result<ServerId> {
    const NOTHING: i64 = 0;
    let find =
        "SELECT id FROM plex_server WHERE identifier IN (?1, '') ORDER BY identifier DESC LIMIT 1";
    let found = sql::row(db, find, [identifier], |row| row.get(0))?;
    Ok(ServerId(found.unwrap_or(NOTHING)))
}

/// A person had this server's library written, or compared: from now on it is kept equal as a
/// whole.
pub fn consent(db: &Connection, server: ServerId) -> Result<()> {
    let note = "UPDATE plex_server SET consent = 1 WHERE id = ?1";
    sql::run(db, note, [server.0]).map(drop)
}

/// Whether a person ever did. Until then, only what they saved is written.
pub fn has_consent(db: &Connection, server: ServerId) -> Result<bool> {
    let find = "SELECT 1 FROM plex_server WHERE id = ?1 AND consent = 1";
    sql::any(db, find, [server.0])
}

/// When the last complete look at what has changed in Stash began, in Unix seconds; 0 before the
/// first.
pub fn caught_up(db: &Connection, server: ServerId) -> Result<i64> {
    let find = "SELECT caught_up FROM plex_server WHERE id = ?1";
    Ok(sql::row(db, find, [server.0], |row| row.get(0))?.unwrap_or_default())
}

/// Notes that a complete look began then.
pub fn set_caught_up(db: &Connection, server: ServerId, began: i64) -> Result<()> {
    let note = "UPDATE plex_server SET caught_up = ?2 WHERE id = ?1";
    sql::run(db, note, [server.0, began]).map(drop)
}
