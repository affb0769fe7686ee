//! Which item is this scene?
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use scene_sync::matching::{Candidate, Reason, Verdict, find, name_key};
use scene_sync::{PathMap, PathMapError, SceneFile, folder_of};

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

fn in_plex(item: &str, path: &str) -> Candidate {
    Candidate {
        item: item.into(),
        path: path.into(),
        ..Candidate::default()
    }
}

fn in_plex_sized(item: &str, path: &str, size: u64) -> Candidate {
    Candidate {
        size: Some(size),
        ..in_plex(item, path)
    }
}

fn decide(file: &SceneFile, candidates: &[Candidate], map: &str) -> Verdict {
    find(
        std::slice::from_ref(file),
        candidates,
        &PathMap::parse(map).unwrap(),
        false,
    )
}

fn exact(verdict: &Verdict, wanted: &str) {
    assert!(
        matches!(verdict, Verdict::Exact { item, .. } if item == wanted),
        "{verdict}"
    );
}

fn likely(verdict: &Verdict, wanted: &str, because: Reason) {
    assert!(
        matches!(verdict, Verdict::Likely { item, reason } if item == wanted && *reason == because),
        "{verdict}"
    );
}

#[test]
fn the_full_path_decides_after_mapping() {
    let candidates = [
        in_plex("1", "/media/A/x.mp4"),
        in_plex("2", "/media/B/x.mp4"),
    ];
    exact(
        &decide(&file("/data/B/x.mp4"), &candidates, "/data=>/media"),
        "2",
    );
    exact(&decide(&file("/media/A/x.mp4"), &candidates, ""), "1");
}

#[test]
fn windows_and_posix_meet() {
    let long = [in_plex("1", r"\\?\D:\Films\A\x.mp4")];
    exact(
        &decide(&file("/data/a/X.mp4"), &long, r"/data=>d:\films"),
        "1",
    );
    let share = [in_plex("1", r"\\?\UNC\nas\films\x.mp4")];
    exact(&decide(&file(r"\\NAS\films\x.mp4"), &share, ""), "1");
    exact(
        &decide(&file("/data/x.mp4"), &share, r"/data => \\nas\films"),
        "1",
    );
    let posix = [in_plex("1", "/media/A/x.mp4")];
    exact(
        &decide(&file(r"E:\stash\A\x.mp4"), &posix, "E:/stash=>/media"),
        "1",
    );
    // A backslash is an ordinary character of a POSIX name.
    let odd = [in_plex("1", r"/media/a\b.mp4")];
    exact(&decide(&file(r"/media/a\b.mp4"), &odd, ""), "1");
    assert_eq!(decide(&file("/media/a/b.mp4"), &odd, "").item(), None);
}

#[test]
fn roots_are_told_apart() {
    let share = [in_plex("1", r"\\nas\films\x.mp4")];
    exact(&decide(&file("//NAS/films/X.mp4"), &share, ""), "1");
    likely(
        &decide(&file("/nas/films/x.mp4"), &share, ""),
        "1",
        Reason::SameNameAndFolder,
    );
    let drive = [in_plex("1", "D:/films/x.mp4")];
    exact(&decide(&file(r"d:\Films\X.mp4"), &drive, ""), "1");
    likely(
        &decide(&file(r"E:\films\x.mp4"), &drive, ""),
        "1",
        Reason::SameNameAndFolder,
    );
    // Without a root, a backslash alone says Windows.
    exact(
        &decide(&file(r"films\X.mp4"), &[in_plex("1", "FILMS/x.mp4")], ""),
        "1",
    );
    let relative = decide(&file("films/X.mp4"), &[in_plex("1", "FILMS/x.mp4")], "");
    assert_eq!(relative.item(), None);
}

#[test]
fn composed_and_decomposed_letters_are_the_same() {
    let candidates = [in_plex("1", "/media/e\u{301}t\u{e9}/x.mp4")];
    exact(
        &decide(&file("/media/\u{e9}te\u{301}/x.mp4"), &candidates, ""),
        "1",
    );
}

#[test]
fn case_counts_unless_told_otherwise() {
    let candidates = [in_plex("1", "/media/A/x.mp4")];
    let scene = [file("/media/a/X.MP4")];
    let map = PathMap::default();
    assert_eq!(find(&scene, &candidates, &map, false).item(), None);
    exact(&find(&scene, &candidates, &map, true), "1");
}

/// Fault 8 of the earlier plugin: scene 2 was written onto scene 1's item.
#[test]
fn the_same_name_in_two_folders_is_told_apart() {
    let both = [
        in_plex("1", "/media/A/x.mp4"),
        in_plex("2", "/media/B/x.mp4"),
    ];
    likely(
        &decide(&file("/data/B/x.mp4"), &both, ""),
        "2",
        Reason::SameNameAndFolder,
    );

    let other_only = [in_plex_sized("1", "/media/A/x.mp4", 100)];
    let verdict = decide(&sized("/data/B/x.mp4", 200), &other_only, "");
    assert_eq!(
        verdict,
        Verdict::None {
            reason: Reason::OtherFiles
        }
    );
    let verdict = decide(&file("/data/B/x.mp4"), &other_only, "");
    assert!(
        matches!(
            &verdict,
            Verdict::Ambiguous {
                reason: Reason::NameOnly,
                ..
            }
        ),
        "{verdict}"
    );
}

#[test]
fn the_size_tells_apart_what_folders_do_not() {
    let flat = [
        in_plex_sized("1", "/m1/x.mp4", 100),
        in_plex_sized("2", "/m2/x.mp4", 200),
    ];
    likely(
        &decide(&sized("/data/x.mp4", 200), &flat, ""),
        "2",
        Reason::SameNameAndSize,
    );
    let copies = [
        in_plex_sized("1", "/m/A/x.mp4", 100),
        in_plex_sized("2", "/m/B/x.mp4", 100),
    ];
    likely(
        &decide(&sized("/data/B/x.mp4", 100), &copies, ""),
        "2",
        Reason::SameNameAndSize,
    );
    let verdict = decide(&sized("/data/C/x.mp4", 100), &copies, "");
    let Verdict::Ambiguous { candidates, reason } = &verdict else {
        panic!("{verdict}");
    };
    assert_eq!((candidates.len(), *reason), (2, Reason::SeveralAlike));
}

#[test]
fn the_duration_tells_apart_what_size_does_not() {
    let with = |item: &str, path: &str, duration| Candidate {
        duration: Some(duration),
        ..in_plex(item, path)
    };
    let scene = SceneFile {
        duration: Some(1800.0),
        ..file("/data/x.mp4")
    };
    let flat = [
        with("1", "/m1/x.mp4", 600.0),
        with("2", "/m2/x.mp4", 1801.0),
    ];
    likely(&decide(&scene, &flat, ""), "2", Reason::SameNameAndDuration);
}

#[test]
fn a_file_encoded_anew_in_place_is_still_the_item() {
    let scene = SceneFile {
        duration: Some(60.0),
        ..sized("/data/A/x.mp4", 50)
    };
    let candidates = [Candidate {
        duration: Some(60.5),
        ..in_plex_sized("1", "/media/A/x.mp4", 100)
    }];
    likely(
        &decide(&scene, &candidates, ""),
        "1",
        Reason::SameNameAndFolder,
    );
}

#[test]
fn several_files_of_one_item_are_one_item() {
    let parts = [in_plex("1", "/m/A/x.mp4"), in_plex("1", "/m/B/x.mp4")];
    assert_eq!(decide(&file("/data/B/x.mp4"), &parts, "").item(), Some("1"));
    // The second file of a scene matches where the first does not.
    let files = [file("/data/gone.mp4"), file("/m/A/x.mp4")];
    exact(&find(&files, &parts, &PathMap::default(), false), "1");
}

/// The primary file's item stays unless another file says more.
#[test]
fn the_file_that_says_most_decides() {
    let plex = [
        in_plex("1", "/m/A/x.mp4"),
        in_plex("2", "/m/B/y.mp4"),
        in_plex("3", "/n/z.mp4"),
    ];
    let decide = |paths: &[&str]| {
        let files: Vec<_> = paths.iter().map(|path| file(path)).collect();
        find(&files, &plex, &PathMap::default(), false)
    };
    likely(
        &decide(&["/d/A/x.mp4", "/d/B/y.mp4"]),
        "1",
        Reason::SameNameAndFolder,
    );
    likely(
        &decide(&["/d/A/x.mp4", "/d/gone.mp4"]),
        "1",
        Reason::SameNameAndFolder,
    );
    likely(
        &decide(&["/d/z.mp4", "/d/B/y.mp4"]),
        "2",
        Reason::SameNameAndFolder,
    );
    exact(&decide(&["/d/A/x.mp4", "/m/B/y.mp4"]), "2");
}

#[test]
fn a_windows_path_on_one_side_ignores_case() {
    let plex = [in_plex("1", r"D:\films\A\X.mp4")];
    likely(
        &decide(&file("/data/a/x.MP4"), &plex, ""),
        "1",
        Reason::SameNameAndFolder,
    );
    let plex = [in_plex("1", "/films/A/X.mp4")];
    likely(
        &decide(&file(r"D:\data\a\x.MP4"), &plex, ""),
        "1",
        Reason::SameNameAndFolder,
    );
    assert_eq!(name_key(r"D:\data\a\x.MP4"), "x.mp4");
}

#[test]
fn the_same_file_in_two_libraries_is_ambiguous() {
    let twice = [in_plex("1", "/m/x.mp4"), in_plex("2", "/m/x.mp4")];
    let verdict = decide(&file("/m/x.mp4"), &twice, "");
    assert!(matches!(
        &verdict,
        Verdict::Ambiguous {
            reason: Reason::SeveralSamePath,
            ..
        }
    ));
    assert_eq!(
        verdict.to_string(),
        "cannot tell which item: several items hold this very file: Plex item 1 (/m/x.mp4), Plex item 2 (/m/x.mp4)"
    );
}

#[test]
fn nothing_is_said_plainly() {
    assert_eq!(
        decide(&file("/m/x.mp4"), &[in_plex("1", "/m/y.mp4")], ""),
        Verdict::None {
            reason: Reason::NotThere
        }
    );
    let no_file = find(&[], &[in_plex("1", "/m/y.mp4")], &PathMap::default(), false);
    assert_eq!(no_file.to_string(), "no item: the scene has no file");
    let json = serde_json::to_string(&no_file).unwrap();
    assert_eq!(json, r#"{"verdict":"none","reason":"no_file"}"#);
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), no_file);
}

#[test]
fn a_path_map_names_its_faults() {
    assert_eq!(
        PathMap::parse("/a -> /b"),
        Err(PathMapError::NoArrow("/a -> /b".into()))
    );
    assert_eq!(
        PathMap::parse("/a=>"),
        Err(PathMapError::OneSide("/a=>".into()))
    );
    assert_eq!(
        PathMap::parse("/a=>/b; /a/ => /c"),
        Err(PathMapError::Twice("/a/".into()))
    );
    assert_eq!(PathMap::parse(" ;\n "), Ok(PathMap::default()));
}

#[test]
fn a_path_map_handles_roots_and_ends() {
    let map = |rules: &str, path: &str| PathMap::parse(rules).unwrap().map(path);
    assert_eq!(map("/=>/mnt/stash", "/a/x.mp4"), "/mnt/stash/a/x.mp4");
    assert_eq!(map("/data=>/", "/data/a/x.mp4"), "/a/x.mp4");
    assert_eq!(map("/data/=>/media/", "/data/a/x.mp4"), "/media/a/x.mp4");
    assert_eq!(map("/data=>/media", "/data"), "/media");
    assert_eq!(map("/data=>/", "/data"), "/");
    assert_eq!(map(r"C:\s=>/media", r"c:/S/a\x.mp4"), "/media/a/x.mp4");
    assert_eq!(map(r"/data=>D:\", "/data/a/x.mp4"), r"D:\a\x.mp4");
    assert_eq!(map("/data=>D:/New", "/data/a/x.mp4"), "D:/New/a/x.mp4");
    assert_eq!(
        map(r"/data=>/odd\name", "/data/a/x.mp4"),
        r"/odd\name/a/x.mp4"
    );
    // What the rule keeps is kept as it is written.
    assert_eq!(
        map("/data=>/media", "/data/e\u{301}/x.mp4"),
        "/media/e\u{301}/x.mp4"
    );
}

#[test]
fn the_folder_is_the_one_of_the_other_machine() {
    assert_eq!(folder_of("/media/a/x.mp4"), Some("/media/a"));
    assert_eq!(folder_of("/x.mp4"), Some("/"));
    assert_eq!(folder_of(r"/media/a\b.mp4"), Some("/media"));
    assert_eq!(folder_of(r"D:\New\x.mp4"), Some(r"D:\New"));
    assert_eq!(folder_of(r"D:\x.mp4"), Some(r"D:\"));
    assert_eq!(folder_of("x.mp4"), None);
}

proptest! {
    /// A file at the mapped place is found, whatever it is called and whatever else is there.
    #[test]
    fn a_file_at_the_mapped_place_is_exact(
        folders in proptest::collection::vec("[^/\\\\;=\u{0}]{1,8}", 0..4), name in "[^/\\\\\u{0}]{1,12}",
        others in proptest::collection::vec("/other(/[a-c]{1,2}){1,3}", 0..5),
    ) {
        let dots = |part: &String| !part.chars().all(|c| c == '.');
        prop_assume!(folders.iter().chain([&name]).all(dots));
        let below: String = folders.iter().chain([&name]).map(|part| format!("/{part}")).collect();
        let mut candidates: Vec<_> = others.iter().map(|path| in_plex("other", path)).collect();
        candidates.push(in_plex("7", &format!("/media/plex{below}")));
        let verdict = decide(&file(&format!("/data/stash{below}")), &candidates, "/data/stash=>/media/plex");
        prop_assert_eq!(verdict, Verdict::Exact { item: "7".into(), reason: Reason::SamePath });
        prop_assert_eq!(name_key(&below), name_key(&format!("D:{}", below.replace('/', "\\"))));
    }

    /// Any text as path, rule or candidate: an answer, and every item named was a candidate whose key agrees.
    #[test]
    fn any_text_gets_an_answer(
        path in ".{0,20}", rules in ".{0,20}(=>.{0,9})?", candidates in proptest::collection::vec(".{0,20}", 0..4),
        ignore_case in any::<bool>(),
    ) {
        let map = PathMap::parse(&rules).unwrap_or_default();
        let candidates: Vec<_> = candidates.iter().map(|path| in_plex(path, path)).collect();
        let verdict = find(&[file(&path)], &candidates, &map, ignore_case);
        if let Some(item) = verdict.item() {
            prop_assert_eq!(name_key(item), name_key(&map.map(&path)));
        }
        prop_assert!(!verdict.to_string().is_empty());
        prop_assert!(folder_of(&path).is_none_or(|folder| path.starts_with(folder)));
    }
}
