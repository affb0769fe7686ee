//! Which names are the same tag: to Plex as its database says, and to a Plex that says otherwise.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Collation, Mode, Plex, names, sync};
use proptest::prelude::*;
use scene_sync::{Item, LastWritten, Policy, Scene, Tag, TagKind, Wanted, plan};
use unicode_normalization::UnicodeNormalization;

fn tagged(tags: &[&str]) -> Scene {
    Scene {
        title: "t".into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..Scene::default()
    }
}

fn with(genres: &[&str]) -> Item {
    Item {
        title: "t".into(),
        genres: genres.iter().map(|name| Tag::from(*name)).collect(),
        ..Item::default()
    }
}

const ASCII: Plex = Plex::new(Mode::Add, Collation::Ascii);

#[test]
fn only_ascii_letters_are_the_same_in_either_case() {
    let scene = tagged(&["Solo", "SOLO", "strasse", "straße", "É", "é"]);
    let wanted = Wanted::of(&scene, &Policy::default());
    let all = ["Solo", "strasse", "straße", "É", "é"];
    assert_eq!(wanted.tags[&TagKind::Genre], all);
    let mut item = with(&["solo", "strasse", "é"]);
    let (edit, written) = sync(&scene, &mut item, None, &Policy::default(), ASCII);
    assert_eq!(edit.tags[0].add, ["straße", "É"]);
    let again = plan(&scene, &item, written.as_ref(), &Policy::default());
    assert!(again.is_empty(), "{again}");
}

#[test]
fn names_are_sent_composed() {
    let scene = tagged(&["e\u{301}te\u{301}", "\u{e9}t\u{e9}"]);
    let edit = plan(&scene, &with(&[]), None, &Policy::default());
    assert_eq!(edit.tags[0].add, ["\u{e9}t\u{e9}"]);
    // A decomposed one in Plex is the same tag, and stays as it is.
    let edit = plan(
        &scene,
        &with(&["e\u{301}te\u{301}"]),
        None,
        &Policy::default(),
    );
    assert!(edit.is_empty(), "{edit}");
}

/// A record of a version that took the two for one tag.
#[test]
fn a_name_that_was_never_sent_is_sent() {
    let text = r#"{"content":"x","fields":{"title":"t"},"tags":{"genre":["strasse"]}}"#;
    let last: LastWritten = serde_json::from_str(text).unwrap();
    let scene = tagged(&["strasse", "straße"]);
    let edit = plan(&scene, &with(&["strasse"]), Some(&last), &Policy::default());
    assert_eq!(edit.tags[0].add, ["straße"]);
}

/// On a Plex that tells them apart, a person's removal of one is still seen.
#[test]
fn a_name_removed_beside_its_like_comes_back() {
    let scene = tagged(&["strasse", "straße"]);
    let mut item = with(&[]);
    let (_, last) = sync(&scene, &mut item, None, &Policy::default(), ASCII);
    assert!(last.as_ref().unwrap().folded.is_empty());
    item.genres.retain(|tag| tag.name != "straße");
    let edit = plan(&scene, &item, last.as_ref(), &Policy::default());
    assert_eq!(edit.tags[0].add, ["straße"]);
}

/// On one that does not, both are told once, and the record says what it makes of them.
#[test]
fn a_name_that_plex_takes_for_another_is_not_sent_for_ever() {
    let plex = Plex::new(Mode::Add, Collation::Full);
    let (scene, policy) = (tagged(&["strasse", "straße"]), Policy::default());
    let mut item = with(&[]);
    let (edit, last) = sync(&scene, &mut item, None, &policy, plex);
    assert_eq!(edit.tags[0].add.len(), 2);
    assert_eq!(names(&item.genres), ["strasse"]);
    let last = last.unwrap();
    assert_eq!(last.folded[&TagKind::Genre], ["straße"]);
    assert_ne!(last.content, "", "nothing is owed");
    assert!(plan(&scene, &item, Some(&last), &policy).is_empty());
    // The one that shows goes with the other, not before.
    let kept = plan(&tagged(&["strasse"]), &item, Some(&last), &policy);
    assert!(kept.is_empty(), "{kept}");
    let none = plan(&tagged(&[]), &item, Some(&last), &policy);
    assert_eq!(none.tags[0].remove, ["strasse"]);
}

/// Names that some collation takes for the same, and some that none does.
const NAMES: [&str; 12] = [
    "strasse", "straße", "STRASSE", "STRAßE", "É", "é", "E\u{301}", "ΣΑΣ", "σας", "ﬁ", "fi", "日本",
];

fn some_names() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(NAMES.to_vec(), 0..6).prop_shuffle()
}

fn plex() -> impl Strategy<Value = Plex> {
    let modes = proptest::sample::select(vec![Mode::Add, Mode::Replace]);
    let collations = [Collation::Ascii, Collation::Unicode, Collation::Full];
    (modes, proptest::sample::select(collations.to_vec()))
        .prop_map(|(mode, collation)| Plex::new(mode, collation))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// However a Plex compares names: after two syncs of a scene nothing is sent any more; what is
    /// wanted shows, in one spelling or another; what was dropped does not; and what others had is
    /// there.
    #[test]
    fn two_syncs_settle_with_any_collation(
        first in some_names(), second in some_names(), foreign in some_names(), plex in plex(),
        preserve_plex_edits in any::<bool>(),
    ) {
        let policy = Policy { preserve_plex_edits, ..Policy::default() };
        let mut item = with(&[]);
        for name in &foreign {
            if !item.genres.iter().any(|tag| plex.same(&tag.name, name)) {
                item.genres.push(Tag::from(*name));
            }
        }
        let foreign = item.genres.clone();
        let mut last = None;
        for tags in [&first, &second] {
            let scene = tagged(tags);
            for _ in 0..2 {
                (_, last) = sync(&scene, &mut item, last.as_ref(), &policy, plex);
            }
            let settled = plan(&scene, &item, last.as_ref(), &policy);
            prop_assert!(settled.is_empty(), "{settled} {last:?}");
            prop_assert_eq!(&settled.written, &last);
            // One that another tool wrote decomposed is the same tag to everybody who looks.
            let same = |tag: &Tag, name: &str| plex.same(&tag.name.nfc().collect::<String>(), name);
            let shown = |name: &str| item.genres.iter().any(|tag| same(tag, name));
            let composed: Vec<String> = Wanted::of(&scene, &policy).tags.remove(&TagKind::Genre).unwrap();
            prop_assert!(composed.iter().all(|name| shown(name)), "{:?}", item.genres);
            prop_assert!(foreign.iter().all(|tag| item.genres.contains(tag)), "{:?}", item.genres);
            for tag in &item.genres {
                let wanted = composed.iter().any(|name| same(tag, name));
                prop_assert!(wanted || foreign.contains(tag), "{tag:?} is left");
            }
        }
    }
}
