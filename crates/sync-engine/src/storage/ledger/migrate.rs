//! Databases of before the record was kept by item: a row for each scene, with the item it was last
//! written to.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result, params};
use serde_json::Value;

use crate::core::job::Related;
use crate::storage::ledger::items::{ItemRow, put_item};
use crate::storage::ledger::scenes::{SceneRow, put_scene};
use crate::storage::ledger::server::{ServerId, consent, server};
use crate::storage::sql;

/// Adds what tables made by an earlier version lack. Where a scene was ever written, a person
/// wanted that; and each scene is looked at once, since nobody knows what it was when it was read.
pub fn add_columns(db: &Connection) -> Result<()> {
    let find = "SELECT 1 FROM pragma_table_info('plex_server') WHERE name = 'consent'";
    if !sql::any(db, find, [])? {
        db.execute_batch(
            "ALTER TABLE plex_server ADD COLUMN consent INTEGER NOT NULL DEFAULT 0;
             ALTER TABLE plex_server ADD COLUMN caught_up INTEGER NOT NULL DEFAULT 0;
             ALTER TABLE synced_scene ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
             UPDATE plex_server SET consent = 1
             WHERE EXISTS (SELECT 1 FROM synced_scene WHERE server = plex_server.id AND synced_at > 0);",
        )?;
    }
    Ok(())
}

/// One record for each item of before: its scenes, and what was written to it.
#[derive(Default)]
struct Before {
    scenes: BTreeSet<u64>,
    written: Value,
}

/// Takes the rows of before over; to be called in a transaction. Nothing of them is believed but
/// that it was sent: every scene is unequal until a look has confirmed its item by its path.
/// Returns the scenes that must be looked at now, because two of them were written to one item.
pub fn migrate(db: &Connection, identifier: Option<&str>) -> Result<Vec<u64>> {
    let find = "SELECT 1 FROM sqlite_schema WHERE name = 'ledger'";
    if !sql::any(db, find, [])? {
        return Ok(Vec::new());
    }
    let server = server(db, identifier.unwrap_or_default())?;
    consent(db, server)?;
    let items = read(db, server)?;
    let mut doubtful = Vec::new();
    for (item, Before { scenes, written }) in items {
        let mut owners = scenes.iter().copied();
        let owner = owners.next().filter(|_| owners.next().is_none());
        if owner.is_none() {
            doubtful.extend(scenes);
        }
        let path = String::new();
        let row = ItemRow {
            item,
            owner,
            path,
            written,
        };
        put_item(db, server, &row)?;
    }
    let mut add =
        db.prepare("INSERT OR IGNORE INTO scene_ref (scene, kind, id) SELECT scene, ?1, id FROM ledger_refs WHERE kind = ?2")?;
    for kind in Related::ALL {
        add.execute(params![kind.number(), kind.word()])?;
    }
    drop(add);
    db.execute_batch("DROP TABLE ledger_refs; DROP TABLE ledger;")?;
    Ok(doubtful)
}

/// The oldest first, so that the latest of several texts counts.
fn read(db: &Connection, server: ServerId) -> Result<BTreeMap<String, Before>> {
    let mut items = BTreeMap::<String, Before>::new();
    let mut find =
        db.prepare("SELECT scene, rating_key, written, synced_at FROM ledger ORDER BY synced_at")?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let scene = row.get::<_, i64>(0)?.cast_unsigned();
        let written: Value = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
        // Clear Match Cache emptied the key and left it in the record.
        let mut key: String = row.get(1)?;
        if let (true, Some(item)) = (key.is_empty(), written["item"].as_str()) {
            item.clone_into(&mut key);
        }
        let row = SceneRow {
            synced_at: row.get(3)?,
            ..SceneRow::default()
        };
        put_scene(db, server, scene, &row)?;
        if key.is_empty() || !written.is_object() {
            continue;
        }
        let before = items.entry(key).or_default();
        before.scenes.insert(scene);
        before.written = both(std::mem::take(&mut before.written), written);
    }
    Ok(items)
}

/// Both records count as sent: lists are joined, of two texts the later one counts.
fn both(earlier: Value, later: Value) -> Value {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => {
            let mut joined = earlier;
            for (key, value) in later {
                let before = joined.remove(&key).unwrap_or_default();
                joined.insert(key, both(before, value));
            }
            Value::Object(joined)
        }
        (Value::Array(mut earlier), Value::Array(later)) => {
            let new = later.into_iter().filter(|value| !earlier.contains(value));
            let new: Vec<_> = new.collect();
            earlier.extend(new);
            Value::Array(earlier)
        }
        (earlier, Value::Null) => earlier,
        (_, later) => later,
    }
}
