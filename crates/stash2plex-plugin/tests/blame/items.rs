//! One item, or one scene, that nobody can read hides no other.

use simulators::Spoilt;

use super::*;

/// Bytes and characters that no JSON may hold, in an item of nobody: it is read all the same.
#[test]
fn an_item_whose_text_is_no_text_is_read() {
    for spoilt in [Spoilt::InvalidUtf8, Spoilt::ControlCharacter] {
        let plugin = installed(3, json!({}));
        let plex = &plugin.world.plex;
        let odd = plex.add_file(plugin.world.section, "/media/scenes/odd.mp4");
        plex.spoil(odd, spoilt);
        // The item is told in the listing that a reconciliation reads, and is found by its own
        // scene.
        let scene = plugin.world.stash.add_scene("/data/odd.mp4");
        plugin.world.stash.edit(scene).tags(&["Odd"]);
        work(&plugin, "reconcile_all");
        assert!(
            plugin.world.comparison().is_equal(),
            "{}",
            plugin.world.comparison()
        );
        stayed_closed(&plugin);
        assert_eq!(failed(&plugin).len(), 0);
        assert_eq!(said(&plugin, "cannot be read"), 0);
    }
}

/// An item that is not what an item is: left out, named once, and the others are synced.
#[test]
fn an_item_that_is_none_is_named_and_left_out() {
    let plugin = installed(8, json!({"not_found_base": 600}));
    let plex = &plugin.world.plex;
    let odd = plex.add_file(plugin.world.section, "/media/scenes/odd.mp4");
    plex.spoil(odd, Spoilt::WrongShape);
    let scene = plugin.world.stash.add_scene("/data/odd.mp4");
    plugin.world.stash.edit(scene).title("Odd");
    plugin.task("reconcile_all");
    plugin.until("the others synced", || {
        plugin.world.comparison().equal() == 8
    });
    plugin.until("tried", || said(&plugin, ", next in") > 0);
    plugin.task("clear_queue");
    worked_off(&plugin);
    stayed_closed(&plugin);
    let named = format!("What Plex answers about item {odd} (\"odd\") cannot be read");
    let workers = said(&plugin, "worker ends");
    assert!((1..=workers).contains(&said(&plugin, &named)));
    // Its scene is told what may be the reason.
    let why = format!("If it is item {odd} (\"odd\"), which cannot be read, refresh");
    says(&plugin.worker_log(), &why);
    let compared = plugin.task("compare_only").log_text();
    let line = compared
        .lines()
        .find(|line| line.starts_with("i Not found in Plex: "));
    says(line.unwrap(), &why);
    says(
        &told(&plugin, "queue_status").0,
        "1 not in Plex), 9 queued. What is not in Plex may be there, in an item that cannot be read: Compare Only names both",
    );
    assert_eq!(failed(&plugin).len(), 0);
}

/// The same of items that were written to: more of them than failures open the circuit.
#[test]
fn items_that_become_none_fail_alone_and_are_not_forgotten() {
    let plugin = installed(8, json!({}));
    save_all(&plugin);
    worked_off(&plugin);
    let bad = &plugin.world.items[..6];
    for item in bad {
        plugin.world.plex.spoil(*item, Spoilt::WrongShape);
    }
    for scene in plugin.world.scenes.clone() {
        plugin.world.stash.edit(scene).title("Changed");
    }
    save_all(&plugin);
    worked_off(&plugin);
    stayed_closed(&plugin);
    assert_eq!(plugin.world.comparison().equal(), 2);
    work(&plugin, "reconcile_missing_metadata");
    let letters = failed(&plugin);
    assert_eq!(letters.len(), 6);
    for letter in &letters {
        assert_eq!(letter.error_type, "UnreadableItem");
        says(&letter.message, "what Plex answers about item ");
    }
    let (text, _) = told(&plugin, "queue_status");
    says(&text, "refresh its metadata in Plex, then save the scene");

    // What the advice says.
    for item in bad {
        plugin.world.plex.change(*item, |item| item.spoilt = None);
    }
    save_all(&plugin);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    assert_eq!(failed(&plugin).len(), 0);
    // The items were never taken for gone: what was removed in Stash is removed in Plex.
    let scene = plugin.world.scenes[0];
    plugin.world.stash.edit(scene).tags(&[]);
    plugin.save(scene);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
}

/// Stash describes one scene in a form that its own schema forbids.
#[test]
fn a_scene_of_a_wrong_type_fails_alone_and_is_named() {
    let plugin = installed(4, json!({}));
    let stash = &plugin.world.stash;
    let bad = plugin.world.scenes[1];
    stash.change_silently(bad, |scene| scene.misshapen = true);
    let alone = || {
        worked_off(&plugin);
        assert_eq!(plugin.world.comparison().equal(), 3);
        let letters = failed(&plugin);
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(letters[0].error_type, "UnreadableScene");
        let (text, output) = told(&plugin, "queue_status");
        says(&text, &format!("scene {bad}"));
        assert_eq!(output["queue"]["failed_jobs"][0]["scene"], bad);
        plugin.task("clear_dlq");
    };
    save_all(&plugin);
    alone();
    for mode in ["all", "reconcile_all", "reconcile_missing_metadata"] {
        plugin.task(mode);
        alone();
    }
    stayed_closed(&plugin);
    stash.change_silently(bad, |scene| scene.misshapen = false);
    plugin.save(bad);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
}
