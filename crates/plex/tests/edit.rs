//! The language of edits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use plex::{Edit, Field, ImageKind, ItemKind, MAX_LINE, MAX_VALUE, Tag, TagKind, TooLong, fit};
use proptest::prelude::*;

fn edit() -> Edit {
    Edit::new(
        "3".parse().unwrap(),
        ItemKind::Episode,
        "77".parse().unwrap(),
    )
}

/// What a server that decodes form values makes of a query.
fn decode(query: &str) -> Vec<(String, String)> {
    reqwest::Url::parse(&format!("http://plex/?{query}"))
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn one(edit: &Edit) -> String {
    let queries = edit.queries(MAX_LINE).unwrap();
    assert_eq!(queries.len(), 1);
    queries[0].clone()
}

#[test]
fn each_change_has_its_parameters() {
    for (edit, expected) in [
        (
            edit().set(Field::Title, "A"),
            "title.value=A&title.locked=1",
        ),
        (
            edit().set(Field::Studio, ""),
            "studio.value=&studio.locked=1",
        ),
        (
            edit().release(Field::Tagline),
            "tagline.value=&tagline.locked=0",
        ),
        (edit().lock(Field::Summary), "summary.locked=1"),
        (edit().lock(TagKind::Actor), "actor.locked=1"),
        (
            edit().lock(ImageKind::Poster).lock(ImageKind::Background),
            "thumb.locked=1&art.locked=1",
        ),
        (
            edit().set(Field::Title, "A").lock(Field::Title),
            "title.value=A&title.locked=1",
        ),
        (
            edit().tags(
                TagKind::Actor,
                [Tag {
                    name: "Ann".into(),
                    role: "Bea & Cy".into(),
                }],
            ),
            "actor[0].tag.tag=Ann&actor[0].tagging.text=Bea%20%26%20Cy&actor.locked=1",
        ),
        (
            edit()
                .tags(TagKind::Label, ["x", "y"])
                .remove_tags(TagKind::Label, ["z", "ü"]),
            "label[].tag.tag-=z%2C%25C3%25BC&label[0].tag.tag=x&label[1].tag.tag=y&label.locked=1",
        ),
    ] {
        assert_eq!(one(&edit), format!("type=4&id=77&{expected}"));
    }
}

#[test]
fn an_empty_edit_has_no_request() {
    let nothing = edit().tags(TagKind::Genre, [""; 0]);
    assert!(nothing.is_empty());
    assert_eq!(nothing.queries(MAX_LINE), Ok(vec![]));
}

#[test]
fn a_long_summary_goes_alone_and_the_rest_together() {
    let summary = "ü".repeat(MAX_VALUE / 6);
    let edit = edit()
        .set(Field::Title, "A")
        .set(Field::Summary, &summary)
        .tags(TagKind::Genre, (0..40).map(|n| format!("genre number {n}")));
    let queries = edit.queries(MAX_LINE - 100).unwrap();
    assert_eq!(queries.len(), 2);
    assert!(queries[0].contains("title.value") && queries[0].contains("genre[39]"));
    assert!(decode(&queries[1]).contains(&("summary.value".into(), summary)));
}

#[test]
fn a_value_that_never_fits_is_named() {
    let long = edit().set(Field::Summary, "ü".repeat(2000));
    let expected = TooLong {
        name: "summary",
        bytes: 12_032,
        max: 7988,
    };
    assert_eq!(long.queries(MAX_LINE), Err(expected));
    let long = edit().remove_tags(TagKind::Genre, ["x".repeat(9000)]);
    assert_eq!(long.queries(MAX_LINE).unwrap_err().name, "genre");
}

#[test]
fn tags_that_do_not_fit_are_split_and_none_is_lost() {
    let names: Vec<String> = (0..100).map(|n| format!("タグ番号 {n}")).collect();
    let edit = edit()
        .tags(TagKind::Genre, names.clone())
        .remove_tags(TagKind::Genre, names.iter().map(|name| format!("-{name}")));
    let queries = edit.queries(2000).unwrap();
    assert!(queries.len() > 2);
    let mut added = vec![];
    for query in &queries {
        assert!(query.len() <= 2000);
        let pairs = decode(query);
        assert!(pairs.contains(&("genre.locked".into(), "1".into())));
        let tags = pairs.iter().filter(|(name, _)| name.ends_with("].tag.tag"));
        for (index, (name, tag)) in tags.enumerate() {
            assert_eq!(
                *name,
                format!("genre[{index}].tag.tag"),
                "indices start anew"
            );
            added.push(tag.clone());
        }
    }
    assert_eq!(added, names);
}

/// A Plex that replaces lists would keep only the last part of one.
#[test]
fn removals_do_not_tear_a_list_apart_that_fits() {
    let names = |letter: &str| {
        (0..15)
            .map(|n| format!("{}{n}", letter.repeat(100)))
            .collect()
    };
    let (new, old): (Vec<String>, Vec<String>) = (names("a"), names("b"));
    let edit = edit()
        .tags(TagKind::Genre, new.iter().map(String::as_str))
        .remove_tags(TagKind::Genre, old);
    let queries = edit.queries(2500).unwrap();
    let holds = |query: &String| new.iter().filter(|name| query.contains(*name)).count();
    assert_eq!(queries.iter().map(holds).collect::<Vec<_>>(), [0, 15]);
    assert!(queries[1].contains("genre[0]"));
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[^\0]{1,12}", 0..30)
}

proptest! {
    #[test]
    fn whatever_is_put_in_comes_out(
        values in prop::collection::btree_map(prop::sample::select(Field::ALL.to_vec()), ".{0,60}", 0..9),
        add in tags(),
        remove in tags(),
        max in 700usize..9000,
    ) {
        let mut edit = edit().tags(TagKind::Actor, add.clone()).remove_tags(TagKind::Collection, remove.clone());
        for (&field, value) in &values {
            edit = edit.set(field, value.clone());
        }
        let queries = edit.queries(max).unwrap();
        prop_assert_eq!(queries.is_empty(), edit.is_empty());

        let (mut seen, mut added, mut removed) = (BTreeMap::new(), vec![], vec![]);
        for query in &queries {
            prop_assert!(query.len() <= max);
            prop_assert!(query.starts_with("type=4&id=77&"));
            prop_assert!(query.is_ascii() && !query.contains(['#', '+', ' ']));
            for (name, value) in decode(query) {
                if name.ends_with("].tag.tag") {
                    added.push(value);
                } else if name.ends_with("].tag.tag-") {
                    // Plex splits at commas, then decodes once more.
                    removed.extend(value.split(',').map(|name| {
                        percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned()
                    }));
                } else if let Some(field) = name.strip_suffix(".value") {
                    prop_assert!(seen.insert(field.to_owned(), value).is_none());
                }
            }
        }
        let wanted: BTreeMap<String, String> =
            values.iter().map(|(field, value)| (field.name().to_owned(), value.clone())).collect();
        prop_assert_eq!(seen, wanted);
        prop_assert_eq!(added, add);
        prop_assert_eq!(removed, remove);
    }

    #[test]
    fn fit_is_the_longest_beginning(text in ".{0,40}", max in 0usize..200) {
        let encoded = |text: &str| {
            let query = edit().set(Field::Title, text).queries(MAX_LINE).unwrap().remove(0);
            query.len() - "type=4&id=77&title.value=&title.locked=1".len()
        };
        let fitting = fit(&text, max);
        prop_assert!(text.starts_with(fitting));
        prop_assert!(encoded(fitting) <= max);
        if let Some(next) = text[fitting.len()..].chars().next() {
            let longer = format!("{fitting}{next}");
            prop_assert!(encoded(&longer) > max);
        }
    }

    #[test]
    fn a_fitted_value_always_fits(text in "\\PC{0,3000}") {
        let path = 500;
        let edit = edit().set(Field::OriginallyAvailableAt, fit(&text, MAX_VALUE));
        prop_assert!(edit.queries(MAX_LINE - path - 100).is_ok());
    }
}
