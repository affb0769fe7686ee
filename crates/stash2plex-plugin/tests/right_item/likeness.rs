//! Without a path map that leads into a library, what agrees beyond the name decides, and what
//! contradicts vetoes.

use serde_json::json;
use simulators::SectionKind;
use sync_engine::storage::ledger;

use crate::{
    Installed, Way, add_same, add_scene, all_of, assert_at_rest, bare, each, installed, letters,
    said, set, shown, tried, work, worked_off, written,
};

/// No folder of a library covers what Stash tells.
fn unmapped() -> Installed {
    installed(json!({"path_map": ""}))
}

#[test]
fn same_name_and_size_are_enough_where_no_path_can_tell() {
    each(&Way::ALL, |way| {
        let plugin = unmapped();
        let section = plugin.world.section;
        let one = add_scene(&plugin, "/data/a/one.mp4", "One");
        let item = add_same(&plugin, section, one, "/media/scenes/x/one.mp4");
        way.go(&plugin);
        assert_eq!(shown(&plugin, item), all_of("One"), "{way:?}");
        let hints = ledger::path_hints(plugin.queue().sql()).unwrap();
        assert_eq!(hints, [("/data/a=>/media/scenes/x".to_owned(), 1)]);
        if way == Way::SyncAll {
            assert_at_rest(&plugin);
        }
    });
}

#[test]
fn a_size_or_duration_that_differs_rules_an_item_out() {
    let plugin = unmapped();
    let stash = &plugin.world.stash;
    let section = plugin.world.section;
    // In a folder of the same name, of the same duration, and longer.
    let sized = add_scene(&plugin, "/data/a/sized.mp4", "Sized");
    let other = add_same(&plugin, section, sized, "/media/scenes/a/sized.mp4");
    stash.change_silently(sized, |scene| scene.files[0].size += 1);
    let long = add_scene(&plugin, "/data/a/long.mp4", "Long");
    let short = add_same(&plugin, section, long, "/media/scenes/a/long.mp4");
    stash.change_silently(long, |scene| scene.files[0].duration *= 2.0);
    for mode in ["all", "reconcile_all", "reconcile_missing_metadata"] {
        assert_eq!(plugin.task(mode).error(), None);
        tried(&plugin);
    }
    assert_eq!(written(&plugin), [""; 0]);
    assert_eq!(shown(&plugin, other), bare("sized"));
    assert_eq!(shown(&plugin, short), bare("long"));
    for scene in [sized, long] {
        let said = said(&plugin, scene);
        let words = ". It has one of this name, /media/scenes/a/";
        assert!(said.iter().any(|line| line.contains(words)), "{said:?}");
    }
}

#[test]
fn an_item_of_another_scene_is_never_taken() {
    let plugin = unmapped();
    let section = plugin.world.section;
    let first = add_scene(&plugin, "/data/a/scene.mp4", "First");
    let item = add_same(&plugin, section, first, "/media/scenes/a/scene.mp4");
    plugin.save(first);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, item), all_of("First"));
    // The same name and size elsewhere.
    let second = add_scene(&plugin, "/data/b/scene.mp4", "Second");
    let known = plugin.world.stash.scene(first).unwrap().files[0].clone();
    plugin.world.stash.change_silently(second, |scene| {
        scene.files[0].size = known.size;
        scene.files[0].duration = known.duration;
    });
    plugin.world.plex.take_requests();
    plugin.save(second);
    tried(&plugin);
    assert_eq!(written(&plugin), [""; 0]);
    assert_eq!(shown(&plugin, item), all_of("First"));
}

/// A guess speaks for no rule of the path map: not when it is made, and not when it is on record.
#[test]
fn a_guess_suggests_nothing_however_often_it_is_looked_at() {
    let plugin = installed(json!({"path_map": "", "strict_matching": false}));
    let section = plugin.world.section;
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    for folder in ["x", "y"] {
        let file = format!("/media/scenes/{folder}/scene.mp4");
        add_same(&plugin, section, scene, &file);
    }
    plugin.save(scene);
    worked_off(&plugin);
    work(&plugin, "all");
    assert_eq!(written(&plugin).len(), 1, "{}", plugin.worker_log());
    assert_eq!(ledger::path_hints(plugin.queue().sql()).unwrap(), []);
    let told = plugin.task("compare_only").log_text();
    assert!(!told.contains("suggested"), "{told}");
}

#[test]
fn several_alike_are_set_aside_until_the_path_map_says_which() {
    let plugin = unmapped();
    let section = plugin.world.section;
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    let items = ["x", "y"].map(|folder| {
        let file = format!("/media/scenes/{folder}/scene.mp4");
        add_same(&plugin, section, scene, &file)
    });
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(letters(&plugin), ["LowConfidence".to_owned()].into());
    assert_eq!(written(&plugin), [""; 0]);
    set(&plugin, json!({"path_map": "/data/a=>/media/scenes/y"}));
    work(&plugin, "reconcile_all");
    assert_eq!(shown(&plugin, items[0]), bare("scene"));
    assert_eq!(shown(&plugin, items[1]), all_of("Scene"));
    assert_at_rest(&plugin);
}

/// A guess that a path map proves wrong is taken back: what was written goes, and the right item
/// gets it.
#[test]
fn a_path_map_that_comes_later_corrects_a_guess() {
    each(&Way::ALL, |way| {
        let plugin = unmapped();
        let section = plugin.world.section;
        let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
        let guess = add_same(&plugin, section, scene, "/media/scenes/other/scene.mp4");
        plugin.save(scene);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, guess), all_of("Scene"));
        let right = add_same(&plugin, section, scene, "/media/scenes/a/scene.mp4");
        set(&plugin, json!({}));
        way.go(&plugin);
        assert_eq!(shown(&plugin, right), all_of("Scene"), "{way:?}");
        // Whose it is now is not known; what was written waits for the scene that has the file.
        let owner = add_scene(&plugin, "/data/other/scene.mp4", "Owner");
        plugin.save(owner);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, guess), all_of("Owner"), "{way:?}");
        assert_eq!(shown(&plugin, right), all_of("Scene"), "{way:?}");
    });
}

/// Plex does not tell the folders of its libraries: then they may hold any path, and none is
/// guessed.
#[test]
fn libraries_without_folders_cover_everything() {
    let plugin = unmapped();
    plugin.world.plex.set(|plex| plex.tells_locations = false);
    plugin
        .world
        .plex
        .add_section("More", SectionKind::Movie, &["/data"]);
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    let item = add_same(
        &plugin,
        plugin.world.section,
        scene,
        "/media/scenes/a/scene.mp4",
    );
    plugin.save(scene);
    tried(&plugin);
    assert_eq!(written(&plugin), [""; 0]);
    assert_eq!(shown(&plugin, item), bare("scene"));
}
