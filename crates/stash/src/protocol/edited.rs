//! The ids in the input of an edit of several objects, in all the shapes that Stash gives it. Nothing else of it is kept.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The ids; none when it is the input of one object.
pub(super) fn ids(input: &str) -> Vec<u64> {
    #[derive(Deserialize)]
    struct Bulk {
        #[serde(default)]
        ids: Option<Vec<Entry>>,
    }
    // `scenesUpdate` lists the input of each, a destruction of several tags or performers their ids; a bulk edit and
    // `scenesDestroy` have them in an object.
    let entries = if input.starts_with('[') {
        serde_json::from_str(input)
    } else {
        serde_json::from_str(input).map(|bulk: Bulk| bulk.ids.unwrap_or_default())
    };
    let entries: Vec<Entry> = entries.unwrap_or_default();
    entries.into_iter().filter_map(|Entry(id)| id).collect()
}

/// An id, or an object that has one.
struct Entry(Option<u64>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor).map(Self)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.trim().parse().ok())
    }

    fn visit_u64<E>(self, id: u64) -> Result<Self::Value, E> {
        Ok(Some(id))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if key == "id" {
                Entry(id) = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(id)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
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
