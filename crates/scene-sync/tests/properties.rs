//! What must hold for every scene, item and history.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{Collation, Mode, Plex, names, recorded};
use proptest::prelude::*;
use scene_sync::{
    EditPlan, Field, Item, LastWritten, Performer, Policy, Rating, Scene, Tag, TagKind, Wanted,
    plan,
};
use unicode_normalization::UnicodeNormalization;

/// Spellings of the same tag, class by class. Nothing of one class is the same to Plex as anything of
/// another, however widely it compares: `folding.rs` has those.
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

fn plex() -> impl Strategy<Value = Plex> {
    proptest::sample::select(Plex::ALL.to_vec())
}

/// Names that are the same to a Plex of any collation; the spelling of one in another Unicode form is the same, too.
fn folded(name: &str) -> String {
    let folded: String = name
        .nfd()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    folded.trim().to_owned()
}

/// Control characters show nowhere, so Plex's own are no difference.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != ' ')
        .collect()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]{1,3}",
        any::<String>(),
        "\\PC{0,40}",
        "[\u{0}-\u{20}]{0,5}x?",
    ]
}

prop_compose! {
    fn scene()(
        title in texts(), details in texts(), tagline in texts(), date in prop_oneof![
            Just(String::new()), "[0-9]{4}", "20[0-9]{2}-[01][0-9]-[0-3][0-9]", "20[0-9]{2}-[01][0-9]", any::<String>(),
        ],
        rating100 in any::<Option<u8>>(), studio in proptest::option::of(texts()),
        performers in proptest::collection::vec(texts(), 0..5), tags in proptest::collection::vec(texts(), 0..5),
    ) -> Scene {
        let performers = performers.iter().map(|name| Performer::from(name.as_str())).collect();
        Scene { title, details, tagline, date, rating100, studio, performers, tags, ..Scene::default() }
    }
}

prop_compose! {
    fn item()(
        title in texts(), summary in texts(), studio in texts(), date in texts(),
        rating in proptest::option::of(-1.0..11.0),
        genres in proptest::collection::vec(texts(), 0..5), actors in proptest::collection::vec(texts(), 0..5),
        locked in proptest::sample::subsequence(vec!["title", "summary", "studio", "genre"], 0..4),
    ) -> Item {
        let tags = |names: Vec<String>| names.iter().map(|name| Tag::from(name.as_str())).collect();
        Item {
            key: "7".into(), title, summary, studio, date, rating, genres: tags(genres), actors: tags(actors),
            locked: locked.into_iter().map(str::to_owned).collect(), ..Item::default()
        }
    }
}

prop_compose! {
    fn policy()(
        preserve_plex_edits in any::<bool>(), rating in any::<bool>(), tags in any::<bool>(), title in any::<bool>(),
        collection in any::<bool>(), max_tags in 0usize..4, content_rating in proptest::option::of(texts()),
    ) -> Policy {
        Policy { preserve_plex_edits, rating, tags, title, collection, max_tags, content_rating, ..Policy::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever the history, the item has what is wanted, lacks what Stash dropped, and keeps what is others'.
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

    /// Any text on both sides: after one sync the texts are the wanted ones, and a second sync writes nothing.
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

    /// A first sync, then any change of the scene, the item and the policy: the second sync still settles at once.
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

    /// Any text and any history: what Stash has is there in the end, what it dropped is gone, and the stars are its own.
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

    /// An edit that was cut off anywhere, its intent on record: what comes after ends as if it had been carried out.
    #[test]
    fn an_edit_cut_off_anywhere_is_known_for_ours(
        zeroth in scene(), first in scene(), second in scene(), item in item(), policy in policy(), plex in plex(),
        arrived in proptest::collection::vec(any::<bool>(), 16), before in any::<bool>(), twice in any::<bool>(),
        meanwhile in proptest::option::of(policy()),
    ) {
        let (mut item, mut last) = (item, None);
        if before {
            let edit = plan(&zeroth, &item, None, &policy);
            plex.apply(&edit, &mut item);
            last = edit.written;
        }
        let edit = plan(&first, &item, last.as_ref(), &policy);
        let mut whole = item.clone();
        plex.apply(&edit, &mut whole);
        // The settings may change for one sync, and change back.
        let for_a_while = |item: &mut Item, last: Option<LastWritten>| match &meanwhile {
            None => last,
            Some(policy) => {
                let edit = plan(&first, item, last.as_ref(), policy);
                plex.apply(&edit, item);
                edit.written.or(last)
            }
        };
        let recorded = for_a_while(&mut whole, edit.written.or(last.clone()));
        let whole_edit = plan(&second, &whole, recorded.as_ref(), &policy);
        plex.apply(&whole_edit, &mut whole);

        let mut cut = item.clone();
        for _ in 0..=usize::from(twice) {
            let mut edit = plan(&first, &cut, last.as_ref(), &policy);
            last = edit.intent(&cut, last.as_ref(), 0).or(edit.written.take()).or(last);
            let mut arrived = arrived.iter();
            let mut next = || *arrived.next().unwrap();
            edit.fields.retain(|_| next());
            edit.tags.retain(|_| next());
            edit.rating = edit.rating.filter(|_| next());
            plex.apply(&edit, &mut cut);
        }
        last = for_a_while(&mut cut, last);
        let edit = plan(&second, &cut, last.as_ref(), &policy);
        plex.apply(&edit, &mut cut);

        let wanted = Wanted::of(&second, &policy);
        for (field, wanted) in &wanted.fields {
            // What never arrived was never ours: without a wish for the field, it stays the item's own.
            let own = wanted.is_empty() && cut.field(*field) == item.field(*field);
            if !own {
                prop_assert_eq!(visible(cut.field(*field)), visible(whole.field(*field)), "{}", field);
            }
        }
        for kind in TagKind::ALL {
            let set = |item: &Item| item.tags(kind).iter().map(|tag| folded(&tag.name)).collect::<BTreeSet<_>>();
            prop_assert_eq!(set(&cut), set(&whole), "{}", kind);
        }
        if wanted.rating != Some(None) {
            prop_assert_eq!(cut.rating.map(Rating::from_plex), whole.rating.map(Rating::from_plex));
        }
    }

    /// An edit nobody waits for any more that Plex carries out before, between or after those that follow: the look after them
    /// ends as if it had never been sent.
    #[test]
    fn an_edit_that_comes_late_is_known_for_ours(
        zeroth in scene(), first in scene(), second in scene(), third in scene(), item in item(), policy in policy(),
        plex in plex(), first_comes in 0..4, second_comes in 1..4, before in any::<bool>(),
    ) {
        let (mut item, mut last) = (item, None);
        if before {
            let edit = plan(&zeroth, &item, None, &policy);
            plex.apply(&edit, &mut item);
            last = edit.written;
        }
        let mut never = item.clone();
        plex.apply(&plan(&third, &never, last.as_ref(), &policy), &mut never);

        let late_first = plan(&first, &item, last.as_ref(), &policy);
        last = late_first.intent(&item, last.as_ref(), 0).or(last);
        let comes = |when, what: &EditPlan, item: &mut Item| if when { plex.apply(what, item) };
        let mut shown = item.clone();
        comes(first_comes == 0, &late_first, &mut shown);
        let late_second = plan(&second, &shown, last.as_ref(), &policy);
        last = late_second.intent(&shown, last.as_ref(), 1).or(last);
        for step in 1..4 {
            // The last look is the one that comes when nothing comes any more.
            comes(first_comes == step, &late_first, &mut shown);
            comes(second_comes == step, &late_second, &mut shown);
            let edit = plan(&third, &shown, last.as_ref(), &policy);
            plex.apply(&edit, &mut shown);
            last = edit.written.or(last);
        }

        let wanted = Wanted::of(&third, &policy);
        for (field, wanted) in wanted.fields.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            // Once a version without it let go of what the item had of its own, that is a person's.
            let [shown, kept, own] = [&shown, &never, &item].map(|item| visible(item.field(*field)));
            prop_assert!(shown == visible(wanted) || shown == kept || shown == own, "{field}: {shown:?}");
        }
        for kind in wanted.tags.keys() {
            let set = |item: &Item| item.tags(*kind).iter().map(|tag| folded(&tag.name)).collect::<BTreeSet<_>>();
            let (shown, never) = (set(&shown), set(&never));
            prop_assert!(shown.is_subset(&never), "{kind}: of what came late {shown:?} is left, not {never:?}");
            // What the item had and a version of the scene too went with that version.
            let wishes = [&first, &second].map(|scene| Wanted::of(scene, &policy).tags.remove(kind));
            let wishes: BTreeSet<_> = wishes.iter().flatten().flatten().map(|name| folded(name)).collect();
            prop_assert!((&never - &shown).is_subset(&wishes), "{kind}: {shown:?} lacks some of {never:?}");
        }
        if let Some(Some(rating)) = wanted.rating {
            let [shown, kept, own] = [&shown, &never, &item].map(|item| item.rating.map(Rating::from_plex));
            prop_assert!(shown == Some(rating) || shown == kept || shown == own, "{shown:?}");
        }
    }

    /// Any names, any history, every mode and list: what never came from Stash is there in the end, as it was spelled.
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

    /// A Plex that honours only some removals of an edit: what stays is removed by the repair or the next sync,
    /// and never turns into somebody else's tag.
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
