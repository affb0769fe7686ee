//! Only what we sent is ever removed or cleared; and that is, once Stash drops it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Plex, names, sync};
use scene_sync::{Field, Item, LastWritten, Performer, Policy, Scene, Tag, plan};

/// What both servers have before the first sync, with somebody else's word in each place.
fn both() -> (Scene, Item) {
    let scene = Scene {
        title: "Dawn".into(),
        details: "A walk.".into(),
        tagline: "Early".into(),
        date: "2024-05-01".into(),
        studio: Some("North".into()),
        rating100: Some(80),
        performers: vec![Performer::from("Ann")],
        tags: vec!["Solo".into()],
        ..Scene::default()
    };
    let item = Item {
        title: "Dawn".into(),
        summary: "A walk.".into(),
        tagline: "Early".into(),
        studio: "North".into(),
        date: "2024-05-01".into(),
        rating: Some(8.0),
        actors: vec![Tag::from("ann")],
        genres: vec![Tag::from("Solo")],
        collections: vec![Tag::from("North")],
        ..Item::default()
    };
    (scene, item)
}

fn rating() -> Policy {
    Policy {
        rating: true,
        ..Policy::default()
    }
}

/// A scene that has nothing any more, but was synced.
fn dropped() -> Scene {
    Scene {
        title: "Dawn".into(),
        ..Scene::default()
    }
}

#[test]
fn what_plex_had_before_is_never_removed() {
    let (scene, mut item) = both();
    let had = item.clone();
    for plex in Plex::ALL {
        let (first, last) = sync(&scene, &mut item, None, &rating(), plex);
        assert!(first.is_empty(), "{first}");
        let last = last.unwrap();
        assert!(last.fields.is_empty() && last.tags.is_empty() && last.rating.is_none());
        let (second, last) = sync(&dropped(), &mut item, Some(&last), &rating(), plex);
        assert!(second.is_empty(), "{second}");
        assert_eq!(item, had);
        let left = last.unwrap().preexisting;
        assert_eq!(left.fields.keys().collect::<Vec<_>>(), [&Field::Title]);
        assert!(left.tags.is_empty() && left.rating.is_none());
    }
}

#[test]
fn what_we_sent_goes_and_what_stood_beside_it_stays() {
    let (scene, had) = both();
    for plex in Plex::ALL {
        let mut item = Item {
            genres: vec![Tag::from("Mine")],
            ..Item::default()
        };
        let (_, last) = sync(&scene, &mut item, None, &rating(), plex);
        assert_eq!((&item.summary, item.rating), (&had.summary, had.rating));
        let (_, _) = sync(&dropped(), &mut item, last.as_ref(), &rating(), plex);
        assert_eq!((item.summary.as_str(), item.rating), ("", None));
        assert_eq!(
            (names(&item.genres), names(&item.actors)),
            (vec!["Mine"], vec![])
        );
    }
}

/// Stash changed the value, or we put back a tag that a person removed: then it is ours.
#[test]
fn what_we_send_becomes_ours() {
    let (scene, mut item) = both();
    let plex = Plex::ALL[0];
    let (_, last) = sync(&scene, &mut item, None, &rating(), plex);
    let changed = Scene {
        details: "A long walk.".into(),
        rating100: Some(60),
        ..scene
    };
    item.genres.clear();
    let (_, last) = sync(&changed, &mut item, last.as_ref(), &rating(), plex);
    assert_eq!(
        (item.summary.as_str(), names(&item.genres)),
        ("A long walk.", vec!["Solo"])
    );
    let (edit, _) = sync(&dropped(), &mut item, last.as_ref(), &rating(), plex);
    assert_eq!(
        edit.to_string(),
        "clear summary (was \"A long walk.\")\nremove genre \"Solo\"\nremove the rating (was 6)\n"
    );
}

/// A value both sides had is the base that tells a person's later edit.
#[test]
fn preserved_edits_of_what_plex_had_stay() {
    let policy = Policy {
        preserve_plex_edits: true,
        ..rating()
    };
    let (scene, mut item) = both();
    let (_, last) = sync(&scene, &mut item, None, &policy, Plex::ALL[0]);
    item.summary = "Mine.".into();
    item.genres.clear();
    let changed = Scene {
        details: "A long walk.".into(),
        tagline: "Late".into(),
        ..scene
    };
    let (edit, last) = sync(&changed, &mut item, last.as_ref(), &policy, Plex::ALL[0]);
    assert_eq!(edit.names(), ["tagline"], "{edit}");
    let again = plan(&changed, &item, last.as_ref(), &policy);
    assert!(again.is_empty(), "{again}");
}

/// A person's text in the place of ours is theirs, whatever Stash drops.
#[test]
fn what_a_person_wrote_over_ours_is_not_cleared() {
    let (scene, _) = both();
    let mut item = Item::default();
    let (_, last) = sync(&scene, &mut item, None, &rating(), Plex::ALL[0]);
    item.summary = "Mine.".into();
    item.rating = Some(3.0);
    sync(
        &dropped(),
        &mut item,
        last.as_ref(),
        &rating(),
        Plex::ALL[0],
    );
    assert_eq!((item.summary.as_str(), item.rating), ("Mine.", Some(3.0)));
}

/// What Plex did not take was not sent, and what it has instead is not ours.
#[test]
fn what_plex_refused_is_not_on_record_as_ours() {
    let (scene, _) = both();
    let mut item = Item {
        summary: "The agent's.".into(),
        ..Item::default()
    };
    let edit = plan(&scene, &item, None, &rating());
    let last = edit.written_after(&item).unwrap();
    assert_eq!(last.content, "");
    assert!(last.fields.is_empty() && last.tags.is_empty() && last.rating.is_none());
    let (edit, _) = sync(&dropped(), &mut item, Some(&last), &rating(), Plex::ALL[0]);
    assert!(!edit.names().contains(&"summary".to_owned()), "{edit}");
    // Ours stays ours when its successor is refused.
    let mut item = Item::default();
    let (_, last) = sync(&scene, &mut item, None, &rating(), Plex::ALL[0]);
    let changed = Scene {
        details: "New.".into(),
        rating100: Some(20),
        ..scene
    };
    let refused = plan(&changed, &item, last.as_ref(), &rating());
    let last = refused.written_after(&item);
    let (edit, _) = sync(
        &dropped(),
        &mut item,
        last.as_ref(),
        &rating(),
        Plex::ALL[0],
    );
    assert!(edit.names().contains(&"summary".to_owned()), "{edit}");
    assert_eq!(item.rating, None);
}

/// A record of an earlier version says nothing of this: all of it counts as sent.
#[test]
fn an_earlier_record_is_all_ours() {
    let text = r#"{"item":"7","content":"x","fields":{"summary":"A walk."},"tags":{"genre":["Solo"]},"rating":80}"#;
    let last: LastWritten = serde_json::from_str(text).unwrap();
    let (_, item) = both();
    let edit = plan(&dropped(), &item, Some(&last), &rating());
    assert_eq!(edit.names(), ["summary", "genre", "rating"]);
}

#[test]
fn records_are_short() {
    let (scene, item) = both();
    let last = plan(&scene, &item, None, &rating()).written.unwrap();
    let text = serde_json::to_string(&LastWritten {
        content: "x".into(),
        ..last
    })
    .unwrap();
    assert_eq!(
        text,
        r#"{"content":"x","preexisting":{"fields":{"title":"Dawn","summary":"A walk.","tagline":"Early","studio":"North","date":"2024-05-01"},"tags":{"genre":["Solo"],"actor":["Ann"],"collection":["North"]},"rating":80}}"#
    );
}
