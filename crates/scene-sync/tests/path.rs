//! When are two paths the same file, and what leads from one view of a disk to the other?
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use scene_sync::path::{covers, folder_of, key, loose_key, name_key, suggested_rule};
use scene_sync::{PathMap, PathMapError};

#[test]
fn the_same_file_however_it_is_written() {
    for (a, b) in [
        (r"\\?\D:\Films\A\x.mp4", "d:/films/a/X.MP4"),
        (r"\\?\UNC\nas\films\x.mp4", r"\\NAS\Films\x.mp4"),
        (r"\\?\unc\nas\films\x.mp4", "//nas/films/x.mp4"),
        ("//?/D:/x.mp4", r"D:\x.mp4"),
        (
            "/media/e\u{301}t\u{e9}/x.mp4",
            "/media/\u{e9}te\u{301}/x.mp4",
        ),
        ("/media//a/./x.mp4", "/media/a/x.mp4"),
        (r"D:\\a\.\x.mp4", r"D:\a\x.mp4"),
        (r"D:\ÉTÉ\x.mp4", r"D:\été\x.mp4"),
    ] {
        assert_eq!(key(a), key(b), "{a} {b}");
        assert_eq!(loose_key(a), loose_key(b), "{a} {b}");
    }
}

#[test]
fn other_files() {
    for (a, b) in [
        ("/media/X.mp4", "/media/x.mp4"),
        ("/media/a/x.mp4", "/media/b/x.mp4"),
        // A backslash is an ordinary character of a POSIX name.
        (r"/media/a\b.mp4", "/media/a/b.mp4"),
        ("/nas/films/x.mp4", r"\\nas\films\x.mp4"),
        (r"D:\x.mp4", r"E:\x.mp4"),
        (r"D:\x.mp4", r"D:\x .mp4"),
        // No file system takes these for one name.
        (r"D:\strasse.mp4", r"D:\straße.mp4"),
        ("/media/x.mp4", "media/x.mp4"),
    ] {
        assert_ne!(key(a), key(b), "{a} {b}");
    }
    assert_eq!(loose_key("/media/X.mp4"), loose_key("/MEDIA/x.mp4"));
    assert_ne!(loose_key("/m/strasse.mp4"), loose_key("/m/straße.mp4"));
}

#[test]
fn the_name_of_a_file() {
    assert_eq!(name_key(r"D:\data\a\x.MP4"), "x.mp4");
    assert_eq!(name_key("/a/E\u{301}.mp4"), "\u{e9}.mp4");
    assert_eq!(name_key("x.mp4"), "x.mp4");
    assert_eq!((name_key("/").as_str(), name_key("").as_str()), ("", ""));
}

#[test]
fn a_library_covers_what_is_below_its_folder() {
    for (folder, path) in [
        ("/media/films", "/media/films/a/x.mp4"),
        ("/media/films/", "/media/films/x.mp4"),
        ("/media/films", "/media/films"),
        ("/media/films", "/Media/Films/x.mp4"),
        ("/", "/x.mp4"),
        (r"d:\films", r"\\?\D:\Films\x.mp4"),
        (r"D:\", r"d:/x.mp4"),
        (r"\\nas\films", "//NAS/films/x.mp4"),
    ] {
        assert!(covers(folder, path), "{folder} {path}");
    }
    for (folder, path) in [
        ("/media/films", "/media/films2/x.mp4"),
        ("/media/films/a", "/media/films/x.mp4"),
        ("/", r"\\nas\films\x.mp4"),
        ("/nas", r"\\nas\films\x.mp4"),
        ("", "/x.mp4"),
        (r"D:\", r"E:\x.mp4"),
    ] {
        assert!(!covers(folder, path), "{folder} {path}");
    }
}

#[test]
fn a_rule_is_suggested_from_one_file() {
    let rule = |stash: &str, plex: &str| suggested_rule(stash, plex);
    let some = |stash: &str, plex: &str| Some((stash.to_owned(), plex.to_owned()));
    assert_eq!(
        rule("/in/stash/a/x.mp4", "/in/plex/a/x.mp4"),
        some("/in/stash", "/in/plex")
    );
    assert_eq!(
        rule("/data/A/x.mp4", r"\\?\D:\Films\a\X.mp4"),
        some("/data", r"D:\Films")
    );
    assert_eq!(
        rule(r"E:\a\x.mp4", "/media/a/x.mp4"),
        some(r"E:\", "/media")
    );
    assert_eq!(
        rule(r"\\nas\f\x.mp4", "//other/f/x.mp4"),
        some(r"\\nas", "//other")
    );
    // One side's folders are all the other's last ones.
    assert_eq!(rule("/a/x.mp4", "/media/a/x.mp4"), some("/", "/media"));
    assert_eq!(rule("/media/a/x.mp4", "/a/x.mp4"), some("/media", "/"));
    for (stash, plex) in [
        ("/a/x.mp4", "/a/x.mp4"),
        (r"D:\A\x.mp4", r"\\?\d:\a\X.mp4"),
        ("/a/x.mp4", "/a/y.mp4"),
        // For Plex these are two names.
        ("/a/x.mp4", "/b/X.mp4"),
        ("x.mp4", "/a/x.mp4"),
        ("", ""),
    ] {
        assert_eq!(rule(stash, plex), None, "{stash} {plex}");
    }
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
    for (rules, twice) in [
        ("/a=>/b; /a/ => /c", "/a/"),
        (r"D:\a=>/b; d:/A=>/c", "d:/A"),
    ] {
        assert_eq!(
            PathMap::parse(rules),
            Err(PathMapError::Twice(twice.into()))
        );
    }
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

/// A path of any kind, as one of the two servers may write it.
fn path() -> impl Strategy<Value = String> {
    let name = "[a-cA-Cé\u{301}ßs ]{1,3}";
    (
        proptest::sample::select(vec![
            "/",
            "D:\\",
            "d:/",
            "\\\\nas\\",
            "//NAS/",
            "\\\\?\\E:\\",
            "\\\\?\\UNC\\nas\\",
        ]),
        proptest::collection::vec(name, 1..4),
    )
        .prop_map(|(root, names)| {
            let separator = if root.contains('\\') { "\\" } else { "/" };
            format!("{root}{}", names.join(separator))
        })
}

proptest! {
    /// A suggested rule does what it says, whatever the two paths are.
    #[test]
    fn a_suggested_rule_leads_to_the_very_file(
        stash in path(), plex in path(), below in "(/[a-cé]{1,2}){0,2}/x\\.mp4",
    ) {
        let below_plex = if plex.contains('\\') { below.replace('/', "\\") } else { below.clone() };
        let below_stash = if stash.contains('\\') { below.replace('/', "\\") } else { below };
        let (stash, plex) = (stash + &below_stash, plex + &below_plex);
        let rule = suggested_rule(&stash, &plex);
        prop_assert_eq!(rule.is_none(), key(&stash) == key(&plex), "{:?} {:?}", stash, plex);
        if let Some((from, to)) = rule {
            let map = PathMap::new([(from.as_str(), to.as_str())]).unwrap();
            prop_assert_eq!(key(&map.map(&stash)), key(&plex), "{} => {}", from, to);
            prop_assert!(covers(&from, &stash) && covers(&to, &plex));
        }
    }

    /// The keys narrow down: the same file has the same loose key, and that the same name.
    #[test]
    fn keys_nest(a in path(), b in path(), text in ".{0,20}") {
        prop_assert_eq!(key(&key(&a)), key(&a));
        prop_assert_eq!(loose_key(&key(&a)), loose_key(&a));
        if key(&a) == key(&b) {
            prop_assert_eq!(loose_key(&a), loose_key(&b));
        }
        if loose_key(&a) == loose_key(&b) {
            prop_assert_eq!(name_key(&a), name_key(&b));
        }
        prop_assert!(folder_of(&text).is_none_or(|folder| text.starts_with(folder)));
        prop_assert!(folder_of(&a).is_none_or(|folder| covers(folder, &a)), "{a}");
        let _ = (key(&text), name_key(&text), covers(&text, &a), suggested_rule(&text, &a));
    }
}
