//! Field × what happened in Stash × what happened in Plex × mode, each cell in both tag modes.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Plex, field_mut, recorded, tags_mut};
use scene_sync::{Field, Item, Performer, Policy, Rating, Scene, Tag, TagKind, plan};

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Text(Field),
    List(TagKind),
    Rating,
    Poster,
}

const WHATS: [What; 11] = [
    What::Text(Field::Title),
    What::Text(Field::Summary),
    What::Text(Field::Tagline),
    What::Text(Field::Studio),
    What::Text(Field::Date),
    What::Text(Field::ContentRating),
    What::List(TagKind::Genre),
    What::List(TagKind::Actor),
    What::List(TagKind::Collection),
    What::Rating,
    What::Poster,
];

/// What happened to the value in Stash since the last sync.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stash {
    /// It is there and was never synced.
    Set,
    /// It is another than the one last synced.
    Changed,
    /// It is gone.
    Cleared,
    /// It is the one last synced.
    Same,
    /// It was never there.
    Absent,
}

/// What happened to the value in Plex.
#[derive(Debug, Clone, Copy, PartialEq)]
enum InPlex {
    /// As the last sync, or the scanner, left it.
    Untouched,
    /// Changed, not locked: an agent, or a tool that does not lock.
    Edited,
    /// Changed and locked, as Plex's own editor does.
    Locked,
}

/// Whose value the item has in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Stash,
    Plex,
    Empty,
    /// Lists only: both values.
    Both,
}

const OLD: usize = 0;
const NEW: usize = 1;
const HAND: usize = 2;

/// The values of a field: the one synced before, Stash's newer one, a person's.
fn text(field: Field, which: usize) -> &'static str {
    match field {
        Field::Date => ["2020-01-01", "2021-02-03", "1999-12-31"][which],
        _ => ["Old", "New", "By hand"][which],
    }
}

const RATINGS: [u8; 3] = [40, 75, 90];

/// A policy that syncs only the one thing.
fn policy(what: What, preserve: bool) -> Policy {
    Policy {
        preserve_plex_edits: preserve,
        fields: Field::ALL
            .into_iter()
            .filter(|field| what == What::Text(*field))
            .collect(),
        performers: what == What::List(TagKind::Actor),
        tags: what == What::List(TagKind::Genre),
        collection: what == What::List(TagKind::Collection),
        rating: what == What::Rating,
        poster: what == What::Poster,
        background: false,
        ..Policy::default()
    }
}

/// The scene with that value of the thing, or without one. It always has other metadata.
fn scene(what: What, value: Option<usize>, policy: &mut Policy) -> Scene {
    let mut scene = Scene {
        // Not synced under these policies; only says that the scene has metadata.
        performers: vec![Performer::from("Someone")],
        ..Scene::default()
    };
    let text_of = |field| value.map(|which| text(field, which).to_owned());
    let list = || value.map(|which| ["Old", "New"][which].to_owned());
    match what {
        What::Text(Field::Title) => scene.title = text_of(Field::Title).unwrap_or_default(),
        What::Text(Field::Summary) => scene.details = text_of(Field::Summary).unwrap_or_default(),
        What::Text(Field::Tagline) => scene.tagline = text_of(Field::Tagline).unwrap_or_default(),
        What::Text(Field::Studio) => scene.studio = text_of(Field::Studio),
        What::Text(Field::Date) => scene.date = text_of(Field::Date).unwrap_or_default(),
        What::Text(Field::ContentRating) => {
            policy.content_rating = Some(text_of(Field::ContentRating).unwrap_or_default());
        }
        What::List(TagKind::Genre) => scene.tags = list().into_iter().collect(),
        What::List(TagKind::Actor) => {
            let name = list();
            scene.performers = name.as_deref().map(Performer::from).into_iter().collect();
            scene.details = "metadata".into();
        }
        What::List(TagKind::Collection) => scene.studio = list(),
        What::Rating => scene.rating100 = value.map(|which| RATINGS[which]),
        What::Poster => scene.cover = value.map(|which| format!("/cover?t={which}")),
    }
    scene
}

fn lock_name(what: What) -> Option<&'static str> {
    match what {
        What::Text(field) => Some(field.plex_name()),
        What::List(kind) => Some(kind.plex_name()),
        What::Poster => Some("thumb"),
        What::Rating => None,
    }
}

/// A person, or an agent, changes the thing in Plex: in a list our tag goes and another comes.
fn edit_by_hand(item: &mut Item, what: What) {
    match what {
        What::Text(field) => *field_mut(item, field) = text(field, HAND).into(),
        What::List(kind) => *tags_mut(item, kind) = vec![Tag::from("By hand")],
        What::Rating => item.rating = Some(Rating::from_stash(RATINGS[HAND]).to_plex()),
        What::Poster => item.poster = Some("by hand".into()),
    }
}

fn outcome(item: &Item, what: What) -> Outcome {
    match what {
        What::Text(field) => match item.field(field) {
            "" => Outcome::Empty,
            value if value == text(field, HAND) => Outcome::Plex,
            _ => Outcome::Stash,
        },
        What::List(kind) => {
            let names = common::names(item.tags(kind));
            match (names.contains(&"By hand"), names.len()) {
                (_, 0) => Outcome::Empty,
                (true, 1) => Outcome::Plex,
                (false, 1) => Outcome::Stash,
                (true, 2) => Outcome::Both,
                other => panic!("{other:?}: {names:?}"),
            }
        }
        What::Rating => match item.rating.map(Rating::from_plex) {
            None => Outcome::Empty,
            Some(rating) if rating == Rating::from_stash(RATINGS[HAND]) => Outcome::Plex,
            Some(_) => Outcome::Stash,
        },
        What::Poster => match item.poster.as_deref() {
            None => Outcome::Empty,
            Some("ours") => Outcome::Stash,
            Some(_) => Outcome::Plex,
        },
    }
}

/// The table.
fn expected(what: What, stash: Stash, plex: InPlex, preserve: bool) -> Outcome {
    let by_hand = plex != InPlex::Untouched;
    match (what, stash, plex) {
        // What Stash never had is Plex's.
        (_, Stash::Absent, InPlex::Untouched) => Outcome::Empty,
        (_, Stash::Absent, _) => Outcome::Plex,

        // A person's tag stays beside Stash's in every mode.
        (What::List(_), Stash::Set | Stash::Changed, _) if by_hand => Outcome::Both,
        (What::List(_), Stash::Cleared, _) if by_hand => Outcome::Plex,
        // Ours was taken off by hand: it comes back, unless such edits are preserved.
        (What::List(_), Stash::Same, _) if by_hand && preserve => Outcome::Plex,
        (What::List(_), Stash::Same, _) if by_hand => Outcome::Both,

        // An empty title never clears.
        (What::Text(Field::Title), Stash::Cleared, InPlex::Untouched) => Outcome::Stash,
        (What::Text(Field::Title), Stash::Cleared, _) => Outcome::Plex,
        // Without a cover there is nothing to put in the place of the old one.
        (What::Poster, Stash::Cleared, InPlex::Untouched) => Outcome::Stash,
        (What::Poster, Stash::Cleared, _) => Outcome::Plex,

        // Never synced and not locked: it may be the agent's, so it is nobody's edit.
        (What::Rating, Stash::Set, _) if by_hand && preserve => Outcome::Plex,
        (_, Stash::Set, InPlex::Edited) => Outcome::Stash,

        _ if by_hand && preserve => Outcome::Plex,
        // What a person put in the place of ours is not ours to clear.
        (_, Stash::Cleared, _) if by_hand => Outcome::Plex,
        (_, Stash::Cleared, _) => Outcome::Empty,
        _ => Outcome::Stash,
    }
}

#[test]
fn every_cell() {
    let mut cells = 0;
    for what in WHATS {
        for stash in [
            Stash::Set,
            Stash::Changed,
            Stash::Cleared,
            Stash::Same,
            Stash::Absent,
        ] {
            for in_plex in [InPlex::Untouched, InPlex::Edited, InPlex::Locked] {
                for preserve in [false, true] {
                    for plex in Plex::ALL {
                        cell(what, stash, in_plex, preserve, plex);
                        cells += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cells, 11 * 5 * 3 * 2 * 4);
}

fn cell(what: What, stash: Stash, in_plex: InPlex, preserve: bool, plex: Plex) {
    let name = format!("{what:?} {stash:?} {in_plex:?} preserve={preserve} {plex:?}");
    let mut policy = policy(what, preserve);
    let mut item = Item {
        key: "7".into(),
        ..Item::default()
    };

    let last = (!matches!(stash, Stash::Set | Stash::Absent)).then(|| {
        let before = scene(what, Some(OLD), &mut policy);
        let first = plan(&before, &item, None, &policy);
        assert!(!first.is_empty(), "{name}: the first sync writes");
        plex.apply(&first, &mut item);
        recorded(&first, before.cover.as_deref())
    });
    if in_plex != InPlex::Untouched {
        edit_by_hand(&mut item, what);
        if let Some(lock) = lock_name(what) {
            item.locked.remove(lock);
            if in_plex == InPlex::Locked {
                item.locked.insert(lock.into());
            }
        }
    }
    let value = match stash {
        Stash::Set | Stash::Changed => Some(NEW),
        Stash::Cleared | Stash::Absent => None,
        Stash::Same => Some(OLD),
    };
    let after = scene(what, value, &mut policy);

    let edit = plan(&after, &item, last.as_ref(), &policy);
    let before = item.clone();
    plex.apply(&edit, &mut item);
    assert_eq!(
        outcome(&item, what),
        expected(what, stash, in_plex, preserve),
        "{name}\n{edit}"
    );
    // A new cover shows at the same place as the old one.
    if what != What::Poster {
        assert_eq!(
            edit.is_empty(),
            item == before,
            "{name}: a write changes something"
        );
    }
    assert_eq!(edit.verify(&item), None, "{name}");

    let written = recorded(&edit, after.cover.as_deref());
    let again = plan(&after, &item, Some(&written), &policy);
    assert!(
        again.is_empty(),
        "{name}: a second sync writes again\n{again}"
    );
}
