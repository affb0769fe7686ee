//! Files that move or get another name, in both servers or in one first.

use serde_json::json;

use crate::{
    Installed, Way, add_file, add_scene, all_of, assert_at_rest, bare, each, holding, installed,
    letters, set_aside, shown, tried, work, worked_off,
};

/// A scene that is synced; its item.
fn synced(plugin: &Installed) -> (u64, u64) {
    let scene = add_scene(plugin, "/data/old/scene.mp4", "Scene");
    let item = add_file(plugin, "/media/scenes/old/scene.mp4");
    plugin.save(scene);
    worked_off(plugin);
    assert_eq!(shown(plugin, item), all_of("Scene"));
    (scene, item)
}

const FROM: &str = "/media/scenes/old/scene.mp4";
const TO: &str = "/media/scenes/new/scene.mp4";

/// Row 3: Plex makes a new item of the moved file and keeps the old one until its trash is emptied.
#[test]
fn a_moved_file_brings_everything_to_its_new_item() {
    for scanned_first in [true, false] {
        let plugin = installed(json!({}));
        let (scene, old) = synced(&plugin);
        let plex = &plugin.world.plex;
        plex.move_file(FROM, TO);
        if scanned_first {
            plex.scan(plugin.world.section);
        }
        let hook = plugin
            .world
            .stash
            .scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
        assert_eq!(plugin.run(&hook.unwrap()).error(), None);
        tried(&plugin);
        if !scanned_first {
            plex.scan(plugin.world.section);
            plugin.world.stash.edit(scene).date("2024-05-06");
            plugin.save(scene);
            worked_off(&plugin);
        }
        let [new] = holding(&plugin, TO)[..] else {
            unreachable!()
        };
        assert_ne!(new, old);
        assert!(plex.item(old).unwrap().deleted_at.is_some());
        assert_eq!(shown(&plugin, new), all_of("Scene"));
        assert_at_rest(&plugin);
        plex.empty_trash(plugin.world.section);
        assert_at_rest(&plugin);
        assert_eq!(letters(&plugin), [].into());
    }
}

/// The hook was lost, or Plex was late with its scan: whatever looks next finds the new item.
#[test]
fn a_move_that_nobody_told_of_is_found_by_whatever_looks() {
    each(&Way::WITH_PLAIN_SAVES, |way| {
        let plugin = installed(json!({}));
        let (_, old) = synced(&plugin);
        plugin.world.plex.move_file(FROM, TO);
        plugin.world.plex.scan(plugin.world.section);
        plugin
            .world
            .stash
            .scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
        way.go(&plugin);
        let new = holding(&plugin, TO)[0];
        assert_ne!(new, old);
        assert_eq!(shown(&plugin, new), all_of("Scene"), "{way:?}");
    });
}

/// A Plex that knows a moved file again keeps its item: nothing is written twice.
#[test]
fn a_moved_file_that_keeps_its_item_is_written_once() {
    each(&Way::WITH_PLAIN_SAVES, |way| {
        let plugin = installed(json!({}));
        let (_, item) = synced(&plugin);
        plugin.world.plex.set(|plex| plex.moves_keep_keys = true);
        plugin.world.plex.move_file(FROM, TO);
        plugin.world.plex.scan(plugin.world.section);
        let hook = plugin
            .world
            .stash
            .scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
        plugin.world.plex.take_requests();
        plugin.run(&hook.unwrap());
        worked_off(&plugin);
        assert_eq!(crate::written(&plugin), [""; 0]);
        way.go(&plugin);
        assert_eq!(holding(&plugin, TO), [item]);
        assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        if way == Way::ReconcileMissing {
            assert_at_rest(&plugin);
        }
    });
}

/// The old item's file was another scene's all along, or becomes one's: what we wrote there goes
/// with it.
#[test]
fn the_place_a_file_moved_away_from_is_free_for_another() {
    each(&Way::WITH_PLAIN_SAVES, |way| {
        let plugin = installed(json!({}));
        let (_, old) = synced(&plugin);
        plugin
            .world
            .stash
            .scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
        // On the disk another file has taken its place, and Plex keeps the item.
        plugin
            .world
            .plex
            .exchange_file(FROM, "/media/scenes/old/new.mp4");
        plugin
            .world
            .plex
            .rename_file("/media/scenes/old/new.mp4", FROM);
        let new = add_file(&plugin, TO);
        add_scene(&plugin, "/data/old/scene.mp4", "Other");
        way.go(&plugin);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, new), all_of("Scene"), "{way:?}");
        assert_eq!(shown(&plugin, old), all_of("Other"), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
    });
}

/// Row 4: the letter goes when the scene is synced and not before, and a save is what syncs it.
#[test]
fn a_save_syncs_a_renamed_scene_that_was_set_aside() {
    let plugin = installed(json!({}));
    let (scene, old) = synced(&plugin);
    let stash = &plugin.world.stash;
    let hook = stash.scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
    plugin.world.plex.delete_file(FROM);
    plugin.world.plex.scan(plugin.world.section);
    plugin.run(&hook.unwrap());
    tried(&plugin);
    set_aside(&plugin, scene);
    // A save before Plex has it asks, and leaves the letter.
    plugin.world.plex.take_requests();
    plugin.save(scene);
    tried(&plugin);
    assert!(!crate::asked(&plugin).is_empty());
    assert_eq!(letters(&plugin), ["NotInPlex".to_owned()].into());

    let new = add_file(&plugin, TO);
    assert_eq!(shown(&plugin, new), bare("scene"));
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, new), all_of("Scene"));
    assert_ne!(new, old);
    assert_eq!(letters(&plugin), [].into());
    assert_at_rest(&plugin);
}

/// The same by whatever else looks.
#[test]
fn a_scene_set_aside_is_synced_by_whatever_looks_once_plex_has_it() {
    each(&Way::WITH_PLAIN_SAVES, |way| {
        let plugin = installed(json!({}));
        let (scene, _) = synced(&plugin);
        plugin
            .world
            .stash
            .scan_moved("/data/old/scene.mp4", "/data/new/scene.mp4");
        plugin.world.plex.delete_file(FROM);
        plugin.world.plex.scan(plugin.world.section);
        set_aside(&plugin, scene);
        let new = add_file(&plugin, TO);
        way.go(&plugin);
        assert_eq!(shown(&plugin, new), all_of("Scene"), "{way:?}");
        assert_eq!(letters(&plugin), [].into(), "{way:?}");
    });
}

/// However often it is found unchanged.
#[test]
fn a_letter_outlives_a_save_that_asks_nothing() {
    let plugin = installed(json!({}));
    let (scene, _) = synced(&plugin);
    set_aside(&plugin, scene);
    plugin.world.plex.take_requests();
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(crate::asked(&plugin), [""; 0]);
    assert_eq!(letters(&plugin), ["NotInPlex".to_owned()].into());
    work(&plugin, "all");
    assert_eq!(letters(&plugin), [].into());
}
