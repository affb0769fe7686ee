//! Binding in made-up worlds: disks with copies, renames and rubbish, as Stash and as Plex see
//! them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use scene_sync::matching::{Bound, Candidate, Evidence, Likeness, Reason, by_likeness, by_path};
use scene_sync::{SceneFile, path};

/// Names that meet in case, in Unicode form or not at all.
const NAMES: [&str; 6] = [
    "x.mp4",
    "X.mp4",
    "\u{e9}.mp4",
    "e\u{301}.mp4",
    "strasse.mp4",
    "straße.mp4",
];

fn known<T: std::fmt::Debug + Clone + 'static>(values: Vec<T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.7, proptest::sample::select(values))
}

prop_compose! {
    fn file()(
        root in proptest::sample::select(vec!["/m", "/M", "D:", "//nas"]),
        folders in proptest::collection::vec(proptest::sample::select(vec!["a", "A", "b"]), 0..3),
        name in proptest::sample::select(NAMES.to_vec()),
        size in known(vec![100, 200]), duration in known(vec![60.0, 61.0, 120.0]),
    ) -> SceneFile {
        let folders: String = folders.iter().map(|folder| format!("/{folder}")).collect();
        SceneFile { path: format!("{root}{folders}/{name}"), size, duration }
    }
}

prop_compose! {
    fn candidate()(file in file(), item in 0..5_u8, trashed in proptest::bool::weighted(0.2)) -> Candidate {
        let item = item.to_string();
        Candidate { item, path: file.path, size: file.size, duration: file.duration, trashed }
    }
}

fn contradiction(file: &SceneFile, held: &Candidate) -> bool {
    let sizes = file.size.zip(held.size).is_some_and(|(a, b)| a != b);
    sizes
        || file
            .duration
            .zip(held.duration)
            .is_some_and(|(a, b)| (a - b).abs() > 2.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Every living item with a file of the very path is bound, and what else is bound has its
    /// reason.
    #[test]
    fn items_are_bound_by_their_files_alone(
        files in proptest::collection::vec(file(), 0..4), candidates in proptest::collection::vec(candidate(), 0..8),
    ) {
        let bound = by_path(&files, &candidates);
        let items: BTreeSet<_> = bound.iter().map(|bound| bound.item.as_str()).collect();
        prop_assert_eq!(items.len(), bound.len(), "an item once");
        prop_assert!(bound.is_sorted_by_key(|bound| bound.file));
        let holds = |held: &Candidate, key: &str| path::key(&held.path) == key;
        for file in &files {
            let key = path::key(&file.path);
            let mut living = candidates.iter().filter(|held| !held.trashed && holds(held, &key));
            prop_assert!(living.all(|held| items.contains(held.item.as_str())));
            let held_at_all = candidates.iter().any(|held| holds(held, &key));
            let bound_at_all = candidates.iter().any(|held| holds(held, &key) && items.contains(held.item.as_str()));
            prop_assert_eq!(held_at_all, bound_at_all);
        }
        for Bound { item, path: theirs, file, evidence } in &bound {
            let file = &files[*file];
            let same = |held: &&Candidate| held.item == *item && held.path == *theirs;
            let held: Vec<_> = candidates.iter().filter(same).collect();
            match evidence {
                Evidence::Path => {
                    prop_assert_eq!(path::key(theirs), path::key(&file.path));
                    let living = |held: &Candidate| !held.trashed && holds(held, &path::key(&file.path));
                    prop_assert!(held.iter().any(|held| !held.trashed) || !candidates.iter().any(living));
                }
                Evidence::PathButCase => {
                    prop_assert_eq!(path::loose_key(theirs), path::loose_key(&file.path));
                    prop_assert!(!candidates.iter().any(|held| holds(held, &path::key(&file.path))));
                    let agrees = |held: &&Candidate| {
                        file.size.is_some() && held.size == file.size && !contradiction(file, held)
                    };
                    prop_assert!(held.iter().any(agrees));
                }
                Evidence::Likeness(_) => prop_assert!(false, "by path"),
            }
        }
    }

    /// Whatever the world: no item is chosen against a contradiction, out of the trash, from
    /// another scene, or for its name alone; and of two that agree as well, none is.
    #[test]
    fn likeness_never_goes_against_what_is_known(
        file in file(), candidates in proptest::collection::vec(candidate(), 0..8), owned in 0..5_u8,
    ) {
        let owned = owned.to_string();
        let free = |held: &&Candidate| {
            path::name_key(&held.path) == path::name_key(&file.path)
                && !held.trashed && held.item != owned && !contradiction(&file, held)
        };
        let left: Vec<_> = candidates.iter().filter(free).collect();
        match by_likeness(&file, &candidates, |item| item == owned) {
            Likeness::One { item, path: theirs, reason } => {
                let folder = |path: &str| path::folder_of(path).map(path::name_key);
                let agrees = |held: &Candidate| match reason {
                    Reason::SameNameAndSize => held.size.is_some() && held.size == file.size,
                    Reason::SameNameAndDuration => held.duration.is_some() && file.duration.is_some(),
                    Reason::SameNameAndFolder => folder(&held.path) == folder(&file.path),
                    _ => false,
                };
                let chosen = |held: &Candidate| held.item == item && held.path == theirs;
                prop_assert!(left.iter().any(|held| chosen(held) && agrees(held)), "{item} {reason}");
                // One that agrees in all the same makes it a question for a person.
                let chosen = left.iter().filter(|held| chosen(held));
                let mut twins = candidates.clone();
                twins.extend(chosen.map(|held| Candidate {
                    item: "twin".into(), path: format!("/twin/{}", held.path), ..(*held).clone()
                }));
                let several = by_likeness(&file, &twins, |item| item == owned);
                let alike = matches!(&several, Likeness::Several { reason: Reason::SeveralAlike, .. });
                prop_assert!(alike, "{several}");
            }
            Likeness::Several { candidates: several, reason } => {
                prop_assert!(!several.is_empty());
                prop_assert!(several.iter().all(|held| left.contains(&held)));
                prop_assert!(matches!(reason, Reason::SeveralAlike | Reason::NameOnly));
            }
            Likeness::None { .. } => prop_assert!(left.is_empty()),
        }
    }
}
