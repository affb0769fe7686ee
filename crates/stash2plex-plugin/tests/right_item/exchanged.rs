//! Items that hold other files than when they were written: split, or with their file exchanged.

use serde_json::json;

use crate::{
    Installed, Way, add_file, add_scene, all_of, assert_at_rest, bare, each, installed, letters,
    shown, work, worked_off,
};

/// Scenes whose files one item holds, as Plex does with two versions of a film; the first is
/// synced, then the others.
fn merged(plugin: &Installed) -> ([u64; 2], u64) {
    let first = add_scene(plugin, "/data/a/film 1080p.mp4", "First");
    let item = add_file(plugin, "/media/scenes/a/film 1080p.mp4");
    plugin.save(first);
    worked_off(plugin);
    let second = add_scene(plugin, "/data/a/film 2160p.mp4", "Second");
    plugin
        .world
        .plex
        .add_version(item, "/media/scenes/a/film 2160p.mp4");
    ([first, second], item)
}

/// Row 5: an item was split. What it was written for one file, the other is without.
#[test]
fn both_files_of_a_split_item_are_found() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let ([_, second], item) = merged(&plugin);
        plugin.save(second);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, item), all_of("First"));
        let [kept, new] = plugin.world.plex.split(item)[..] else {
            unreachable!()
        };
        assert_eq!((kept, shown(&plugin, new)), (item, bare("film 2160p")));
        way.go(&plugin);
        assert_eq!(shown(&plugin, item), all_of("First"), "{way:?}");
        assert_eq!(shown(&plugin, new), all_of("Second"), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    });
}

/// The split gives the key to the other file: the item of the scene that owned it is the new one.
#[test]
fn a_split_that_leaves_the_key_to_the_other_file_is_followed() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let first = add_scene(&plugin, "/data/a/film 1080p.mp4", "First");
        let item = add_file(&plugin, "/media/scenes/a/film 2160p.mp4");
        plugin
            .world
            .plex
            .add_version(item, "/media/scenes/a/film 1080p.mp4");
        plugin.save(first);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, item), all_of("First"));
        let second = add_scene(&plugin, "/data/a/film 2160p.mp4", "Second");
        plugin.save(second);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, item), all_of("First"), "the first keeps it");
        let [_, new] = plugin.world.plex.split(item)[..] else {
            unreachable!()
        };
        way.go(&plugin);
        // The one is looked at after the other, or before.
        work(&plugin, "reconcile_all");
        assert_eq!(shown(&plugin, new), all_of("First"), "{way:?}");
        assert_eq!(shown(&plugin, item), all_of("Second"), "{way:?}");
    });
}

/// A split item of one scene with two files: both are the scene's.
#[test]
fn both_items_of_one_scene_are_written_after_a_split() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let scene = add_scene(&plugin, "/data/a/one.mp4", "Scene");
        let item = add_file(&plugin, "/media/scenes/a/one.mp4");
        plugin
            .world
            .plex
            .add_version(item, "/media/scenes/a/two.mp4");
        plugin.world.stash.scan_copy(scene, "/data/a/two.mp4");
        plugin.save(scene);
        worked_off(&plugin);
        let [_, new] = plugin.world.plex.split(item)[..] else {
            unreachable!()
        };
        way.go(&plugin);
        assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        assert_eq!(shown(&plugin, new), all_of("Scene"), "{way:?}");
        if way == Way::ReconcileMissing {
            assert_at_rest(&plugin);
        }
    });
}

/// Row 5: the item holds another file now, and the scene's file is another item's.
#[test]
fn an_exchanged_file_takes_the_scene_with_it() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
        let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
        plugin.save(scene);
        worked_off(&plugin);
        plugin
            .world
            .plex
            .exchange_file("/media/scenes/a/scene.mp4", "/media/scenes/a/other.mp4");
        let new = add_file(&plugin, "/media/scenes/a/scene.mp4");
        let other = add_scene(&plugin, "/data/a/other.mp4", "Other");
        way.go(&plugin);
        work(&plugin, "reconcile_all");
        assert_eq!(shown(&plugin, new), all_of("Scene"), "{way:?}");
        assert_eq!(shown(&plugin, item), all_of("Other"), "{way:?} {other}");
    });
}

/// Two items change their files: each scene finds its own, and nothing of the other stays.
#[test]
fn two_items_that_change_files_change_scenes() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let items = ["One", "Two"].map(|name| {
            let scene = add_scene(&plugin, &format!("/data/a/{name}.mp4"), name);
            let item = add_file(&plugin, &format!("/media/scenes/a/{name}.mp4"));
            plugin.save(scene);
            item
        });
        worked_off(&plugin);
        let plex = &plugin.world.plex;
        for (from, to) in [("One", "Three"), ("Two", "One"), ("Three", "Two")] {
            let [from, to] = [from, to].map(|name| format!("/media/scenes/a/{name}.mp4"));
            plex.exchange_file(&from, &to);
        }
        way.go(&plugin);
        assert_eq!(shown(&plugin, items[0]), all_of("Two"), "{way:?}");
        assert_eq!(shown(&plugin, items[1]), all_of("One"), "{way:?}");
        if way == Way::SyncAll {
            assert_at_rest(&plugin);
        }
    });
}
