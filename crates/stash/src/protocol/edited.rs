//! The ids in the input of an edit of several objects, in all the shapes that Stash gives it.
//! Nothing else of it is kept.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::unsigned;

/// The ids; none when it is the input of one object.
pub(super) fn ids(input: &str) -> Vec<u64> {
    #[derive(Deserialize)]
    struct Bulk<'a> {
        #[serde(borrow)]
        ids: Option<Vec<&'a RawValue>>,
    }
    // `scenesUpdate` lists the input of each, a destruction of several tags or performers their
    // ids; a bulk edit and `scenesDestroy` have them in an object.
    let entries = if input.starts_with('[') {
        serde_json::from_str(input)
    } else {
        serde_json::from_str(input).map(|bulk: Bulk<'_>| bulk.ids.unwrap_or_default())
    };
    let entries: Vec<&RawValue> = entries.unwrap_or_default();
    entries.into_iter().filter_map(id).collect()
}

/// An id, or that of an object.
fn id(entry: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Named {
        id: Value,
    }
    let id = match entry.get().starts_with('{') {
        true => serde_json::from_str(entry.get()).map(|Named { id }| id),
        false => serde_json::from_str(entry.get()),
    };
    unsigned(&id.ok()?)
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn the_ids_are_found_in_every_shape_and_nothing_else_is() {
        for (input, found) in [
            (
                r#"{"ids": ["1", "22"], "tag_ids": {"ids": ["7"], "mode": "ADD"}}"#,
                vec![1, 22],
            ),
            (
                r#"[{"title": "{\"id\": 9}", "id": "1", "tag_ids": ["5"]}, {"id": "2"}]"#,
                vec![1, 2],
            ),
            (r#"["1", 2, null, true, -1, 0.5, [3], {}, "x"]"#, vec![1, 2]),
            (r#"{"id": "1", "tag_ids": ["5"]}"#, vec![]),
            (r#"{"ids": null}"#, vec![]),
            (r#"{"ids": 7}"#, vec![]),
            ("[1, 2", vec![]),
            ("\"1\"", vec![]),
        ] {
            assert_eq!(ids(input), found, "{input}");
        }
    }
}
