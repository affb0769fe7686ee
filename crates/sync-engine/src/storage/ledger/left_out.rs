//! What was left out of scenes that were written, so that a person can ask for it.

use rusqlite::{Connection, Result, params};

/// Notes what was left out of a scene that was written, in place of what was noted before.
pub fn put_left_out(db: &Connection, scene: u64, reasons: &[String]) -> Result<()> {
    let id = scene.cast_signed();
    db.prepare_cached("DELETE FROM left_out WHERE scene = ?1")?
        .execute([id])?;
    let mut add =
        db.prepare_cached("INSERT OR IGNORE INTO left_out (scene, reason) VALUES (?1, ?2)")?;
    for reason in reasons {
        add.execute(params![id, reason])?;
    }
    Ok(())
}

/// What was left out of one scene.
pub fn left_out_of(db: &Connection, scene: u64) -> Result<Vec<String>> {
    let mut find = db.prepare_cached("SELECT reason FROM left_out WHERE scene = ?1")?;
    let reasons = find.query_map([scene.cast_signed()], |row| row.get(0))?;
    reasons.collect()
}

/// What was left out: the reason, of how many scenes, and the newest of them; the most frequent first.
pub fn left_out(db: &Connection) -> Result<Vec<(String, u64, u64)>> {
    // The columns beside max() are those of its row.
    let mut find = db.prepare_cached(
        "SELECT reason, count(*), scene, max(rowid) FROM left_out
         GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 20",
    )?;
    let rows = find.query_map([], |row| {
        let count = |n| row.get::<_, i64>(n).map(i64::cast_unsigned);
        Ok((row.get(0)?, count(1)?, count(2)?))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::ledger;

    #[test]
    fn what_was_left_out_is_counted_by_reason() -> Result<()> {
        let db = Connection::open_in_memory()?;
        ledger::create(&db)?;
        let (cover, tags) = (
            "the cover is a GIF".to_owned(),
            "3 tags over the limit".to_owned(),
        );
        put_left_out(&db, 1, &[cover.clone(), tags.clone()])?;
        put_left_out(&db, 3, &[cover.clone(), cover.clone()])?;
        put_left_out(&db, 2, std::slice::from_ref(&cover))?;
        assert_eq!(left_out(&db)?, [(cover.clone(), 3, 2), (tags, 1, 1)]);
        assert_eq!(left_out_of(&db, 2)?, std::slice::from_ref(&cover));
        put_left_out(&db, 1, &[])?;
        ledger::forget_scene(&db, 2)?;
        assert_eq!(left_out(&db)?, [(cover, 1, 3)]);
        Ok(())
    }
}
