//! Any text in an edit of any size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plex::{Edit, Field, ItemKind, TagKind, fit};

fuzz_target!(|input: (Vec<String>, Vec<String>, String, usize)| {
    let (add, remove, title, max) = input;
    let (Ok(section), Ok(key)) = ("1".parse(), "2".parse()) else {
        return;
    };
    let edit = Edit::new(section, ItemKind::Movie, key)
        .tags(TagKind::Genre, add)
        .remove_tags(TagKind::Genre, remove)
        .set(Field::Title, fit(&title, max));
    for query in edit.queries(max).unwrap_or_default() {
        assert!(query.len() <= max && query.starts_with("type=1&id=2&") && query.is_ascii());
    }
});
