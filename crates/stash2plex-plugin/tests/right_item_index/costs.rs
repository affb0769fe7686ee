//! What a scene costs, in requests to Plex, whatever the size of the library.

use simulators::FileFilter;

use super::*;

/// A worker that lives, and knows the library's fields.
fn living(items: usize, filter: FileFilter) -> Installed {
    let options = PlexOptions {
        file_filter: filter,
        ..PlexOptions::default()
    };
    let settings = json!({"idle_timeout": 60, "not_found_base": 60});
    let plugin = installed(4, options, settings);
    plugin.world.fill_plex(items);
    for scene in &plugin.world.scenes[..2] {
        plugin.save(*scene);
    }
    until_idle(&plugin);
    plugin.world.plex.take_requests();
    plugin
}

/// Saves, waits until it is worked off, and tells the requests.
fn saved(plugin: &Installed, scene: u64) -> Vec<Recorded> {
    let started = plugin.worker_log().matches(" started").count();
    plugin.save(scene);
    until_idle(plugin);
    assert_eq!(plugin.worker_log().matches(" started").count(), started);
    asked(plugin)
}

#[test]
fn a_first_sync_costs_three_requests_and_an_unchanged_save_none() {
    let plugin = living(300, FileFilter::Substring);
    let [_, _, scene, other] = plugin.world.scenes[..] else {
        panic!()
    };
    for scene in [scene, other] {
        let requests = saved(&plugin, scene);
        assert_eq!(
            (requests.len(), writes(&requests)),
            (3, 1),
            "{}",
            told(&requests)
        );
    }
    assert_eq!(saved(&plugin, scene).len(), 0);
    // Forced, one for each.
    plugin.task("all");
    until_idle(&plugin);
    assert_eq!(asked(&plugin).len(), 4);
    // A change: a look and an edit.
    plugin.world.stash.edit(scene).title("Changed");
    assert_eq!(saved(&plugin, scene).len(), 2);
    assert_eq!(lines(&plugin, " started").len(), 1);
    plugin.kill_worker();
}

/// The name has nothing that a filter could split, or everything.
#[test]
fn a_miss_costs_at_most_three_requests() {
    let names = [
        "other, more.mp4",
        "nothing.mp4",
        "scenes,other,mp4.mp4",
        "nothing, at all.mp4",
    ];
    for (items, filter) in [
        (10, FileFilter::Substring),
        (2500, FileFilter::Substring),
        (900, FileFilter::CommaIsOr),
        (2500, FileFilter::CommaIsOr),
        (2500, FileFilter::Ignored),
    ] {
        let plugin = living(items, filter);
        // The listing behind a miss is read once for each worker.
        let missed = |name: &str| {
            let scene = scene(&plugin, &format!("/data/{name}"));
            plugin.save(scene);
            let told = format!("scene {scene}: Plex has no file ");
            plugin.until("missed", || !lines(&plugin, &told).is_empty());
            asked(&plugin)
        };
        let first = missed("first.mp4");
        assert!(first.len() <= 3 + items.div_ceil(500), "{}", told(&first));
        for name in names {
            let requests = missed(name);
            assert!(
                requests.len() <= 3,
                "{filter:?}, {items}, {name}: {}",
                told(&requests)
            );
        }
        plugin.kill_worker();
    }
}
