//! Two living scenes whose files one item holds: 1080p and 4K, merged in Plex.

use serde_json::json;
use simulators::Trigger;

use crate::{
    Installed, Way, add_file, add_scene, all_of, assert_at_rest, each, installed, letters, said,
    shown, work, worked_off, written,
};

/// The scenes, of which the first was there first, and the item.
fn shared(plugin: &Installed) -> ([u64; 2], u64) {
    let scenes =
        ["First", "Second"].map(|name| add_scene(plugin, &format!("/data/a/{name}.mp4"), name));
    let items =
        ["First", "Second"].map(|name| add_file(plugin, &format!("/media/scenes/a/{name}.mp4")));
    plugin.save(scenes[0]);
    worked_off(plugin);
    plugin.world.plex.merge(items[0], &[items[1]]);
    plugin.world.plex.take_requests();
    plugin.save(scenes[1]);
    worked_off(plugin);
    assert_eq!(
        shown(plugin, items[0]),
        all_of("First"),
        "the first keeps it"
    );
    assert_eq!(written(plugin), [""; 0]);
    (scenes, items[0])
}

fn told(plugin: &Installed, scene: u64, owner: u64, item: u64) -> usize {
    let words = format!(
        " ({item}) holds a file of scene {owner} too, which was first, and shows that scene. To show both, split the item in \
         Plex (Split Apart); if it has one file only, correct Path map (path_map), which leads both scenes to it"
    );
    said(plugin, scene)
        .iter()
        .filter(|line| {
            line.starts_with("not written: the Plex item of /") && line.ends_with(&words)
        })
        .count()
}

#[test]
fn the_first_keeps_it_and_the_other_is_told_once() {
    let plugin = installed(json!({}));
    let ([first, second], item) = shared(&plugin);
    assert_eq!(told(&plugin, second, first, item), 1);
    assert_eq!(letters(&plugin), [].into());
    assert_at_rest(&plugin);
    for way in Way::ALL {
        plugin
            .world
            .stash
            .edit(second)
            .title(&format!("Changed {way:?}"));
        way.go(&plugin);
    }
    assert_eq!(shown(&plugin, item), all_of("First"));
    assert_eq!(told(&plugin, second, first, item), 1, "once");
    assert_eq!(letters(&plugin), [].into());
}

/// Both were synced before Plex merged them: the item that is left is its owner's.
#[test]
fn of_two_that_are_merged_in_plex_the_owner_of_the_item_keeps_it() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let scenes = ["First", "Second"]
            .map(|name| add_scene(&plugin, &format!("/data/a/{name}.mp4"), name));
        let items = ["First", "Second"]
            .map(|name| add_file(&plugin, &format!("/media/scenes/a/{name}.mp4")));
        work(&plugin, "all");
        plugin.world.plex.merge(items[1], &[items[0]]);
        way.go(&plugin);
        assert_eq!(shown(&plugin, items[1]), all_of("Second"), "{way:?}");
        assert_eq!(told(&plugin, scenes[0], scenes[1], items[1]), 1, "{way:?}");
        assert_eq!(letters(&plugin), [].into());
        if way == Way::ReconcileMissing {
            assert_at_rest(&plugin);
        }
    });
}

#[test]
fn the_other_is_written_when_the_owner_is_deleted() {
    let plugin = installed(json!({}));
    let ([first, _], item) = shared(&plugin);
    let gone = plugin.world.stash.destroy_scene(first).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    worked_off(&plugin);
    assert_eq!(shown(&plugin, item), all_of("Second"));
    assert_at_rest(&plugin);
}

/// No hook: the owner was merged away, or the hook was lost.
#[test]
fn the_other_is_written_when_the_owner_is_gone_without_a_word() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let ([first, _], item) = shared(&plugin);
        plugin.world.stash.destroy_scene(first).unwrap();
        way.go(&plugin);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, item), all_of("Second"), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
    });
}

/// The owner's file moves away: the item is the other's.
#[test]
fn the_other_is_written_when_the_owner_moves_away() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let ([_, _], item) = shared(&plugin);
        let plex = &plugin.world.plex;
        plugin
            .world
            .stash
            .scan_moved("/data/a/First.mp4", "/data/b/First.mp4")
            .unwrap();
        plex.move_file("/media/scenes/a/First.mp4", "/media/scenes/b/First.mp4");
        plex.scan(plugin.world.section);
        way.go(&plugin);
        worked_off(&plugin);
        let [new] = crate::holding(&plugin, "/media/scenes/b/First.mp4")[..] else {
            unreachable!()
        };
        assert_eq!(shown(&plugin, new), all_of("First"), "{way:?}");
        assert_eq!(shown(&plugin, item), all_of("Second"), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
    });
}
