//! A scene in the terms of Plex: texts, dates, lists, fingerprint, words, gaps.
#![allow(clippy::unwrap_used)]

use scene_sync::drift::{self, Drift};
use scene_sync::{
    Field, Item, LastWritten, Note, PartialDates, Performer, Policy, Rating, Scene, Tag, TagKind,
    Wanted, content_hash, plan,
};

fn wanted(scene: &Scene) -> Wanted {
    Wanted::of(scene, &Policy::default())
}

fn titled(title: &str) -> Scene {
    Scene {
        title: title.into(),
        ..Scene::default()
    }
}

fn dated(date: &str) -> Scene {
    Scene {
        date: date.into(),
        ..titled("t")
    }
}

#[test]
fn text_is_cut_between_characters() {
    let title = wanted(&titled(&"🎬".repeat(300)));
    assert_eq!(title.fields[&Field::Title], "🎬".repeat(255));
    assert_eq!(title.notes, [Note::Shortened(Field::Title)]);
    // A plain letter takes one byte in a query, a CJK character nine.
    let details = |text: &str| Scene {
        details: text.into(),
        ..titled("t")
    };
    assert_eq!(
        wanted(&details(&"a".repeat(20_000))).fields[&Field::Summary].len(),
        7200
    );
    let cjk = wanted(&details(&"字".repeat(2000)));
    assert_eq!(cjk.fields[&Field::Summary].chars().count(), 800);
    let unlimited = Policy {
        max_encoded: usize::MAX,
        ..Policy::default()
    };
    let whole = Wanted::of(&details(&"字".repeat(20_000)), &unlimited);
    assert_eq!(whole.fields[&Field::Summary].chars().count(), 10_000);
    // A cut leaves no blank at the end.
    let spaced = format!("{} {}", "a".repeat(254), "b");
    assert_eq!(
        wanted(&titled(&spaced)).fields[&Field::Title],
        "a".repeat(254)
    );
}

#[test]
fn control_characters_go_and_line_breaks_stay_in_the_summary() {
    let scene = Scene {
        title: " A\u{0}B\r\nC\u{7f} ".into(),
        details: "one\r\ntwo\u{8}\rthree\tfour\n".into(),
        ..Scene::default()
    };
    let fields = wanted(&scene).fields;
    assert_eq!(fields[&Field::Title], "A B  C");
    assert_eq!(fields[&Field::Summary], "one\ntwo\nthree\tfour");
}

#[test]
fn dates_are_whole_or_completed_or_skipped() {
    let date = |text: &str| wanted(&dated(text)).fields.get(&Field::Date).cloned();
    assert_eq!(date("2024-02-29").as_deref(), Some("2024-02-29"));
    assert_eq!(date("2024-02").as_deref(), Some("2024-02-01"));
    assert_eq!(date("2024").as_deref(), Some("2024-01-01"));
    assert_eq!(date(" ").as_deref(), Some(""));
    for faulty in [
        "2023-02-29",
        "1900-02-29",
        "2024-13",
        "24-01-01",
        "2024-1-1",
        "2024-01-01-01",
        "soon",
        "0000",
        "2024-",
    ] {
        assert_eq!(date(faulty), None, "{faulty}");
        assert_eq!(
            wanted(&dated(faulty)).notes,
            [Note::UnknownDate],
            "{faulty}"
        );
    }
    let skipping = Policy {
        partial_dates: PartialDates::Skip,
        ..Policy::default()
    };
    let skipped = Wanted::of(&dated("2024-02"), &skipping);
    assert_eq!(skipped.notes, [Note::PartialDate("2024-02".into())]);
    assert!(!skipped.fields.contains_key(&Field::Date));
}

/// A faulty date is none of the scene's business: what was written stays.
#[test]
fn a_faulty_date_clears_nothing() {
    let item = Item {
        key: "7".into(),
        ..Item::default()
    };
    let first = plan(&dated("2024-02-03"), &item, None, &Policy::default());
    let item = Item {
        title: "t".into(),
        date: "2024-02-03".into(),
        ..item
    };
    let edit = plan(
        &dated("someday"),
        &item,
        first.written.as_ref(),
        &Policy::default(),
    );
    assert!(edit.is_empty(), "{edit}");
    assert_eq!(edit.written.unwrap().fields[&Field::Date], "2024-02-03");
}

#[test]
fn lists_are_limited_and_without_doubles() {
    let scene = Scene {
        tags: ["b", "B", " ", "a, b", "日本", "c"]
            .map(String::from)
            .to_vec(),
        ..titled("t")
    };
    let policy = Policy {
        max_tags: 3,
        ..Policy::default()
    };
    let wanted = Wanted::of(&scene, &policy);
    assert_eq!(wanted.tags[&TagKind::Genre], ["b", "a, b", "日本"]);
    assert_eq!(wanted.notes, [Note::TooMany(TagKind::Genre, 1)]);
}

#[test]
fn ratings_keep_their_tenths() {
    assert_eq!(Rating::from_stash(75).to_plex(), 7.5);
    assert_eq!(Rating::from_plex(7.5), Rating::from_stash(75));
    assert_eq!(Rating::from_plex(7.499_999), Rating::from_stash(75));
    assert_eq!(Rating::from_plex(f64::NAN), Rating::from_stash(0));
    assert_eq!(Rating::from_stash(75).to_string(), "7.5");
}

#[test]
fn the_hash_sees_every_wish_and_nothing_else() {
    let policy = Policy {
        rating: true,
        ..Policy::default()
    };
    let base = Scene {
        details: "d".into(),
        tagline: "l".into(),
        date: "2020-01-01".into(),
        rating100: Some(50),
        studio: Some("s".into()),
        performers: vec![Performer::from("p")],
        tags: vec!["g".into(), "h".into()],
        cover: Some("/1?t=1".into()),
        ..titled("t")
    };
    type Change = (&'static str, fn(&mut Scene));
    let changes: [Change; 9] = [
        ("title", |scene| scene.title.push('x')),
        ("details", |scene| scene.details.push('x')),
        ("tagline", |scene| scene.tagline.push('x')),
        ("date", |scene| scene.date = "2020-01-02".into()),
        ("rating", |scene| scene.rating100 = None),
        ("studio", |scene| scene.studio = None),
        ("performers", |scene| scene.performers = vec!["p2".into()]),
        ("tags", |scene| scene.tags = vec!["gh".into()]),
        ("cover", |scene| scene.cover = Some("/1?t=2".into())),
    ];
    let hash = content_hash(&base, &policy);
    assert_eq!(hash.len(), 32);
    for (what, change) in changes {
        let mut changed = base.clone();
        change(&mut changed);
        assert_ne!(content_hash(&changed, &policy), hash, "{what}");
    }
    let moved = Scene {
        files: vec![scene_sync::SceneFile::default()],
        ..base.clone()
    };
    assert_eq!(content_hash(&moved, &policy), hash);
    // Switched off means not looked at.
    let without = Policy {
        rating: false,
        ..policy.clone()
    };
    assert_ne!(content_hash(&base, &without), hash);
    // A stored fingerprint stays good: this value may change only with a reason.
    let known = content_hash(&titled("t"), &Policy::default());
    assert_eq!(known, "b660df8ee656cce4a48a4f4948f750ed");
}

#[test]
fn a_scene_without_metadata_waits_unless_it_was_synced() {
    let item = Item {
        key: "7".into(),
        summary: "s".into(),
        ..Item::default()
    };
    let policy = Policy::default();
    let blank = Scene {
        cover: Some("/1?t=1".into()),
        ..Scene::default()
    };
    let edit = plan(&blank, &item, None, &policy);
    assert!(edit.is_empty() && edit.written.is_none());
    assert_eq!(
        edit.to_string(),
        "nothing to change\nnote: the scene has no metadata yet, so nothing is synced\n"
    );
    let synced = LastWritten {
        fields: [(Field::Summary, "s".to_owned())].into(),
        ..LastWritten::default()
    };
    let edit = plan(&blank, &item, Some(&synced), &policy);
    assert_eq!(edit.fields[0].to, "");
}

#[test]
fn a_plan_reads_in_words() {
    let scene = Scene {
        details: "line one\nline two".into(),
        rating100: Some(80),
        performers: vec![Performer::from("Ann")],
        tags: vec!["New".into()],
        cover: Some("/1?t=1".into()),
        ..titled("Dawn")
    };
    let item = Item {
        key: "7".into(),
        title: "x".repeat(100),
        studio: "Old Studio".into(),
        genres: vec!["Old".into(), "Theirs".into()],
        ..Item::default()
    };
    let last = LastWritten {
        fields: [(Field::Studio, "Old Studio".to_owned())].into(),
        tags: [(TagKind::Genre, vec!["old".to_owned()])].into(),
        ..LastWritten::default()
    };
    let policy = Policy {
        rating: true,
        background: false,
        ..Policy::default()
    };
    let edit = plan(&scene, &item, Some(&last), &policy);
    let expected = format!(
        "set title to \"Dawn\" (was \"{}…\")\n\
         set summary to \"line one\\nline two\" (was empty)\n\
         clear studio (was \"Old Studio\")\n\
         add genre \"New\"\n\
         remove genre \"Old\"\n\
         add actor \"Ann\"\n\
         rate it 8 of 10 (was unrated)\n\
         make the cover the poster, unless it is\n",
        "x".repeat(60)
    );
    assert_eq!(edit.to_string(), expected);
    assert_eq!(edit.tags[0].target, [Tag::from("Theirs"), Tag::from("New")]);
}

/// In replacing mode the whole list is sent, so a person's role text must be in it.
#[test]
fn the_role_of_an_actor_is_sent_again() {
    let theirs = Tag {
        name: "Bo".into(),
        role: Some("Herself".into()),
    };
    let item = Item {
        key: "7".into(),
        actors: vec![theirs.clone()],
        ..Item::default()
    };
    let scene = Scene {
        performers: vec![Performer::from("Ann")],
        ..titled("t")
    };
    let edit = plan(&scene, &item, None, &Policy::default());
    let actors = edit
        .tags
        .iter()
        .find(|edit| edit.kind == TagKind::Actor)
        .unwrap();
    assert_eq!(actors.target, [theirs, Tag::from("Ann")]);
}

#[test]
fn a_gap_is_what_a_sync_would_write() {
    let policy = Policy::default();
    let scene = Scene {
        tags: ["a", "b", "c"].map(String::from).to_vec(),
        ..titled("Dawn")
    };
    let mut item = Item {
        title: "Dawn".into(),
        genres: ["a", "B", "c", "of Plex"].map(Tag::from).to_vec(),
        ..Item::default()
    };
    let find = |scene: &Scene, item: &Item, last: Option<&LastWritten>, policy: &Policy| {
        drift::find(scene, item, last, policy)
    };
    let none: [&str; 0] = [];
    assert_eq!(find(&scene, &item, None, &policy), none);
    assert_eq!(find(&Scene::default(), &item, None, &policy), none);
    let last = plan(&scene, &Item::default(), None, &policy)
        .written
        .unwrap();
    assert_eq!(find(&scene, &item, Some(&last), &policy), none);
    // One tag of three was taken away by hand; a foreign one is nobody's gap.
    item.genres.retain(|tag| tag.name != "B");
    assert_eq!(find(&scene, &item, Some(&last), &policy), ["genre"]);
    item.title = "refreshed".into();
    item.genres.clear();
    let names = find(&scene, &item, Some(&last), &policy);
    assert_eq!(
        Drift::ChangedInPlex(names).to_string(),
        "changed in Plex: title, genre"
    );
    let preserving = Policy {
        preserve_plex_edits: true,
        ..policy
    };
    assert_eq!(find(&scene, &item, Some(&last), &preserving), none);
}
