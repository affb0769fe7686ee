use serde_json::{Value, json};

use rusqlite::{Connection, Result};

use super::*;
use crate::core::job::Related;

fn db() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    create(&db).unwrap();
    create(&db).unwrap();
    db
}

fn row(item: &str, owner: u64, path: &str) -> ItemRow<String> {
    ItemRow {
        item: item.to_owned(),
        owner: Some(owner),
        path: path.to_owned(),
        written: "written".to_owned(),
    }
}

fn synced() -> SceneRow {
    SceneRow {
        hash: Some(SyncHash([7; 16])),
        synced_at: 5,
        cover_address: "/scene/1/screenshot?t=1".to_owned(),
        cover: "abc".to_owned(),
    }
}

#[test]
fn an_item_has_one_owner_and_a_scene_several_items() -> Result<()> {
    let db = db();
    let one = server(&db, "one")?;
    put_item(&db, one, &row("17", 1, "/a.mp4"))?;
    put_item(&db, one, &row("18", 1, "/b.mp4"))?;
    put_item(&db, one, &row("18", 2, "/b.mp4"))?;
    assert_eq!(items_of::<String>(&db, one, 1)?, [row("17", 1, "/a.mp4")]);
    assert_eq!(items_of::<String>(&db, one, 2)?, [row("18", 2, "/b.mp4")]);
    assert_eq!(owner(&db, one, "18")?, Some(2));
    // Another server's items are others.
    let two = server(&db, "two")?;
    assert_ne!(one, two);
    assert_eq!(server(&db, "one")?, one);
    assert_eq!(item::<String>(&db, two, "17")?, None);
    Ok(())
}

#[test]
fn a_scene_that_is_gone_leaves_its_items_to_the_next() -> Result<()> {
    let db = db();
    let one = server(&db, "one")?;
    put_item(&db, one, &row("17", 1, "/A.mp4"))?;
    put_scene(&db, one, 1, &synced())?;
    put_refs(
        &db,
        1,
        &[(Related::Tag, 3), (Related::Tag, 3), (Related::Group, 8)],
    )?;
    assert_eq!(scenes_of(&db, Related::Tag, 3)?, [1]);
    assert!(wait_for(&db, one, "17", 9)?);
    assert!(!wait_for(&db, one, "17", 9)?, "told once");
    assert_eq!(waited_for(&db, one, 9)?, ["17"]);
    assert_eq!(forget_scene(&db, 1)?, [9]);
    assert_eq!(scene(&db, one, 1)?, None);
    assert_eq!(scenes_of(&db, Related::Tag, 3)?, [0; 0]);
    let left = item::<String>(&db, one, "17")?.unwrap();
    assert_eq!((left.owner, left.written.as_str()), (None, "written"));
    // Known by its path still, in whatever case.
    assert!(is_bound(&db, one, "/a.MP4")?);
    assert!(!is_bound(&db, one, "/b.mp4")?);
    assert_eq!(ownerless(&db, one)?, ["17"]);
    drop_item(&db, one, "17")?;
    assert_eq!(item::<String>(&db, one, "17")?, None);
    Ok(())
}

#[test]
fn only_its_owner_releases_an_item() -> Result<()> {
    let db = db();
    let one = server(&db, "one")?;
    put_item(&db, one, &row("17", 1, "/a.mp4"))?;
    wait_for(&db, one, "17", 9)?;
    assert_eq!(release(&db, one, "17", 2)?, [0; 0]);
    assert_eq!(owner(&db, one, "17")?, Some(1));
    assert_eq!(release(&db, one, "17", 1)?, [9]);
    assert_eq!(owner(&db, one, "17")?, None);
    Ok(())
}

#[test]
fn a_scene_is_unequal_until_it_is_synced_again() -> Result<()> {
    let db = db();
    let one = server(&db, "one")?;
    make_unequal(&db, one, 1)?;
    let never = SceneRow::default();
    assert_eq!(scene(&db, one, 1)?, Some(never));
    put_scene(&db, one, 1, &synced())?;
    assert_eq!(scene(&db, one, 1)?, Some(synced()));
    make_unequal(&db, one, 1)?;
    assert_eq!(
        scene(&db, one, 1)?,
        Some(SceneRow {
            hash: None,
            ..synced()
        })
    );
    assert_eq!(synced_at(&db, 1)?, Some(5));
    assert_eq!(synced_at(&db, 2)?, None);
    assert_eq!(scenes_between(&db, one, 0, None)?, [1]);
    assert_eq!(scenes_between(&db, one, 1, None)?, [0; 0]);
    Ok(())
}

#[test]
fn an_unreadable_record_counts_as_absent() -> Result<()> {
    let db = db();
    let one = server(&db, "one")?;
    put_item(&db, one, &row("17", 1, "/a.mp4"))?;
    assert_eq!(item::<Vec<u8>>(&db, one, "17")?, None);
    assert_eq!(items_of::<Vec<u8>>(&db, one, 1)?, []);
    Ok(())
}

#[test]
fn the_rules_that_most_scenes_speak_for_come_first() -> Result<()> {
    let db = db();
    for (scene, rule) in [
        (1, "/a=>/b"),
        (2, "/c=>/d"),
        (3, "/c=>/d"),
        (4, "/a=>/b"),
        (5, "/c=>/d"),
    ] {
        hint_path(&db, scene, Some(rule))?;
    }
    hint_path(&db, 4, None)?;
    let hints = [("/c=>/d".to_owned(), 3), ("/a=>/b".to_owned(), 1)];
    assert_eq!(path_hints(&db)?, hints);
    Ok(())
}

/// A database as the version before made it: with a row for each scene.
const BEFORE: &str = r#"
CREATE TABLE ledger (scene INTEGER PRIMARY KEY, rating_key TEXT NOT NULL, content_hash TEXT NOT NULL, written TEXT NOT NULL,
  synced_at INTEGER NOT NULL) STRICT;
CREATE TABLE ledger_refs (kind TEXT NOT NULL, id INTEGER NOT NULL, scene INTEGER NOT NULL REFERENCES ledger(scene) ON DELETE CASCADE,
  PRIMARY KEY (kind, id, scene)) STRICT, WITHOUT ROWID;
INSERT INTO ledger VALUES
  (1, '17', 'abc', '{"item":"17","content":"abc","fields":{"title":"One"},"tags":{"genre":["A","B"]}}', 10),
  (2, '17', 'def', '{"item":"17","content":"def","fields":{"title":"Two"},"tags":{"genre":["B","C"]}}', 20),
  (3, '', 'ghi', '{"item":"19","content":"ghi","tags":{"actor":["Jane"]}}', 30),
  (4, '20', 'jkl', 'no record', 40);
INSERT INTO ledger_refs VALUES ('tag', 5, 1), ('performer', 6, 3);
"#;

#[test]
fn rows_of_before_are_sent_but_not_believed() -> Result<()> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(BEFORE)?;
    create(&db)?;
    assert_eq!(
        migrate(&db, None)?,
        [1, 2],
        "whose item it is must be found out"
    );
    assert_eq!(migrate(&db, None)?, [0; 0], "once");
    // The server was not known before; the first to be met has them.
    let one = server(&db, "one")?;
    let both = item::<Value>(&db, one, "17")?.unwrap();
    assert_eq!(both.owner, None);
    assert_eq!(both.written["tags"], json!({"genre": ["A", "B", "C"]}));
    assert_eq!(both.written["fields"]["title"], "Two");
    let cleared = item::<Value>(&db, one, "19")?.unwrap();
    assert_eq!((cleared.owner, cleared.path.as_str()), (Some(3), ""));
    assert_eq!(item::<Value>(&db, one, "20")?, None);
    for scene_id in 1..=4 {
        assert_eq!(scene(&db, one, scene_id)?.unwrap().hash, None);
    }
    assert_eq!(synced_at(&db, 2)?, Some(20));
    assert_eq!(scenes_of(&db, Related::Tag, 5)?, [1]);
    assert_eq!(scenes_of(&db, Related::Performer, 6)?, [3]);
    Ok(())
}

#[test]
fn a_server_met_before_keeps_the_rows_of_before() -> Result<()> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(BEFORE)?;
    create(&db)?;
    migrate(&db, Some("one"))?;
    let (two, one) = (server(&db, "two")?, server(&db, "one")?);
    assert!(item::<Value>(&db, one, "17")?.is_some());
    assert_eq!(item::<Value>(&db, two, "17")?, None);
    Ok(())
}

#[test]
fn where_an_earlier_version_wrote_a_person_wanted_that() -> Result<()> {
    let before = "
CREATE TABLE plex_server (id INTEGER PRIMARY KEY, identifier TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE synced_scene (server INTEGER NOT NULL, scene INTEGER NOT NULL, hash BLOB NOT NULL, synced_at INTEGER NOT NULL,
  cover_address TEXT NOT NULL DEFAULT '', cover TEXT NOT NULL DEFAULT '', PRIMARY KEY (server, scene)) STRICT, WITHOUT ROWID;
INSERT INTO plex_server VALUES (1, 'one'), (2, 'two');
INSERT INTO synced_scene VALUES (1, 7, x'00', 1000, '', ''), (2, 7, x'', 0, '', '');";
    let db = Connection::open_in_memory()?;
    db.execute_batch(before)?;
    create(&db)?;
    create(&db)?;
    let (one, two, new) = (
        server(&db, "one")?,
        server(&db, "two")?,
        server(&db, "new")?,
    );
    assert!(has_consent(&db, one)?);
    assert!(!has_consent(&db, two)? && !has_consent(&db, new)?);
    // Nobody knows what the scene was when it was read.
    let look = last_look(&db, one, 7)?.unwrap();
    assert!(look.written && !look.stamp.is_same(0) && !look.stamp.is_same(1000));
    assert_eq!(caught_up(&db, one)?, 0);
    Ok(())
}
