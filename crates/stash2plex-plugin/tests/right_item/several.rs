//! Rows 8 and 10: every item that holds a file of the scene is written.

use queue::DeadFilter;
use serde_json::json;
use simulators::{Fault, Rule, SectionKind};

use crate::common::Installed;
use crate::{
    Way, add_file, add_scene, all_of, assert_at_rest, bare, each, installed, letters, said, shown,
    work, worked_off, written,
};

/// Row 8: two libraries have the folder.
#[test]
fn a_file_in_two_libraries_is_written_in_both() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let plex = &plugin.world.plex;
        let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes/a"]);
        let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
        let items = [plugin.world.section, more]
            .map(|section| plex.add_file(section, "/media/scenes/a/scene.mp4"));
        way.go(&plugin);
        for item in items {
            assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        }
        let mut puts = written(&plugin);
        puts.sort();
        assert_eq!(puts, items.map(|item| format!("PUT {item}")), "{way:?}");
        assert_eq!(letters(&plugin), [].into());
        for item in items {
            let words = "wrote title, summary, ";
            let said = said(&plugin, scene);
            let wrote = said.iter().filter(|line| {
                line.starts_with(words)
                    && line.contains("to Plex item \"")
                    && line.ends_with(&format!(" ({item})"))
            });
            assert_eq!(wrote.count(), 1, "{said:?}");
        }
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    });
}

/// A task searches the libraries that Plex has now, whatever its worker knew before.
#[test]
fn a_library_that_is_added_while_a_worker_lives_is_found_by_a_task() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    let plex = &plugin.world.plex;
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
    let first = plex.item(plugin.world.items[0]).unwrap();
    let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes"]);
    let copy = plex.add_file(more, &first.media[0].parts[0].file);
    // A list of a few seconds ago counts as that of now.
    plugin.until("written there too", || {
        assert_eq!(plugin.task("all").error(), None);
        plex.item(copy).unwrap().title() == first.title()
    });
    assert_eq!(plugin.worker_log().matches(" started").count(), 1);
    plugin.kill_worker();
}

/// Row 8: a scene with two files that are two items.
#[test]
fn both_files_of_a_scene_are_written() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let scene = add_scene(&plugin, "/data/a/one.mp4", "Scene");
        plugin.world.stash.scan_copy(scene, "/data/b/two.mp4");
        let items =
            ["a/one", "b/two"].map(|name| add_file(&plugin, &format!("/media/scenes/{name}.mp4")));
        way.go(&plugin);
        for item in items {
            assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        }
        assert_eq!(letters(&plugin), [].into());
        // A change arrives in both, and a removal too.
        plugin.world.stash.edit(scene).tags(&["Only this"]);
        plugin.save(scene);
        worked_off(&plugin);
        for item in items {
            assert_eq!(shown(&plugin, item).genres, ["Only this"]);
        }
        if way == Way::SyncAll {
            assert_at_rest(&plugin);
        }
    });
}

/// Row 10: the primary file's item appears after the second file's item was written.
#[test]
fn an_item_that_comes_later_is_written_too() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let scene = add_scene(&plugin, "/data/a/one.mp4", "Scene");
        plugin.world.stash.scan_copy(scene, "/data/b/two.mp4");
        let second = add_file(&plugin, "/media/scenes/b/two.mp4");
        plugin.save(scene);
        worked_off(&plugin);
        assert_eq!(shown(&plugin, second), all_of("Scene"));
        let words = "its other file is not in Plex yet: /media/scenes/a/one.mp4";
        assert!(said(&plugin, scene).iter().any(|line| line == words));
        // What is missing costs an unchanged scene nothing, and is no letter.
        assert_at_rest(&plugin);

        let first = add_file(&plugin, "/media/scenes/a/one.mp4");
        way.go(&plugin);
        for item in [first, second] {
            assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        }
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    });
}

/// A library that comes later has the file too.
#[test]
fn a_library_that_comes_later_is_written_too() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let plex = &plugin.world.plex;
        add_scene(&plugin, "/data/a/scene.mp4", "Scene");
        let first = add_file(&plugin, "/media/scenes/a/scene.mp4");
        work(&plugin, "all");
        let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes/a"]);
        let second = plex.add_file(more, "/media/scenes/a/scene.mp4");
        way.go(&plugin);
        for item in [first, second] {
            assert_eq!(shown(&plugin, item), all_of("Scene"), "{way:?}");
        }
        if way == Way::ReconcileMissing {
            assert_at_rest(&plugin);
        }
    });
}

/// A film on two discs is one item, and written once.
#[test]
fn a_stacked_item_is_written_once() {
    let plugin = installed(json!({}));
    let scene = add_scene(&plugin, "/data/a/film-cd1.mp4", "Film");
    plugin.world.stash.scan_copy(scene, "/data/a/film-cd2.mp4");
    let files = [
        "/media/scenes/a/film-cd1.mp4",
        "/media/scenes/a/film-cd2.mp4",
    ];
    let item = plugin.world.plex.add_stacked(plugin.world.section, &files);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(written(&plugin), [format!("PUT {item}")]);
    assert_eq!(shown(&plugin, item), all_of("Film"));
    assert_at_rest(&plugin);
}

/// A library that cannot be searched keeps no item of another one waiting, and is named.
#[test]
fn a_library_that_cannot_be_searched_holds_up_no_other() {
    for fault in [Fault::Status(500), Fault::Status(404), Fault::HtmlPage] {
        let plugin = Installed::with(8, json!({"failure_threshold": 3}));
        let plex = &plugin.world.plex;
        let broken = plex.add_section("Broken", SectionKind::Movie, &["/media/scenes"]);
        let listing = format!("/library/sections/{broken}/all");
        plex.fail_when(Rule::new(fault.clone()).path(&listing));
        assert_eq!(plugin.task("all").error(), None);
        plugin.until_equal();
        plugin.until("done", || plugin.queue().counts().unwrap().live() == 0);
        let status = plugin.task("queue_status");
        let words =
            "items in one library, if any, since the library \"Broken\" cannot be searched: ";
        assert!(
            status.log_text().contains(words),
            "{fault:?}: {}",
            status.log_text()
        );
        let summary = plugin.task("outage_summary");
        let last = &summary.output().unwrap()["outages"]["last"];
        assert_eq!(*last, json!([]), "{}", plugin.worker_log());
        // What the line says.
        plex.clear_faults();
        assert_eq!(plugin.task("reconcile_all").error(), None);
        plugin.until("healed", || {
            plugin.task("queue_status").output().unwrap()["left_out"] == json!([])
        });
    }
}

/// A library is deleted and made anew while a worker lives: the very next save is written there, and
/// to the scene's item in another library.
#[test]
fn a_library_that_is_made_anew_is_found_at_once() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    let (plex, scene) = (&plugin.world.plex, plugin.world.scenes[0]);
    let first = plex.item(plugin.world.items[0]).unwrap();
    let file = &first.media[0].parts[0].file;
    let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes"]);
    let copy = plex.add_file(more, file);
    plugin.save(scene);
    plugin.until("written to both", || {
        plex.item(copy).unwrap().title() == plex.item(first.key).unwrap().title()
    });
    let done = || plugin.until("done", || plugin.queue().counts().unwrap().live() == 0);
    done();
    plex.remove_section(plugin.world.section);
    let anew = plex.add_section("Scenes", SectionKind::Movie, &["/media/scenes"]);
    let again = plex.add_file(anew, file);
    plugin.world.stash.edit(scene).title("Changed");
    plugin.save(scene);
    done();
    for item in [again, copy] {
        assert_eq!(plex.item(item).unwrap().title(), "Changed");
    }
    assert_eq!(plugin.worker_log().matches("Attempt").count(), 0);
}

/// A file becomes another scene's, of which no hook tells: its item shows the other scene, and the
/// first keeps its own.
#[test]
fn a_file_that_is_assigned_to_another_scene_takes_its_item_along() {
    each(&Way::ALL, |way| {
        let plugin = installed(json!({}));
        let [one, two] =
            ["One", "Two"].map(|name| add_scene(&plugin, &format!("/data/a/{name}.mp4"), name));
        plugin.world.stash.scan_copy(one, "/data/a/copy.mp4");
        let items = ["One", "Two", "copy"]
            .map(|name| add_file(&plugin, &format!("/media/scenes/a/{name}.mp4")));
        work(&plugin, "all");
        assert_eq!(shown(&plugin, items[2]), all_of("One"));
        plugin.world.stash.assign_file("/data/a/copy.mp4", two);
        way.go(&plugin);
        assert_eq!(shown(&plugin, items[0]), all_of("One"), "{way:?}");
        assert_eq!(shown(&plugin, items[1]), all_of("Two"), "{way:?}");
        assert_eq!(shown(&plugin, items[2]), all_of("Two"), "{way:?}");
        if way == Way::ReconcileAll {
            assert_at_rest(&plugin);
        }
    });
}

/// A file that Plex has and Stash no longer: nothing more is written to it.
#[test]
fn a_file_that_leaves_a_scene_leaves_its_item_alone() {
    let plugin = installed(json!({}));
    let scene = add_scene(&plugin, "/data/a/one.mp4", "Scene");
    plugin.world.stash.scan_copy(scene, "/data/a/two.mp4");
    let items =
        ["one", "two"].map(|name| add_file(&plugin, &format!("/media/scenes/a/{name}.mp4")));
    work(&plugin, "all");
    plugin
        .world
        .stash
        .change_silently(scene, |scene| drop(scene.files.pop()));
    plugin.world.stash.edit(scene).title("Changed");
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, items[0]).title, "Changed");
    assert_eq!(shown(&plugin, items[1]), all_of("Scene"));
    assert_at_rest(&plugin);
    assert_ne!(bare("two"), shown(&plugin, items[1]));
}

/// One of the items does not take the edit, or cannot be read: the others do not wait for it.
#[test]
fn an_item_that_fails_leaves_no_other_as_it_was() {
    let faults = [
        ("PUT", Fault::Status(400)),
        ("PUT", Fault::Status(404)),
        ("PUT", Fault::Status(500)),
        ("PUT", Fault::Close),
        ("GET", Fault::Status(500)),
    ];
    for (method, fault) in faults {
        let plugin =
            installed(json!({"max_retries": 2, "read_timeout": 5, "not_found_base": 0.01}));
        let plex = &plugin.world.plex;
        let more = plex.add_section("More", SectionKind::Movie, &["/media/scenes/a"]);
        let scene = add_scene(&plugin, "/data/a/scene.mp4", "Scene");
        let [first, second] = [plugin.world.section, more]
            .map(|section| plex.add_file(section, "/media/scenes/a/scene.mp4"));
        let rule = Rule::new(fault.clone()).method(method);
        plex.fail_when(match method {
            "PUT" => rule.query(&format!("id={first}&")),
            _ => rule.path(&format!("/library/metadata/{first}")),
        });
        plugin.save(scene);
        plugin.until("written", || shown(&plugin, second) == all_of("Scene"));
        worked_off(&plugin);
        let failed = plugin.queue().dead_letters(&DeadFilter::all()).unwrap();
        let why = &failed[0].message;
        assert!(
            why.starts_with("the Plex item of ") && why.contains(&format!(" ({first}): ")),
            "{fault:?}: {why}"
        );
        plex.clear_faults();
        plugin.world.stash.edit(scene).title("Another title");
        plugin.save(scene);
        worked_off(&plugin);
        for item in [first, second] {
            assert_eq!(shown(&plugin, item).title, "Another title");
        }
    }
}
