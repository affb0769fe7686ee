//! What was left out of scenes that were written, so that a person can ask for it.

use rusqlite::{Connection, Result, params};

use crate::core::status::LeftOut;
use crate::storage::sql::{self, unsigned};

/// Notes what was left out of a scene that was written, in place of what was noted before.
pub fn put_left_out(db: &Connection, scene: u64, reasons: &[String]) -> Result<()> {
    let id = scene.cast_signed();
    sql::run(db, "DELETE FROM left_out WHERE scene = ?1", [id])?;
    let add = "INSERT OR IGNORE INTO left_out (scene, reason) VALUES (?1, ?2)";
    for reason in reasons {
        sql::run(db, add, params![id, reason])?;
    }
    Ok(())
}

/// What was left out of one scene.
pub fn left_out_of(db: &Connection, scene: u64) -> Result<Vec<String>> {
    let find = "SELECT reason FROM left_out WHERE scene = ?1";
    sql::rows(db, find, [scene.cast_signed()], |row| row.get(0))
}

/// What was left out, the most frequent first.
pub fn left_out(db: &Connection) -> Result<Vec<LeftOut>> {
    let find = "SELECT reason, count(*) FROM left_out
                GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 20";
    sql::rows(db, find, [], |row| {
        let reason: String = row.get(0)?;
        Ok(LeftOut {
            newest: newest(db, &reason)?,
            scenes: unsigned(row, 1)?,
            reason,
        })
    })
}

/// The first scenes to name, the newest first.
fn newest(db: &Connection, reason: &str) -> Result<Vec<u64>> {
    let find = "SELECT scene FROM left_out WHERE reason = ?1 ORDER BY rowid DESC LIMIT 5";
    sql::rows(db, find, [reason], |row| unsigned(row, 0))
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
        let row = |reason: &str, scenes, newest: &[u64]| LeftOut {
            reason: reason.to_owned(),
            scenes,
            newest: newest.to_vec(),
        };
        put_left_out(&db, 1, &[cover.clone(), tags.clone()])?;
        put_left_out(&db, 3, &[cover.clone(), cover.clone()])?;
        put_left_out(&db, 2, std::slice::from_ref(&cover))?;
        assert_eq!(
            left_out(&db)?,
            [row(&cover, 3, &[2, 3, 1]), row(&tags, 1, &[1])]
        );
        assert_eq!(left_out_of(&db, 2)?, std::slice::from_ref(&cover));
        put_left_out(&db, 1, &[])?;
        ledger::forget_scene(&db, 2)?;
        assert_eq!(left_out(&db)?, [row(&cover, 1, &[3])]);
        Ok(())
    }
}
