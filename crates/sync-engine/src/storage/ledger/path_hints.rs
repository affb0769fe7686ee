//! The path map that scenes speak for.

use rusqlite::{Connection, Result, params};

/// Notes, or withdraws, the path map rule that a scene's file and its item speak for.
pub fn hint_path(db: &Connection, scene: u64, rule: Option<&str>) -> Result<()> {
    let id = scene.cast_signed();
    match rule {
        Some(rule) => db
            .prepare_cached("INSERT OR REPLACE INTO path_hint (scene, rule) VALUES (?1, ?2)")?
            .execute(params![id, rule]),
        None => db
            .prepare_cached("DELETE FROM path_hint WHERE scene = ?1")?
            .execute([id]),
    }?;
    Ok(())
}

/// The path map rules that scenes speak for, with how many do, the most first.
pub fn path_hints(db: &Connection) -> Result<Vec<(String, u64)>> {
    let mut find = db.prepare_cached(
        "SELECT rule, count(*) FROM path_hint GROUP BY rule ORDER BY count(*) DESC, rule LIMIT 3",
    )?;
    let hints = find.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    hints.collect()
}
