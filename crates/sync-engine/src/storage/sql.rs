//! Statements, each prepared once for a connection.

use rusqlite::{Connection, OptionalExtension, Params, Result, Row};

/// Carries a statement out; how many rows it changed.
pub fn run(db: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    db.prepare_cached(sql)?.execute(params)
}

/// Whether a question brings a row.
pub fn any(db: &Connection, sql: &str, params: impl Params) -> Result<bool> {
    db.prepare_cached(sql)?.exists(params)
}

/// The row that a question brings, if it does.
pub fn row<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    db.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows that a question brings.
pub fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// The id, or the number, in a column: none is negative, but SQLite knows only numbers with a sign.
pub fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}
