//! The Plex servers, and how far each is looked after.

use rusqlite::{Connection, OptionalExtension, Result};

/// A Plex server, by which all that was written is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerId(pub(super) i64);

/// The server with this identifier. The rows of a server whose identifier was not known yet become its own.
pub fn server(db: &Connection, identifier: &str) -> Result<ServerId> {
    db.prepare_cached("UPDATE OR IGNORE plex_server SET identifier = ?1 WHERE identifier = ''")?
        .execute([identifier])?;
    db.prepare_cached("INSERT OR IGNORE INTO plex_server (identifier) VALUES (?1)")?
        .execute([identifier])?;
    db.prepare_cached("SELECT id FROM plex_server WHERE identifier = ?1")?
        .query_row([identifier], |row| row.get(0).map(ServerId))
}

/// The same for one who only looks: of a server that is not on record, nothing is.
pub fn on_record(db: &Connection, identifier: &str) -> Result<ServerId> {
    const NOTHING: i64 = 0;
    let mut find = db.prepare_cached(
        "SELECT id FROM plex_server WHERE identifier IN (?1, '') ORDER BY identifier DESC LIMIT 1",
    )?;
    let found = find.query_row([identifier], |row| row.get(0)).optional()?;
    Ok(ServerId(found.unwrap_or(NOTHING)))
}

/// A person had this server's library written, or compared: from now on it is kept equal as a whole.
pub fn consent(db: &Connection, server: ServerId) -> Result<()> {
    db.prepare_cached("UPDATE plex_server SET consent = 1 WHERE id = ?1")?
        .execute([server.0])?;
    Ok(())
}

/// Whether a person ever did. Until then, only what they saved is written.
pub fn has_consent(db: &Connection, server: ServerId) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM plex_server WHERE id = ?1 AND consent = 1")?
        .exists([server.0])
}

/// When the last complete look at what has changed in Stash began, in Unix seconds; 0 before the first.
pub fn caught_up(db: &Connection, server: ServerId) -> Result<i64> {
    db.prepare_cached("SELECT caught_up FROM plex_server WHERE id = ?1")?
        .query_row([server.0], |row| row.get(0))
}

/// Notes that a complete look began then.
pub fn set_caught_up(db: &Connection, server: ServerId, began: i64) -> Result<()> {
    db.prepare_cached("UPDATE plex_server SET caught_up = ?2 WHERE id = ?1")?
        .execute([server.0, began])?;
    Ok(())
}
