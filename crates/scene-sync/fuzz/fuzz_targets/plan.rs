//! Any text on both sides and any record: a plan that settles what it plans.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scene_sync::{Item, LastWritten, Policy, Scene, Tag, TagKind, plan};

fuzz_target!(
    |texts: (&str, &str, &str, &str, Vec<&str>, Vec<&str>, bool)| {
        let (title, details, date, ledger, ours, theirs, preserve_plex_edits) = texts;
        let scene = Scene {
            title: title.into(),
            details: details.into(),
            date: date.into(),
            tags: ours.into_iter().map(String::from).collect(),
            ..Scene::default()
        };
        let mut item = Item {
            key: "7".into(),
            summary: title.into(),
            genres: theirs.into_iter().map(Tag::from).collect(),
            ..Item::default()
        };
        let policy = Policy {
            preserve_plex_edits,
            ..Policy::default()
        };
        let last = serde_json::from_str::<LastWritten>(ledger).ok();
        let first = plan(&scene, &item, last.as_ref(), &policy);
        for edit in &first.tags {
            if edit.kind == TagKind::Genre {
                item.genres.clone_from(&edit.target);
            }
        }
        let again = plan(&scene, &item, first.written.as_ref(), &policy);
        assert!(again.tags.iter().all(|edit| edit.kind != TagKind::Genre));
        let _ = first.to_string();
    }
);
