//! What must hold for every scene, item and history.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::any::{folded, item, plex, policy, scene, texts, visible};
use common::{Collation, Mode, Plex, names, recorded};
use proptest::prelude::*;
use scene_sync::{Field, Item, LastWritten, Policy, Rating, Scene, Tag, TagKind, Wanted, plan};
use unicode_normalization::UnicodeNormalization;

/// Spellings of the same tag, class by class. Nothing of one class is the same to Plex as anything
/// of another, however widely it compares: `folding.rs` has those.
const CLASSES: [&[&str]; 6] = [
    &["Solo", "SOLO", "solo"],
    &["\u{c4}rger", "A\u{308}rger"],
    &["a, b", "A, B"],
    &["日本"],
    &["ΣΑΣ"],
    &["emoji 🎬"],
];

fn class(name: &str) -> usize {
    let position = CLASSES.iter().position(|class| class.contains(&name));
    position.unwrap()
}

fn classes(names: &[&str]) -> BTreeSet<usize> {
    names.iter().map(|name| class(name)).collect()
}

fn tag_name() -> impl Strategy<Value = &'static str> {
    let spellings: Vec<_> = CLASSES
        .iter()
        .flat_map(|class| class.iter().copied())
        .collect();
    proptest::sample::select(spellings)
}

fn tag_names() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(tag_name(), 0..6)
}

/// Tags as Plex could hold them: no two of a class.
fn held(names: &[&str]) -> Vec<Tag> {
    let mut seen = BTreeSet::new();
    let fresh = names.iter().filter(|name| seen.insert(class(name)));
    fresh.map(|name| Tag::from(*name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever the history, the item has what is wanted, lacks what Stash dropped, and keeps what
    /// is others'.
    #[test]
    fn tags_end_as_wanted_and_foreign_ones_stay(
        first in tag_names(), second in tag_names(), foreign in tag_names(), by_hand in tag_names(), plex in plex(),
    ) {
        let policy = Policy::default();
        let of = |tags: &[&str]| Scene {
            title: "t".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Scene::default()
        };
        let mut item = Item { key: "7".into(), genres: held(&foreign), ..Item::default() };
        let edit = plan(&of(&first), &item, None, &policy);
        plex.apply(&edit, &mut item);
        prop_assert_eq!(classes(&names(&item.genres)), &classes(&first) | &classes(&foreign));
        let last = recorded(&edit, None);

        // A person sets the list to something else.
        item.genres = held(&by_hand);
        let edit = plan(&of(&second), &item, Some(&last), &policy);
        plex.apply(&edit, &mut item);
        let sent = &classes(&first) - &classes(&foreign);
        let kept = &classes(&by_hand) - &sent;
        prop_assert_eq!(classes(&names(&item.genres)), &classes(&second) | &kept);
        prop_assert_eq!(edit.verify(&item), None);
    }

    /// With edits preserved no tag of a person is lost either, and none they took off comes back.
    #[test]
    fn preserved_tag_edits_stay(
        first in tag_names(), second in tag_names(), by_hand in tag_names(), plex in plex(),
    ) {
        let policy = Policy { preserve_plex_edits: true, ..Policy::default() };
        let of = |tags: &[&str]| Scene {
            title: "t".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Scene::default()
        };
        let mut item = Item { key: "7".into(), ..Item::default() };
        let edit = plan(&of(&first), &item, None, &policy);
        plex.apply(&edit, &mut item);
        let last = recorded(&edit, None);
        item.genres = held(&by_hand);
        let edit = plan(&of(&second), &item, Some(&last), &policy);
        plex.apply(&edit, &mut item);
        let (first, second, by_hand) = (classes(&first), classes(&second), classes(&by_hand));
        let result = classes(&names(&item.genres));
        prop_assert!((&by_hand - &first).is_subset(&result), "a person's tag was lost");
        let taken_off = &(&first - &by_hand) & &second;
        prop_assert!(result.is_disjoint(&taken_off), "a tag taken off by hand came back");
        prop_assert!((&second - &first).is_subset(&result), "a new tag of Stash's is missing");
        prop_assert!(result.is_disjoint(&(&first - &second)), "a tag dropped in Stash is still there");
    }

    /// Any text on both sides: after one sync the texts are the wanted ones, and a second sync
    /// writes nothing.
    #[test]
    fn applying_twice_changes_nothing(
        scene in scene(), mut item in item(), policy in policy(), plex in plex(),
    ) {
        let edit = plan(&scene, &item, None, &policy);
        let foreign = item.clone();
        plex.apply(&edit, &mut item);
        let Some(written) = edit.written.clone() else {
            prop_assert!(edit.is_empty());
            return Ok(());
        };
        let text = serde_json::to_string(&written).unwrap();
        prop_assert_eq!(&serde_json::from_str::<LastWritten>(&text).unwrap(), &written);
        let again = plan(&scene, &item, Some(&written), &policy);
        prop_assert!(again.is_empty(), "{again}");
        prop_assert_eq!(&again.written, &edit.written);
        if !policy.preserve_plex_edits {
            let wanted = Wanted::of(&scene, &policy);
            for (field, value) in wanted.fields.iter().filter(|(_, value)| !value.is_empty()) {
                prop_assert_eq!(visible(item.field(*field)), visible(value));
            }
        }
        // Never synced: whatever was there is somebody else's.
        let (names, foreign) = (names(&item.genres), common::names(&foreign.genres));
        prop_assert!(foreign.iter().all(|tag| names.contains(tag)));
    }

    /// A first sync, then any change of the scene, the item and the policy: the second sync still
    /// settles at once.
    #[test]
    fn any_second_sync_settles(
        first in scene(), second in scene(), item in item(), by_hand in item(), policy in policy(), plex in plex(),
    ) {
        let mut item = item;
        let edit = plan(&first, &item, None, &policy);
        plex.apply(&edit, &mut item);
        let edit = plan(&second, &by_hand, edit.written.as_ref(), &policy);
        let mut item = by_hand;
        plex.apply(&edit, &mut item);
        prop_assert_eq!(edit.verify(&item), None);
        if let Some(written) = &edit.written {
            let again = plan(&second, &item, Some(written), &policy);
            prop_assert!(again.is_empty(), "{again}");
        }
        // An empty title never clears.
        prop_assert!(edit.fields.iter().all(|edit| edit.field != Field::Title || !edit.to.is_empty()));
    }

    /// Any text and any history: what Stash has is there in the end, what it dropped is gone, and
    /// the stars are its own.
    #[test]
    fn plan_then_apply_is_what_was_wanted(
        first in scene(), second in scene(), item in item(), by_hand in item(), policy in policy(), plex in plex(),
    ) {
        let policy = Policy { preserve_plex_edits: false, ..policy };
        let mut item = item;
        let edit = plan(&first, &item, None, &policy);
        plex.apply(&edit, &mut item);
        let last = edit.written.unwrap_or_default();
        let mut item = by_hand.clone();
        let edit = plan(&second, &item, Some(&last), &policy);
        prop_assert!(!edit.is_seen_in(&item), "before it was sent: {edit}");
        plex.apply(&edit, &mut item);

        let wanted = Wanted::of(&second, &policy);
        for (field, value) in &wanted.fields {
            let ours = last.fields.get(field).is_some_and(|sent| *sent == by_hand.field(*field));
            let dropped = ours && *field != Field::Title;
            if !value.is_empty() || dropped {
                prop_assert_eq!(visible(item.field(*field)), visible(value));
            }
        }
        for (kind, wanted) in &wanted.tags {
            let shown: BTreeSet<_> = item.tags(*kind).iter().map(|tag| folded(&tag.name)).collect();
            let wanted: BTreeSet<_> = wanted.iter().map(|name| folded(name)).collect();
            prop_assert!(wanted.is_subset(&shown), "{wanted:?} {shown:?}");
            let narrow = |name: &str| name.nfc().collect::<String>().to_ascii_lowercase();
            let shown: BTreeSet<_> = item.tags(*kind).iter().map(|tag| narrow(&tag.name)).collect();
            let last: BTreeSet<_> = last.tags.get(kind).into_iter().flatten().map(|name| narrow(name)).collect();
            prop_assert!(shown.is_disjoint(&(&last - &wanted)), "{shown:?} {last:?}");
        }
        match wanted.rating {
            Some(Some(rating)) => prop_assert_eq!(item.rating.map(Rating::from_plex), Some(rating)),
            Some(None) if last.rating.is_some() && last.rating == by_hand.rating.map(Rating::from_plex) => {
                prop_assert_eq!(item.rating, None);
            }
            _ => {}
        }
    }

    /// Any names, any history, every mode and list: what never came from Stash is there in the end,
    /// as it was spelled.
    #[test]
    fn no_foreign_tag_is_ever_lost(
        first in scene(), second in scene(), item in item(), foreign in proptest::collection::vec(texts(), 0..4),
        policy in policy(), plex in plex(),
    ) {
        // No scene above has such names.
        let foreign: Vec<_> = foreign.iter().map(|name| Tag::from(format!("\u{10fffd}{name}").as_str())).collect();
        let mut item = item;
        let edit = plan(&first, &item, None, &policy);
        plex.apply(&edit, &mut item);
        for kind in TagKind::ALL {
            common::tags_mut(&mut item, kind).extend(foreign.iter().cloned());
        }
        let edit = plan(&second, &item, edit.written.as_ref(), &policy);
        plex.apply(&edit, &mut item);
        for kind in TagKind::ALL {
            let names = names(item.tags(kind));
            prop_assert!(foreign.iter().all(|tag| names.contains(&tag.name.as_str())), "{kind}: {names:?}");
        }
    }

    /// What is sent has no control characters and fits.
    #[test]
    fn what_is_sent_is_clean_and_fits(scene in scene(), policy in policy()) {
        let wanted = Wanted::of(&scene, &policy);
        for (field, value) in &wanted.fields {
            let limit = if *field == Field::Summary { 10_000 } else { 255 };
            prop_assert!(value.chars().count() <= limit);
            prop_assert_eq!(value.trim(), value);
            let breaks = |c: char| *field == Field::Summary && matches!(c, '\n' | '\t');
            prop_assert!(value.chars().all(|c| !c.is_control() || breaks(c)));
        }
        for (kind, names) in &wanted.tags {
            prop_assert!(*kind != TagKind::Genre || names.len() <= policy.max_tags);
            prop_assert!(names.iter().all(|name| !name.is_empty() && name.chars().all(|c| !c.is_control())));
        }
    }

    /// A Plex that honours only some removals of an edit: what stays is removed by the repair or
    /// the next sync, and never turns into somebody else's tag.
    #[test]
    fn removals_that_fail_are_tried_again(first in tag_names(), removals in 1usize..3) {
        let scene = |tags: &[&str]| Scene {
            title: "t".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Scene::default()
        };
        let plex = Plex { removals, ..Plex::new(Mode::Add, Collation::Ascii) };
        let policy = Policy::default();
        let mut item = Item { key: "7".into(), ..Item::default() };
        let edit = plan(&scene(&first), &item, None, &policy);
        plex.apply(&edit, &mut item);
        let mut last = recorded(&edit, None);
        for _ in 0..first.len() {
            let edit = plan(&scene(&[]), &item, Some(&last), &policy);
            prop_assert_eq!(edit.needs_readback(), !item.genres.is_empty());
            plex.apply(&edit, &mut item);
            last = edit.written_after(&item).unwrap();
        }
        prop_assert_eq!(&item.genres, &[]);
        prop_assert!(!last.tags.contains_key(&TagKind::Genre));
    }
}
