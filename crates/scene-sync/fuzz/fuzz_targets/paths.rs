//! Any text as path map, scene path and Plex path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scene_sync::matching::{Candidate, find, name_key};
use scene_sync::{PathMap, SceneFile, folder_of};

fuzz_target!(|texts: (&str, &str, &str)| {
    let (rules, ours, theirs) = texts;
    let map = PathMap::parse(rules).unwrap_or_default();
    let file = SceneFile {
        path: ours.into(),
        ..SceneFile::default()
    };
    let candidate = Candidate {
        item: "7".into(),
        path: theirs.into(),
        ..Candidate::default()
    };
    let verdict = find(&[file], &[candidate], &map, false);
    if verdict.item().is_some() {
        assert_eq!(name_key(&map.map(ours)), name_key(theirs));
    }
    let _ = (verdict.to_string(), folder_of(ours));
});
