//! Whatever is sent, an answer or an error comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plex::{Error, fuzzing};
use proptest::prelude::*;
use serde_json::Value;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "Metadata",
        "ratingKey",
        "Media",
        "Part",
        "file",
        "size",
        "Genre",
        "tag",
        "Field",
        "locked",
        "name",
        "Directory",
        "key",
        "Location",
        "path",
        "librarySectionID",
        "totalSize",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!fuzzing::answers(&body));
    }

    #[test]
    fn any_object_in_a_container_is_read_or_refused(container in json()) {
        let body = serde_json::json!({ "MediaContainer": container });
        // An object without items, libraries and so on is an empty list of them.
        let plain = container.as_object().is_some_and(|object| {
            !object.keys().any(|name| matches!(name.as_str(), "Metadata" | "Directory"))
        });
        let understood = fuzzing::answers(body.to_string().as_bytes());
        prop_assert!(understood || !plain, "{}", body);
    }

    #[test]
    fn any_failure(status in 100u16..1000, header in prop::collection::vec(any::<u8>(), 0..40), body in ".{0,300}") {
        let error = fuzzing::failure(status, &header, &body, 100);
        prop_assert!(error.to_string().chars().count() < 400, "{}", error);
        prop_assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn deep_nesting_is_no_danger() {
    for open in [
        "[",
        "{\"MediaContainer\":",
        "{\"MediaContainer\":{\"Metadata\":[",
    ] {
        assert!(!fuzzing::answers(open.repeat(1 << 18).as_bytes()));
    }
    let error = fuzzing::failure(503, b"", &"<a>".repeat(20_000), 0);
    // No shape that Plex has, so a proxy answers in its place.
    assert!(matches!(error, Error::Gateway { .. }), "{error:?}");
}
