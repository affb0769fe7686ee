//! Any text as path map, scene path and Plex path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scene_sync::matching::{Candidate, Likeness, by_likeness, by_path};
use scene_sync::path::{covers, folder_of, key, loose_key, name_key, suggested_rule};
use scene_sync::{PathMap, SceneFile};

fuzz_target!(|texts: (&str, &str, &str)| {
    let (rules, ours, theirs) = texts;
    let map = PathMap::parse(rules).unwrap_or_default();
    let file = SceneFile {
        path: map.map(ours),
        ..SceneFile::default()
    };
    let candidates = [Candidate {
        item: "7".into(),
        path: theirs.into(),
        ..Candidate::default()
    }];
    let bound = by_path(std::slice::from_ref(&file), &candidates);
    assert_eq!(!bound.is_empty(), key(&file.path) == key(theirs));
    if !bound.is_empty() {
        assert_eq!(loose_key(&file.path), loose_key(theirs));
    }
    let likeness = by_likeness(&file, &candidates, |_| false);
    if let Likeness::One { .. } = likeness {
        assert_eq!(name_key(&file.path), name_key(theirs));
    }
    let _ = (likeness.to_string(), folder_of(ours), covers(theirs, ours));
    let _ = suggested_rule(ours, theirs);
});
