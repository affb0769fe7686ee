//! What the items of a library were seen to show.

use rusqlite::{Connection, Result, params};

use crate::storage::ledger::server::ServerId;

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
