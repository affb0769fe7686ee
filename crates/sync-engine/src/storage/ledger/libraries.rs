//! What the items of a library were seen to show.

use rusqlite::{Connection, Result, params};

use crate::storage::ledger::server::ServerId;
use crate::storage::sql;

/// What is known of the fields of a server's libraries: library, field, state.
pub fn library_fields(db: &Connection, server: ServerId) -> Result<Vec<(String, String, String)>> {
    let find = "SELECT library, field, state FROM library_field WHERE server = ?1";
    sql::rows(db, find, [server.0], |row| row.try_into())
}

/// Remembers what is known of a field of a library.
pub fn put_library_field(
    db: &Connection,
    server: ServerId,
    library: &str,
    field: &str,
    state: &str,
) -> Result<()> {
    let put = "INSERT OR REPLACE INTO library_field VALUES (?1, ?2, ?3, ?4)";
    sql::run(db, put, params![server.0, library, field, state]).map(drop)
}
