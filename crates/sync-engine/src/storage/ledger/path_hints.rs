//! The path map that scenes speak for.

use rusqlite::{Connection, Result, params};

use crate::storage::sql::{self, unsigned};

/// Notes, or withdraws, the path map rule that a scene's file and its item speak for.
pub fn hint_path(db: &Connection, scene: u64, rule: Option<&str>) -> Result<()> {
    let id = scene.cast_signed();
    let put = "INSERT OR REPLACE INTO path_hint (scene, rule) VALUES (?1, ?2)";
    match rule {
        Some(rule) => sql::run(db, put, params![id, rule]),
        None => sql::run(db, "DELETE FROM path_hint WHERE scene = ?1", [id]),
    }
    .map(drop)
}

/// The rule that a scene speaks for.
pub fn path_hint(db: &Connection, scene: u64) -> Result<Option<String>> {
    let find = "SELECT rule FROM path_hint WHERE scene = ?1";
    sql::row(db, find, [scene.cast_signed()], |row| row.get(0))
}

/// The path map rules that scenes speak for, with how many do, the most first.
pub fn path_hints(db: &Connection) -> Result<Vec<(String, u64)>> {
    let find =
        "SELECT rule, count(*) FROM path_hint GROUP BY rule ORDER BY count(*) DESC, rule LIMIT 3";
    sql::rows(db, find, [], |row| Ok((row.get(0)?, unsigned(row, 1)?)))
}
