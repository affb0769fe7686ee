//! Row 9: a scene that takes over an item takes over what was written to it.

use std::time::Duration;

use serde_json::json;
use simulators::{Fault, FileFilter, Rule, SectionKind, TagKind, Trigger};

use crate::{
    Shown, Way, add_file, add_scene, all_of, assert_at_rest, bare, each, fill, installed, letters,
    shown, work, worked_off,
};

/// Deleted in Stash and scanned again, the usual cure for wrong metadata: what we wrote for the old
/// scene goes.
#[test]
fn a_scene_that_is_scanned_again_takes_its_item_over() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({"sync_collection": true}));
        let old = add_scene(&plugin, "/data/a/scene.mp4", "Wrong");
        plugin.world.stash.edit(old).studio("Wrong studio");
        let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
        plugin.world.plex.add_tag(item, TagKind::Genre, "By hand");
        work(&plugin, "all");
        assert_eq!(shown(&plugin, item).genres, ["By hand", "Tag of Wrong"]);

        let (new, hooks) = plugin.world.stash.scan_again(old).unwrap();
        hooks.iter().for_each(|hook| drop(plugin.run(hook)));
        worked_off(&plugin);
        // A new scene knows nothing yet, and Stash is the master: what we wrote goes at once.
        let now = plugin.world.plex.item(item).unwrap();
        assert_eq!(
            now.tag_names(TagKind::Genre),
            ["By hand"],
            "{}",
            plugin.worker_log()
        );
        assert_eq!(now.tag_names(TagKind::Actor), [""; 0]);
        assert_eq!(now.tag_names(TagKind::Collection), [""; 0]);
        assert_eq!((now.field("summary"), now.field("studio")), ("", ""));

        fill(&plugin, new, "Right");
        way.go(&plugin);
        let mut shown = shown(&plugin, item);
        assert_eq!(shown.genres.remove(0), "By hand");
        assert_eq!(shown, all_of("Right"), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
        if way == Way::SyncAll {
            assert_at_rest(&plugin);
        }
    });
}

/// The hooks were lost, or came in the other order.
#[test]
fn it_does_so_however_it_is_heard_of() {
    for order in [&[][..], &[0], &[1], &[1, 0]] {
        each(&Way::ALL, |way| {
            let plugin = installed(json!({}));
            let old = add_scene(&plugin, "/data/a/scene.mp4", "Wrong");
            let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
            work(&plugin, "all");
            let (new, hooks) = plugin.world.stash.scan_again(old).unwrap();
            order.iter().for_each(|n| drop(plugin.run(&hooks[*n])));
            worked_off(&plugin);
            fill(&plugin, new, "Right");
            way.go(&plugin);
            assert_eq!(shown(&plugin, item), all_of("Right"), "{way:?} {order:?}");
            assert_eq!(letters(&plugin), [].into());
        });
    }
}

/// A scene that Stash forgets leaves Plex as it is; only who binds next changes it.
#[test]
fn a_deleted_scene_leaves_plex_as_it_is() {
    let plugin = installed(json!({}));
    let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
    let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
    work(&plugin, "all");
    let gone = plugin.world.stash.destroy_scene(scene).unwrap();
    plugin.hook(&Trigger::SceneDestroy(&gone));
    worked_off(&plugin);
    assert_eq!(shown(&plugin, item), all_of("Scene"));
    assert_at_rest(&plugin);
    assert_eq!(shown(&plugin, item), all_of("Scene"));
    // Its item goes from Plex, and its key may be another's one day: then nothing is inherited.
    plugin.world.plex.remove(item);
    work(&plugin, "reconcile_all");
    let queue = plugin.queue();
    let rows: i64 = queue
        .sql()
        .query_row("SELECT count(*) FROM plex_item", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
}

/// A merge of scenes tells nobody: the one that is left has both files, and what was written for
/// the other goes.
#[test]
fn a_scene_that_took_another_in_takes_its_item_too() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let [one, two] =
            ["One", "Two"].map(|name| add_scene(&plugin, &format!("/data/a/{name}.mp4"), name));
        let items =
            ["One", "Two"].map(|name| add_file(&plugin, &format!("/media/scenes/a/{name}.mp4")));
        work(&plugin, "all");
        plugin.world.stash.merge_scenes(one, &[two]);
        way.go(&plugin);
        for item in items {
            assert_eq!(shown(&plugin, item), all_of("One"), "{way:?}");
        }
        assert_eq!(letters(&plugin), [].into());
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    });
}

/// A new scene that nobody has given metadata yet, of which no hook told: what was written for the
/// old one goes all the same.
#[test]
fn a_bare_scene_takes_its_item_over_without_a_hook() {
    for way in [Way::SyncAll, Way::ReconcileAll, Way::ReconcileMissing] {
        let plugin = installed(json!({}));
        let old = add_scene(&plugin, "/data/a/scene.mp4", "Wrong");
        let item = add_file(&plugin, "/media/scenes/a/scene.mp4");
        work(&plugin, "all");
        plugin.world.stash.scan_again(old).unwrap();
        way.go(&plugin);
        let title = "Wrong".to_owned();
        let left = Shown { title, ..bare("") };
        assert_eq!(
            shown(&plugin, item),
            left,
            "{way:?}: Plex must have a title"
        );
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    }
}

/// The old scene is still being written when the new one looks at its items: what is on record by
/// the new one's turn came after that look, and only another look can tell what to take back.
#[test]
fn what_was_written_after_the_look_goes_too() {
    let plugin = installed(json!({"read_timeout": 1}));
    let plex = &plugin.world.plex;
    // What the filter does not find comes from a listing, with its details.
    plex.set(|plex| plex.file_filter = FileFilter::CommaFindsNothing);
    let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes/a"]);
    let old = add_scene(&plugin, "/data/a/a, scene.mp4", "Wrong");
    let file = "/media/scenes/a/a, scene.mp4";
    let items = [plugin.world.section, more].map(|section| plex.add_file(section, file));
    let slow = Fault::Slow(Duration::from_millis(500));
    plex.fail_when(Rule::new(slow).method("PUT"));
    plugin.save(old);
    plugin.until("the second item is being written", || {
        let requests = plex.requests();
        requests
            .iter()
            .filter(|request| request.method == "PUT")
            .count()
            == 2
    });
    let (_, hooks) = plugin.world.stash.scan_again(old).unwrap();
    hooks.iter().for_each(|hook| drop(plugin.run(hook)));
    worked_off(&plugin);
    for item in items {
        let title = "Wrong".to_owned();
        let left = Shown { title, ..bare("") };
        let log = plugin.worker_log();
        assert_eq!(shown(&plugin, item), left, "{item}: {log}");
    }
}
