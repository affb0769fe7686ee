//! Row 12: names that Plex's file filter does not find, whatever its temper. A miss of the filter
//! is a hint, not a proof.

use std::thread;

use simulators::{FileFilter, Part, Trigger};

use super::*;

const TEMPERS: [FileFilter; 6] = [
    FileFilter::Substring,
    FileFilter::Folded,
    FileFilter::BaseName,
    FileFilter::CommaIsOr,
    FileFilter::CommaFindsNothing,
    FileFilter::Ignored,
];

/// As Stash writes the file, as Plex does, and whether the sizes agree.
const FOUND: [(&str, &str, bool); 5] = [
    ("a/plain.mp4", "a/plain.mp4", false),
    ("b/Dawn, or dusk.mp4", "b/Dawn, or dusk.mp4", false),
    ("c/,.mp4", "c/,.mp4", false),
    // Composed and decomposed.
    (
        "d/caf\u{e9} \u{1e69}.mp4",
        "d/cafe\u{301} s\u{323}\u{307}.mp4",
        false,
    ),
    // The disk ignores case, as the size tells.
    ("e/Big Buck.mp4", "E/big buck.MP4", true),
];

/// Another file, on a disk where case counts.
const NOT_THERE: (&str, &str) = ("f/Sintel.mp4", "f/sintel.mp4");

#[test]
fn every_temper_of_the_file_filter_finds_every_name() {
    thread::scope(|scope| {
        for temper in TEMPERS {
            scope.spawn(move || finds(temper));
        }
    });
}

fn finds(temper: FileFilter) {
    let options = PlexOptions {
        file_filter: temper,
        ..PlexOptions::default()
    };
    let plugin = installed(0, options, json!({"not_found_base": 0.01}));
    let (plex, section) = (&plugin.world.plex, plugin.world.section);
    let mut found = Vec::new();
    for (ours, theirs, same) in FOUND {
        let scene = scene(&plugin, &format!("/data/{ours}"));
        let item = plex.add_file(section, &format!("/media/scenes/{theirs}"));
        if same {
            same_file(&plugin, scene, item);
        }
        found.push((scene, item));
    }
    let absent = scene(&plugin, &format!("/data/{}", NOT_THERE.0));
    let size = plugin.world.stash.scene(absent).unwrap().files[0].size;
    let other = plex.add_part(
        section,
        Part {
            file: format!("/media/scenes/{}", NOT_THERE.1),
            size: size + 1,
            duration: 60_000,
        },
    );

    work(&plugin, "all");
    for (scene, item) in &found {
        let wanted = plugin.world.stash.scene(*scene).unwrap().title;
        assert_eq!(
            title(&plugin, *item),
            wanted,
            "{temper:?}: {}",
            plugin.worker_log()
        );
        assert_eq!(
            tags(&plugin, *item, TagKind::Genre),
            set_of(&["Outdoor"]),
            "{temper:?}"
        );
    }
    // At the first look, not after some tries.
    for (scene, _) in &found {
        let missed = lines(&plugin, &format!("scene {scene}: not in Plex"));
        assert_eq!(missed, [""; 0], "{temper:?}");
    }
    assert_eq!(title(&plugin, other), "sintel", "{temper:?}");
    assert_eq!(
        dead(&plugin),
        [(absent, "NotInPlex".to_owned())],
        "{temper:?}"
    );
    let written = || {
        let items = plex.items();
        let written = items
            .iter()
            .filter(|item| item.title().starts_with("/data/"));
        written.count()
    };
    assert_eq!(written(), FOUND.len(), "{temper:?}");
    // The filter's answers did not cost the library again and again: it is listed once for each
    // worker.
    let requests = asked(&plugin);
    let listings = requests
        .iter()
        .filter(|one| one.query.contains("sort=title"));
    assert!(listings.count() <= 4, "{temper:?}: {}", told(&requests));

    // One name shared by 1,500 items, one of which is the next scene's.
    let shared: Vec<_> = (0..1500)
        .map(|folder| format!("/media/scenes/{folder}/scene.mp4"))
        .collect();
    let shared = plex.add_files(section, shared.iter().map(String::as_str));
    let one = scene(&plugin, "/data/777/scene.mp4");
    plugin.save(one);
    worked_off(&plugin);
    assert_eq!(
        title(&plugin, shared[777]),
        "/data/777/scene.mp4",
        "{temper:?}"
    );
    assert_eq!(written(), FOUND.len() + 1, "{temper:?}");

    // A second look finds them by what is on record.
    assert_eq!(plugin.task("clear_dlq").error(), None);
    let gone = plugin.world.stash.destroy_scene(absent).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    worked_off(&plugin);
    is_stable(&plugin);
    assert_eq!(dead(&plugin), []);
}
