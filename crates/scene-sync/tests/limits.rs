//! What an item cannot hold, and what a request has no room for.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Plex, names, sync};
use proptest::prelude::*;
use scene_sync::{
    Field, Item, Note, Performer, Policy, Rating, Scene, Tag, TagKind, Unsupported, What,
    content_hash, plan,
};

fn scene() -> Scene {
    Scene {
        title: "Dawn".into(),
        tagline: "Early".into(),
        date: "someday".into(),
        rating100: Some(80),
        tags: vec!["Solo".into(), "Outdoor".into()],
        performers: vec![Performer::from("Ann")],
        ..Scene::default()
    }
}

fn rating() -> Policy {
    Policy {
        rating: true,
        ..Policy::default()
    }
}

#[test]
fn what_the_item_shows_nothing_of_is_told() {
    let item = Item {
        rating: Some(3.0),
        ..Item::default()
    };
    let edit = plan(&scene(), &item, None, &rating());
    assert_eq!(
        edit.names(),
        ["title", "tagline", "genre", "actor", "rating"]
    );
    assert_eq!(edit.sent(), edit.unshown(&item), "it took nothing");
    assert!(!edit.is_seen_in(&item));
    // Some of a list, or another text than before, is a sign that it can hold it.
    let some = Item {
        title: "Daw".into(),
        genres: vec![Tag::from("Solo")],
        rating: Some(8.0),
        ..item.clone()
    };
    let none = [What::Field(Field::Tagline), What::Tag(TagKind::Actor)];
    assert_eq!(edit.unshown(&some), none);
    assert!(edit.is_seen_in(&some));
    // What was cleared or removed shows nothing either way.
    let cleared = plan(
        &Scene {
            title: "x".into(),
            ..Scene::default()
        },
        &some,
        edit.written.as_ref(),
        &rating(),
    );
    let shown = cleared.unshown(&some);
    assert_eq!(shown, [What::Field(Field::Title)], "{cleared}");
    assert!(!cleared.is_seen_in(&some), "nor is that a sign of the rest");
}

#[test]
fn what_a_library_cannot_hold_is_neither_sent_nor_on_record() {
    let mut unsupported = Unsupported::default();
    for what in [
        What::Field(Field::Tagline),
        What::Field(Field::Date),
        What::Tag(TagKind::Actor),
        What::Rating,
    ] {
        unsupported.insert(what);
    }
    let held = Policy {
        unsupported,
        ..rating()
    };
    assert_eq!(
        content_hash(&scene(), &held),
        content_hash(&scene(), &rating())
    );
    // Neither on a first sync nor after one that sent it.
    let before = plan(&scene(), &Item::default(), None, &rating()).written;
    assert_eq!(
        before.as_ref().unwrap().rating,
        Some(Rating::from_stash(80))
    );
    for last in [None, before] {
        let edit = plan(&scene(), &Item::default(), last.as_ref(), &held);
        assert_eq!(edit.names(), ["title", "genre"]);
        assert_eq!(edit.notes, [], "nothing about its date");
        let written = edit.written.unwrap();
        assert_eq!(written.fields.len() + written.tags.len(), 2);
        assert_eq!(written.rating, None);
        // Nor is what the item has of it cleared.
        let item = Item {
            title: "Dawn".into(),
            tagline: "Early".into(),
            rating: Some(8.0),
            actors: vec![Tag::from("Ann")],
            ..Item::default()
        };
        let nothing = Scene {
            title: "Dawn".into(),
            ..Scene::default()
        };
        let edit = plan(&nothing, &item, last.as_ref(), &held);
        assert!(edit.is_empty(), "{edit}");
    }
}

/// The bytes of a list in a request, as the client of Plex writes it.
fn request(kind: TagKind, tags: &[Tag]) -> usize {
    let encoded = |text: &str| -> usize {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        text.bytes()
            .map(|byte| if plain(&byte) { 1 } else { 3 })
            .sum()
    };
    let entry = |(index, tag): (usize, &Tag)| {
        let name = format!("&{}[{index}].tag.tag=", kind.plex_name()).len() + encoded(&tag.name);
        let role = |role: &String| {
            format!("&{}[{index}].tagging.text=", kind.plex_name()).len() + encoded(role)
        };
        name + tag.role.as_ref().map_or(0, role)
    };
    tags.iter().enumerate().map(entry).sum()
}

#[test]
fn names_without_room_are_left_out_and_told() {
    let policy = Policy {
        max_list_encoded: Some("&genre[0].tag.tag=Solo".len()),
        max_tags: 2,
        ..Policy::default()
    };
    let long = Scene {
        tags: ["Solo", "Outdoor", "Third"].map(String::from).to_vec(),
        ..scene()
    };
    let edit = plan(&long, &Item::default(), None, &policy);
    assert_eq!(edit.tags[0].add, ["Solo"]);
    let notes = &edit.notes;
    assert!(
        notes.contains(&Note::TooMany(TagKind::Genre, 2)),
        "{notes:?}"
    );
    let roomy = Policy {
        max_list_encoded: None,
        ..policy.clone()
    };
    assert_eq!(content_hash(&long, &policy), content_hash(&long, &roomy));
}

proptest! {
    /// A list never outgrows its request but by what others put there; it settles at once; and a
    /// list with room for all is whole.
    #[test]
    fn lists_fit(
        wanted in proptest::collection::vec("[a-eé]{1,4}", 0..8), next in proptest::collection::vec("[a-eé]{1,4}", 0..8),
        foreign in proptest::collection::btree_set("[a-hé]{1,4}", 0..4), role in proptest::option::of("[a-z]{1,5}"),
        room in 0..400_usize, preserve_plex_edits in any::<bool>(),
        plex in proptest::sample::select(Plex::ALL.to_vec()),
    ) {
        let policy = Policy { max_list_encoded: Some(room), preserve_plex_edits, ..Policy::default() };
        let foreign: Vec<_> = foreign.into_iter().map(|name| Tag { name, role: role.clone() }).collect();
        let mut item = Item { actors: foreign.clone(), ..Item::default() };
        let mut last = None;
        for performers in [wanted, next] {
            let performers: Vec<_> = performers.iter().map(|name| Performer::from(name.as_str())).collect();
            let scene = Scene { title: "t".into(), performers: performers.clone(), ..Scene::default() };
            let (edit, written) = sync(&scene, &mut item, last.as_ref(), &policy, plex);
            for edit in edit.tags {
                prop_assert!(request(edit.kind, &edit.target) <= room.max(request(edit.kind, &foreign)));
            }
            let again = plan(&scene, &item, written.as_ref(), &policy);
            prop_assert!(again.is_empty(), "{again}");
            prop_assert_eq!(&again.written, &written);
            let shown = names(&item.actors);
            prop_assert!(foreign.iter().all(|tag| shown.contains(&tag.name.as_str())));
            let left_out = edit.notes.iter().any(|note| matches!(note, Note::TooMany(..)));
            prop_assert_eq!(left_out, performers.iter().any(|one| !shown.contains(&one.name.as_str())));
            last = written;
        }
    }
}

#[test]
fn namesakes_are_told_apart() {
    let performer = |name: &str, disambiguation: &str| Performer {
        name: name.into(),
        disambiguation: disambiguation.into(),
    };
    let actors = |performers: &[Performer]| {
        let scene = Scene {
            performers: performers.to_vec(),
            ..scene()
        };
        let edit = plan(&scene, &Item::default(), None, &Policy::default());
        let actors = edit
            .tags
            .into_iter()
            .find(|edit| edit.kind == TagKind::Actor);
        (
            actors.unwrap().add,
            content_hash(&scene, &Policy::default()),
        )
    };
    let jane = [
        performer("Jane Doe", "Czech"),
        performer("jane doe", " US "),
        performer("Bo", "x"),
    ];
    assert_eq!(actors(&jane).0, ["Jane Doe (Czech)", "jane doe (US)", "Bo"]);
    // Alone, the words in brackets would only make another person of her.
    let (alone, hash) = actors(&jane[..1]);
    assert_eq!(alone, ["Jane Doe"]);
    assert_eq!(hash, actors(&[performer("Jane Doe", "")]).1);
    let unnamed = [performer("Jane Doe", ""), performer("Jane Doe", "Czech")];
    assert_eq!(actors(&unnamed).0, ["Jane Doe", "Jane Doe (Czech)"]);
    let same = [
        performer("Jane Doe", "Czech"),
        performer("Jane Doe", "czech"),
    ];
    assert_eq!(actors(&same).0, ["Jane Doe"]);
}

#[test]
fn notes_say_whether_something_is_missing() {
    let losses = [
        (
            Note::UnknownDate,
            "the date is not a calendar date and is skipped",
        ),
        (
            Note::PartialDate("2024".into()),
            "the date 2024 has no day and is skipped",
        ),
        (
            Note::Shortened(Field::Title),
            "the title is too long for Plex and is shortened",
        ),
        (
            Note::TooMany(TagKind::Genre, 1),
            "1 genre is over the limit and is left out",
        ),
        (
            Note::TooMany(TagKind::Actor, 3),
            "3 actors are over the limit and are left out",
        ),
    ];
    let remarks = [
        (
            Note::NoMetadata,
            "the scene has no metadata yet, so nothing is synced",
        ),
        (
            Note::EmptyTitle,
            "the scene has no title in Stash, so Plex keeps its own",
        ),
        (
            Note::KeptEdit("genre".into()),
            "the genre was changed in Plex and is kept",
        ),
    ];
    for (note, words) in losses {
        assert!(note.is_loss());
        assert_eq!(note.to_string(), words);
    }
    for (note, words) in remarks {
        assert!(!note.is_loss());
        assert_eq!(note.to_string(), words);
    }
}
