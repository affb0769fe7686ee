//! Which items hold a scene's files?
#![allow(clippy::unwrap_used)]

use scene_sync::SceneFile;
use scene_sync::matching::{Bound, Candidate, Evidence, Likeness, Reason, by_likeness, by_path};

fn file(path: &str) -> SceneFile {
    SceneFile {
        path: path.into(),
        ..SceneFile::default()
    }
}

fn sized(path: &str, size: u64) -> SceneFile {
    SceneFile {
        size: Some(size),
        ..file(path)
    }
}

fn lasting(path: &str, duration: f64) -> SceneFile {
    SceneFile {
        duration: Some(duration),
        ..file(path)
    }
}

fn held(item: &str, file: SceneFile) -> Candidate {
    Candidate {
        item: item.into(),
        path: file.path,
        size: file.size,
        duration: file.duration,
        trashed: false,
    }
}

fn trashed(item: &str, file: SceneFile) -> Candidate {
    Candidate {
        trashed: true,
        ..held(item, file)
    }
}

fn items(files: &[SceneFile], candidates: &[Candidate]) -> Vec<(String, usize, Evidence)> {
    let short = |bound: Bound| (bound.item, bound.file, bound.evidence);
    by_path(files, candidates).into_iter().map(short).collect()
}

fn path(item: &str, file: usize) -> (String, usize, Evidence) {
    (item.to_owned(), file, Evidence::Path)
}

fn alike(file: &SceneFile, candidates: &[Candidate]) -> Likeness {
    by_likeness(file, candidates, |_| false)
}

fn one(likeness: &Likeness) -> Option<(&str, Reason)> {
    match likeness {
        Likeness::One { item, reason, .. } => Some((item, *reason)),
        _ => None,
    }
}

#[test]
fn the_path_decides_whatever_else_agrees() {
    let candidates = [
        held("1", lasting("/m/A/x.mp4", 60.0)),
        held("2", lasting("/m/B/x.mp4", 61.0)),
    ];
    assert_eq!(
        items(&[lasting("/m/B/x.mp4", 60.0)], &candidates),
        [path("2", 0)]
    );
    assert_eq!(items(&[lasting("/m/C/x.mp4", 60.0)], &candidates), []);
    // Encoded anew in its place: Plex shows the old size until it scans again.
    let file = SceneFile {
        size: Some(1),
        ..lasting("/m/A/x.mp4", 30.0)
    };
    assert_eq!(
        items(&[file], &[held("1", sized("/m/A/x.mp4", 2))]),
        [path("1", 0)]
    );
}

#[test]
fn every_item_with_a_file_of_the_scene_is_bound_once() {
    let candidates = [
        held("1", file("/m/A/x.mp4")),
        held("2", file("/m/A/x-2160p.mp4")),
        held("1", file("/m/A/x-2160p.mp4")),
        // The same file in another library.
        held("3", file("/m/A/x.mp4")),
        held("4", file("/m/other.mp4")),
    ];
    let files = [
        file("/m/A/x.mp4"),
        file("/m/A/x-2160p.mp4"),
        file("/m/gone.mp4"),
    ];
    assert_eq!(
        items(&files, &candidates),
        [path("1", 0), path("3", 0), path("2", 1)]
    );
    assert_eq!(items(&[], &candidates), []);
}

#[test]
fn windows_and_posix_meet() {
    let long = [held("1", file(r"\\?\D:\Films\A\x.mp4"))];
    assert_eq!(items(&[file("d:/films/a/X.mp4")], &long), [path("1", 0)]);
    let bound = by_path(&[file("d:/films/a/X.mp4")], &long).remove(0);
    assert_eq!(bound.path, r"\\?\D:\Films\A\x.mp4", "as Plex writes it");
}

#[test]
fn a_disk_that_ignores_case_is_told_by_the_size() {
    let renamed = SceneFile {
        duration: Some(60.0),
        ..sized("/m/A/Dawn.mp4", 100)
    };
    let but_case = vec![("1".to_owned(), 0, Evidence::PathButCase)];
    let find = |candidates: &[Candidate]| items(std::slice::from_ref(&renamed), candidates);
    let old_name = held("1", sized("/m/a/dawn.mp4", 100));
    assert_eq!(find(std::slice::from_ref(&old_name)), but_case);
    // Not known, other size, other duration, two of them, and one that has the very path.
    assert_eq!(find(&[held("1", file("/m/a/dawn.mp4"))]), []);
    assert_eq!(find(&[held("1", sized("/m/a/dawn.mp4", 99))]), []);
    let longer = SceneFile {
        duration: Some(120.0),
        ..sized("/m/a/dawn.mp4", 100)
    };
    assert_eq!(find(&[held("1", longer)]), []);
    let other = held("2", sized("/m/A/DAWN.mp4", 100));
    assert_eq!(find(&[old_name.clone(), other.clone()]), []);
    let very = held("3", file("/m/A/Dawn.mp4"));
    assert_eq!(find(&[old_name.clone(), very]), [path("3", 0)]);
    // One of the two is another file of the scene: its own.
    let files = [renamed.clone(), sized("/m/A/DAWN.mp4", 100)];
    let both = [old_name, other];
    assert_eq!(items(&files, &both), [but_case[0].clone(), path("2", 1)]);
}

#[test]
fn an_item_in_the_trash_counts_where_no_other_holds_the_file() {
    let dead = trashed("1", file("/m/x.mp4"));
    let living = held("2", file("/m/x.mp4"));
    let scene = [file("/m/x.mp4"), file("/m/y.mp4")];
    assert_eq!(items(&scene, &[dead.clone(), living]), [path("2", 0)]);
    assert_eq!(items(&scene, std::slice::from_ref(&dead)), [path("1", 0)]);
    let other_file = held("2", file("/m/y.mp4"));
    assert_eq!(
        items(&scene, &[dead, other_file]),
        [path("1", 0), path("2", 1)]
    );
    // Also for a name in other case.
    let scene = [sized("/m/X.mp4", 1)];
    let both = [
        trashed("1", sized("/m/x.mp4", 1)),
        held("2", sized("/M/x.mp4", 1)),
    ];
    assert_eq!(
        items(&scene, &both),
        [("2".to_owned(), 0, Evidence::PathButCase)]
    );
}

#[test]
fn likeness_needs_more_than_the_name() {
    let plex = |a: SceneFile, b: SceneFile| [held("1", a), held("2", b)];
    let flat = plex(sized("/m1/x.mp4", 100), sized("/m2/X.mp4", 200));
    let found = alike(&sized("/data/x.mp4", 200), &flat);
    assert_eq!(one(&found), Some(("2", Reason::SameNameAndSize)));
    let folders = plex(file("/m/A/x.mp4"), file("/m/B/x.mp4"));
    let found = alike(&file(r"D:\data\b\X.mp4"), &folders);
    assert_eq!(one(&found), Some(("2", Reason::SameNameAndFolder)));
    let durations = plex(lasting("/m1/x.mp4", 600.0), lasting("/m2/x.mp4", 1801.0));
    let found = alike(&lasting("/data/x.mp4", 1800.0), &durations);
    assert_eq!(one(&found), Some(("2", Reason::SameNameAndDuration)));

    // Copies: the folder tells which.
    let copies = plex(sized("/m/A/x.mp4", 100), sized("/m/B/x.mp4", 100));
    let found = alike(&sized("/data/B/x.mp4", 100), &copies);
    assert_eq!(one(&found), Some(("2", Reason::SameNameAndSize)));
    let several = alike(&sized("/data/C/x.mp4", 100), &copies);
    assert_eq!(
        several.to_string(),
        "several files in Plex fit this one equally well: /m/A/x.mp4 (item 1), /m/B/x.mp4 (item 2)"
    );
    let only = alike(&file("/data/C/x.mp4"), &copies);
    assert!(
        matches!(&only, Likeness::Several { candidates, reason: Reason::NameOnly } if candidates.len() == 2)
    );
    // Two files of one item are one item.
    let parts = [
        held("1", sized("/m/A/x.mp4", 100)),
        held("1", sized("/m/B/x.mp4", 100)),
    ];
    let found = alike(&sized("/data/C/x.mp4", 100), &parts);
    assert_eq!(one(&found), Some(("1", Reason::SameNameAndSize)));
}

#[test]
fn the_same_file_in_two_libraries_is_one_answer() {
    let twice = [
        held("1", sized(r"\\?\D:\m\x.mp4", 100)),
        held("2", sized("d:/M/x.mp4", 100)),
    ];
    let found = alike(&sized("/data/x.mp4", 100), &twice);
    let Likeness::One {
        item, path: theirs, ..
    } = &found
    else {
        unreachable!("{found}");
    };
    assert_eq!(item, "1");
    assert_eq!(items(&[file(theirs)], &twice), [path("1", 0), path("2", 0)]);
}

/// Two scenes of the same name, size or length in different folders were written to one item.
#[test]
fn a_contradiction_rules_out() {
    let others = Likeness::None {
        reason: Reason::OtherFiles,
    };
    let same_folder = [held(
        "1",
        SceneFile {
            duration: Some(60.0),
            ..sized("/m/A/x.mp4", 100)
        },
    )];
    let ours = |size, duration| SceneFile {
        path: "/data/A/x.mp4".into(),
        size: Some(size),
        duration: Some(duration),
    };
    assert_eq!(alike(&ours(101, 60.0), &same_folder), others);
    assert_eq!(alike(&ours(100, 120.0), &same_folder), others);
    assert_eq!(
        one(&alike(&ours(100, 61.9), &same_folder)),
        Some(("1", Reason::SameNameAndSize))
    );
    let taken = by_likeness(&ours(100, 60.0), &same_folder, |item| item == "1");
    assert_eq!(taken, others);
    let in_trash = [Candidate {
        trashed: true,
        ..same_folder[0].clone()
    }];
    let not_there = Likeness::None {
        reason: Reason::NotThere,
    };
    assert_eq!(alike(&ours(100, 60.0), &in_trash), not_there);
    assert_eq!(alike(&file("/data/y.mp4"), &same_folder), not_there);
    assert_eq!(
        alike(
            &file("/data/straße.mp4"),
            &[held("1", file("/m/strasse.mp4"))]
        ),
        not_there
    );
}

/// Rows of other versions have fewer columns or more.
#[test]
fn candidates_are_plain_data() {
    let old = r#"{"item":"1","path":"/x.mp4","size":null,"to come":1}"#;
    let candidate: Candidate = serde_json::from_str(old).unwrap();
    assert_eq!(candidate, held("1", file("/x.mp4")));
    let evidence = Evidence::Likeness(Reason::SameNameAndSize);
    let json = serde_json::to_string(&evidence).unwrap();
    assert_eq!(json, r#"{"likeness":"same_name_and_size"}"#);
    assert_eq!(serde_json::from_str::<Evidence>(&json).unwrap(), evidence);
}

/// A program that does not know a size may say 0.
#[test]
fn a_size_of_nothing_is_no_size() {
    let found = |size| {
        alike(
            &sized("/data/x.mp4", size),
            &[held("1", sized("/media/x.mp4", size))],
        )
    };
    assert_eq!(one(&found(7)), Some(("1", Reason::SameNameAndSize)));
    assert_eq!(one(&found(0)), None);
}
