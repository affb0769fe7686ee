//! Which path map do the files of both servers speak for?
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use scene_sync::path::{covers, key};
use scene_sync::{Files, PathMap, Proposal, SceneFile};

fn file(path: &str, size: u64) -> SceneFile {
    SceneFile {
        path: path.to_owned(),
        size: Some(size),
        duration: None,
    }
}

/// Scenes with a file each, as both servers see it.
fn propose(files: &[(&str, &str)], current: &[(&str, &str)]) -> Proposal {
    let mut all = Files::default();
    for (n, (stash, plex)) in (1..).zip(files) {
        all.in_stash(n, &file(stash, n));
        all.in_plex(plex, Some(n));
    }
    all.propose(&owned(current))
}

fn owned(rules: &[(&str, &str)]) -> Vec<(String, String)> {
    let rules = rules.iter();
    rules
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

#[track_caller]
fn proposes(files: &[(&str, &str)], map: &[(&str, &str)]) {
    assert_eq!(propose(files, &[]).map(), owned(map));
}

#[test]
fn the_folders_in_which_the_paths_differ() {
    proposes(
        &[
            ("/data/a/x.mp4", "/media/a/x.mp4"),
            ("/data/b/y.mp4", "/media/b/y.mp4"),
        ],
        &[("/data", "/media")],
    );
    // One folder of Stash leads to two of Plex.
    proposes(
        &[
            ("/data/a/x.mp4", "/one/a/x.mp4"),
            ("/data/a/y.mp4", "/one/a/y.mp4"),
            ("/data/b/z.mp4", r"D:\two\b\z.mp4"),
        ],
        &[("/data", "/one"), ("/data/b", r"D:\two\b")],
    );
    proposes(
        &[(r"\\NAS\films\x.mp4", "/volume/films/x.mp4")],
        &[(r"\\NAS", "/volume")],
    );
    // Plex's host has no folder above the share.
    proposes(
        &[("/nas/films/x.mp4", "//nas/films/x.mp4")],
        &[("/nas", "//nas")],
    );
}

#[test]
fn a_file_that_is_right_stays_right() {
    let files = [
        ("/data/x.mp4", "/data/x.mp4"),
        ("/data/a/y.mp4", "/media/a/y.mp4"),
        ("/data/a/z.mp4", "/media/a/z.mp4"),
        ("/data/a/w.mp4", "/media/a/w.mp4"),
    ];
    let proposal = propose(&files, &[]);
    assert_eq!(proposal.map(), owned(&[("/data/a", "/media/a")]));
    assert_eq!((proposal.scenes, proposal.right, proposal.wrong), (4, 1, 0));
    let rule = &proposal.rules[0];
    assert_eq!((rule.scenes, rule.examples.len()), (3, 3));
    assert_eq!(
        rule.examples[0],
        ("/data/a/w.mp4".to_owned(), "/media/a/w.mp4".to_owned())
    );
}

#[test]
fn one_that_was_copied_elsewhere_does_not_count_against_many() {
    let files = [
        ("/data/x.mp4", "/elsewhere/x.mp4"),
        ("/data/a/y.mp4", "/media/a/y.mp4"),
        ("/data/b/z.mp4", "/media/b/z.mp4"),
        ("/data/c/w.mp4", "/media/c/w.mp4"),
    ];
    let proposal = propose(&files, &[]);
    assert_eq!(proposal.map(), owned(&[("/data", "/media")]));
    assert_eq!((proposal.right, proposal.wrong), (0, 1));
}

#[test]
fn what_agrees_needs_nothing() {
    let same = [("/data/x.mp4", "/data/x.mp4")];
    let proposal = propose(&same, &[]);
    assert!(proposal.agrees() && proposal.map().is_empty());
    let moved = [("/data/x.mp4", "/media/x.mp4")];
    assert!(propose(&moved, &[("/data", "/media")]).agrees());
    assert!(!propose(&moved, &[]).agrees());
    assert!(!propose(&[], &[]).agrees(), "nobody knows");
}

#[test]
fn a_map_in_force_is_completed_and_corrected() {
    let files = [
        ("/data/a/x.mp4", "/media/a/x.mp4"),
        ("/new/b/y.mp4", "/fresh/b/y.mp4"),
    ];
    let current = [
        ("/data", "/media"),
        ("/new", "/wrong"),
        ("/usb", "/volumes/usb"),
    ];
    let proposal = propose(&files, &current);
    let whole = owned(&[
        ("/data", "/media"),
        ("/new", "/fresh"),
        ("/usb", "/volumes/usb"),
    ]);
    assert_eq!(proposal.map(), whole);
    assert_eq!((proposal.right, proposal.wrong), (1, 0));
}

#[test]
fn a_name_that_is_not_the_only_one_speaks_for_nothing() {
    let mut files = Files::default();
    files.in_stash(1, &file("/data/a/x.mp4", 7));
    files.in_plex("/media/a/x.mp4", Some(7));
    // The same file, shown by another library.
    files.in_plex("/media//a/x.mp4", Some(7));
    files.in_stash(2, &file("/data/a/y.mp4", 8));
    files.in_stash(3, &file("/data/b/Y.mp4", 8));
    files.in_plex("/other/a/y.mp4", Some(8));
    files.in_stash(4, &file("/data/z.mp4", 9));
    files.in_plex("/other/z.mp4", Some(9));
    files.in_plex("/other/copy/z.mp4", Some(9));
    // Another size, none, and nothing.
    files.in_stash(5, &file("/data/w.mp4", 10));
    files.in_plex("/other/w.mp4", Some(11));
    files.in_plex("/other/w.mp4", None);
    files.in_stash(6, &file("/data/v.mp4", 0));
    files.in_plex("/other/v.mp4", Some(0));
    let proposal = files.propose(&[]);
    assert_eq!(proposal.map(), owned(&[("/data", "/media")]));
    assert_eq!((proposal.scenes, proposal.rules[0].scenes), (1, 1));
}

#[test]
fn what_nothing_speaks_for_more_than_against_is_not_proposed() {
    let each_in_its_own = [
        ("/data/x.mp4", "/media/X/x.mp4"),
        ("/data/y.mp4", "/media/Y/y.mp4"),
        ("/data/z.mp4", "/media/Z/z.mp4"),
    ];
    let proposal = propose(&each_in_its_own, &[]);
    assert!(proposal.map().is_empty());
    assert_eq!((proposal.scenes, proposal.wrong), (3, 3));
    assert!(!proposal.agrees());
    // What is right for one of them is no worse.
    let proposal = propose(&each_in_its_own, &[("/data", "/media/X")]);
    assert!(proposal.map().is_empty());
    assert_eq!((proposal.right, proposal.wrong), (1, 2));
}

/// A folder, from its root on.
fn folder(roots: &'static [&'static str]) -> impl Strategy<Value = String> {
    let names = proptest::collection::vec("[a-dé]{1,2}", 1..4);
    (proptest::sample::select(roots), names).prop_map(|(root, names)| {
        let separator = if root.contains('\\') { "\\" } else { "/" };
        format!("{root}{}", names.join(separator))
    })
}

const STASH: &[&str] = &["/", "/data/", "C:\\"];
const PLEX: &[&str] = &["/", "/media/", "D:\\", "\\\\nas\\"];

/// Files below folders, as Stash sees them: the folder, and the rest.
type Below = Vec<(usize, Vec<String>)>;

fn files() -> impl Strategy<Value = Below> {
    let rest = proptest::collection::vec("[a-c]{1,2}", 0..3);
    proptest::collection::vec((0_usize..4, rest), 1..40)
}

/// A file and the same one as Plex sees it, each with a name of its own.
fn placed(rules: &[(String, String)], below: &Below) -> Vec<(String, String)> {
    let map = PathMap::new(rules.iter().map(|(from, to)| (from.as_str(), to.as_str())));
    let map = map.unwrap();
    let files = below.iter().enumerate().map(|(n, (nth, folders))| {
        let from = &rules[nth % rules.len()].0;
        let separator = if from.contains('\\') { "\\" } else { "/" };
        let parts = folders.iter().cloned().chain([format!("{n}.mp4")]);
        let rest: Vec<_> = parts.collect();
        let path = format!("{from}{separator}{}", rest.join(separator));
        let there = map.map(&path);
        (path, there)
    });
    files.collect()
}

fn apart(rules: &[(String, String)]) -> bool {
    let pairs = rules.iter().enumerate();
    let mut others = pairs.flat_map(|(n, one)| rules.iter().skip(n + 1).map(move |two| (one, two)));
    others.all(|((one, _), (two, _))| !covers(one, two) && !covers(two, one))
}

fn of(files: &[(String, String)]) -> Files {
    let mut all = Files::default();
    for (n, (stash, plex)) in (1..).zip(files) {
        all.in_stash(n, &file(stash, n));
        all.in_plex(plex, Some(n));
    }
    all
}

/// Each rule of the map with how many of the files that it decides about it leads right, and how
/// many there are.
fn judged(proposal: &Proposal, files: &[(String, String)]) -> BTreeMap<String, (usize, usize)> {
    let whole = proposal.map();
    let map = PathMap::new(whole.iter().map(|(from, to)| (from.as_str(), to.as_str()))).unwrap();
    let mut judged = BTreeMap::new();
    for (stash, plex) in files {
        let fitting = whole.iter().filter(|(from, _)| covers(from, stash));
        let Some((from, _)) = fitting.max_by_key(|(from, _)| key(from).split('/').count()) else {
            continue;
        };
        let (right, all) = judged.entry(from.clone()).or_insert((0, 0));
        *all += 1;
        *right += usize::from(key(&map.map(stash)) == key(plex));
    }
    judged
}

proptest! {
    // Each case reads two libraries.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What a map made of the paths, it is read off them again: not its words, but where each file
    /// is.
    #[test]
    fn the_rules_of_any_map_are_found_again(
        rules in proptest::collection::vec((folder(STASH), folder(PLEX)), 1..4)
            .prop_filter("apart", |rules| apart(rules)),
        below in files(),
    ) {
        let files = placed(&rules, &below);
        let proposal = of(&files).propose(&[]);
        prop_assert_eq!(proposal.wrong, 0, "{:?}: {:?}", files, proposal);
        let is_needed = files.iter().any(|(stash, plex)| key(stash) != key(plex));
        prop_assert_eq!(proposal.agrees(), !is_needed);
        prop_assert_eq!(proposal.rules.is_empty(), !is_needed);
        // And then every path agrees.
        prop_assert!(of(&files).propose(&proposal.map()).agrees());
    }

    /// Whatever the files say, no rule is wrong for half of what it decides about, and the map is
    /// better than the one in force.
    #[test]
    fn no_rule_contradicts_a_majority(
        rules in proptest::collection::vec((folder(STASH), folder(PLEX)), 1..4),
        below in files(),
        others in proptest::collection::vec((folder(STASH), folder(PLEX)), 0..12),
    ) {
        let known: BTreeMap<_, _> = rules.into_iter().map(|(from, to)| (key(&from), (from, to))).collect();
        let rules: Vec<_> = known.into_values().collect();
        let mut files = placed(&rules, &below);
        files.extend((1000..).zip(others).map(|(n, (stash, plex))| {
            let end = |folder: &str| match folder.contains('\\') {
                true => format!("{folder}\\{n}.mp4"),
                false => format!("{folder}/{n}.mp4"),
            };
            (end(&stash), end(&plex))
        }));
        let proposal = of(&files).propose(&[]);
        for (from, (right, all)) in judged(&proposal, &files) {
            prop_assert!(2 * right > all, "{}: {} of {} in {:?}", from, right, all, files);
        }
        prop_assert!(proposal.wrong <= proposal.scenes - proposal.right);
        let stays = proposal.wrong == proposal.scenes - proposal.right;
        prop_assert_eq!(proposal.rules.is_empty(), stays);
    }
}
