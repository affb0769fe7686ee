//! What people and settings do between an edit that was cut off and the next look.
#![allow(clippy::unwrap_used)]

use scene_sync::{Item, LastWritten, Policy, Scene, Tag, plan};

fn scene(version: &str) -> Scene {
    Scene {
        title: format!("Title {version}"),
        details: format!("Details {version}"),
        tags: vec!["Always".into(), format!("Tag {version}")],
        ..Scene::default()
    }
}

fn carry_out(plan: &scene_sync::EditPlan, item: &mut Item) {
    for edit in &plan.fields {
        let field = match edit.field {
            scene_sync::Field::Title => &mut item.title,
            _ => &mut item.summary,
        };
        field.clone_from(&edit.to);
        item.locked.insert(edit.field.plex_name().to_owned());
    }
    for edit in &plan.tags {
        item.genres.clone_from(&edit.target);
    }
}

/// An item that was synced before or not, and the record of an edit to version 2 that was cut off,
/// carried out or not.
fn cut_off(before: bool, arrived: bool, policy: &Policy) -> (Item, LastWritten) {
    let mut item = Item {
        key: "7".into(),
        title: "file-name".into(),
        ..Item::default()
    };
    let mut last = None;
    if before {
        let first = plan(&scene("1"), &item, None, policy);
        carry_out(&first, &mut item);
        last = first.written;
    }
    let second = plan(&scene("2"), &item, last.as_ref(), policy);
    let intent = second.intent(&item, last.as_ref(), 0).unwrap();
    if arrived {
        carry_out(&second, &mut item);
    }
    (item, intent)
}

const CASES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn a_persons_edit_after_it_stays() {
    let policy = Policy {
        preserve_plex_edits: true,
        ..Policy::default()
    };
    for (before, arrived) in CASES {
        let (mut item, intent) = cut_off(before, arrived, &policy);
        item.title = "Mine".into();
        item.locked.insert("title".into());
        item.genres.push(Tag::from("My tag"));
        let third = plan(&scene("3"), &item, Some(&intent), &policy);
        carry_out(&third, &mut item);
        let mut tags: Vec<_> = item.genres.iter().map(|tag| tag.name.as_str()).collect();
        tags.sort_unstable();
        assert_eq!(item.title, "Mine", "{before} {arrived}");
        assert_eq!(item.summary, "Details 3", "{before} {arrived}");
        assert_eq!(tags, ["Always", "My tag", "Tag 3"], "{before} {arrived}");
    }
}

#[test]
fn preserving_may_be_turned_on_after_it() {
    let policy = Policy::default();
    let preserving = Policy {
        preserve_plex_edits: true,
        ..Policy::default()
    };
    for (before, arrived) in CASES {
        let (mut item, intent) = cut_off(before, arrived, &policy);
        let third = plan(&scene("3"), &item, Some(&intent), &preserving);
        assert_eq!(third.notes, [], "{before} {arrived}: nothing is a person's");
        carry_out(&third, &mut item);
        let tags: Vec<_> = item.genres.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!((&*item.title, &*item.summary), ("Title 3", "Details 3"));
        assert_eq!(tags, ["Always", "Tag 3"], "{before} {arrived}");
    }
}

/// Two tries of one version, and a person's edit between them that the second leaves alone: the
/// first may still bring its text.
#[test]
fn a_try_does_not_replace_one_that_sent_more() {
    let policy = Policy {
        preserve_plex_edits: true,
        ..Policy::default()
    };
    let (mut item, intent) = cut_off(false, false, &policy);
    let first = plan(&scene("2"), &item, None, &policy);
    item.summary = "Mine".into();
    item.locked.insert("summary".into());
    let again = plan(&scene("2"), &item, Some(&intent), &policy);
    let both = again.intent(&item, Some(&intent), 1).unwrap();
    assert_eq!(both.intents.len(), 2);
    carry_out(&first, &mut item);
    let bare = Scene {
        title: "Title 2".into(),
        ..Scene::default()
    };
    let last = plan(&bare, &item, Some(&both), &policy);
    carry_out(&last, &mut item);
    assert_eq!((item.summary.as_str(), item.genres.len()), ("", 0));
    // A try that sent the same is enough once.
    let same = again.intent(&item, Some(&both), 2).unwrap();
    assert_eq!(same.intents.len(), 2);
}

/// Without a title Plex keeps its own, and with one again it is known for ours.
#[test]
fn a_title_that_comes_and_goes() {
    let policy = Policy {
        preserve_plex_edits: true,
        ..Policy::default()
    };
    for (before, arrived) in CASES {
        let (mut item, intent) = cut_off(before, arrived, &policy);
        let untitled = Scene {
            title: String::new(),
            ..scene("3")
        };
        let third = plan(&untitled, &item, Some(&intent), &policy);
        carry_out(&third, &mut item);
        let last = third.written.unwrap();
        let fourth = plan(&scene("4"), &item, Some(&last), &policy);
        carry_out(&fourth, &mut item);
        assert_eq!(item.title, "Title 4", "{before} {arrived}");
    }
}

/// A row of an earlier version has none of this, one of a later version more.
#[test]
fn rows_of_other_versions() {
    let text = r#"{"item":"7","content":"x","fields":{"title":"T"},"to come":1}"#;
    let row: LastWritten = serde_json::from_str(text).unwrap();
    assert_eq!((row.content.as_str(), row.intents.len()), ("x", 0));
    assert!(!row.may_be_overtaken());
    let plain = serde_json::to_string(&row).unwrap();
    assert!(!plain.contains("intents"), "{plain}");
}
