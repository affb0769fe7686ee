//! Row 13: 1,500 items of one file name. They are asked for in parts, none of which is too long for
//! a proxy.

use super::*;

const ITEMS: usize = 1500;
/// What common proxies take.
const LINE: usize = 8192;

fn library(settings: Value) -> (Installed, Vec<u64>) {
    let options = PlexOptions {
        proxy_line_limit: Some(LINE),
        ..PlexOptions::default()
    };
    let plugin = installed(0, options, settings);
    // Keys as long as those of a server that has seen more.
    let others: Vec<_> = (0..10_000)
        .map(|n| format!("/media/scenes/{n}.mp4"))
        .collect();
    let others = others.iter().map(String::as_str);
    for item in plugin.world.plex.add_files(plugin.world.section, others) {
        plugin.world.plex.remove(item);
    }
    let files: Vec<_> = (0..ITEMS)
        .map(|folder| format!("/media/scenes/folder {folder}/scene.mp4"))
        .collect();
    let files = files.iter().map(String::as_str);
    let items = plugin.world.plex.add_files(plugin.world.section, files);
    (plugin, items)
}

fn synced_at_a_price(plugin: &Installed, scene: u64, item: u64, most: usize) {
    plugin.save(scene);
    worked_off(plugin);
    let requests = asked(plugin);
    assert!(
        requests.len() <= most,
        "{} requests: {}",
        requests.len(),
        told(&requests)
    );
    let longest = requests
        .iter()
        .map(|one| one.path.len() + one.query.len())
        .max();
    assert!(longest.unwrap() < LINE - 100, "{longest:?}");
    assert!(
        requests.iter().all(|one| one.status == Some(200)),
        "{}",
        told(&requests)
    );
    assert_eq!(
        title(plugin, item),
        plugin.world.stash.scene(scene).unwrap().title
    );
    let titles = plugin.world.plex.items();
    let written = titles
        .iter()
        .filter(|item| item.title().starts_with("/data"))
        .count();
    assert_eq!(written, 1);
    assert_eq!(dead(plugin), []);
    is_stable(plugin);
}

/// The path tells which it is, and the index of paths asks for no other.
#[test]
fn the_path_tells_one_of_many() {
    let (plugin, items) = library(json!({}));
    let scene = scene(&plugin, "/data/folder 1234/scene.mp4");
    // The filter and how many there are, the listing, the item, its edit and a look at what came of
    // it.
    synced_at_a_price(&plugin, scene, items[1234], 2 + 3 + 1 + 2);
}

/// Without a path map all of them must be looked at, for their sizes.
#[test]
fn the_size_tells_one_of_many() {
    let (plugin, items) = library(json!({"path_map": ""}));
    let scene = scene(&plugin, "/data/elsewhere/scene.mp4");
    same_file(&plugin, scene, items[777]);
    // The same, but a request for each hundred of them.
    synced_at_a_price(&plugin, scene, items[777], 2 + 3 + 15 + 1 + 2);
    let queue = plugin.queue();
    let hints = sync_engine::storage::ledger::path_hints(queue.sql()).unwrap();
    assert_eq!(
        hints,
        [("/data/elsewhere=>/media/scenes/folder 777".to_owned(), 1)]
    );
}

/// None of them is the file: that is a miss, and no refusal.
#[test]
fn none_of_many_is_a_miss() {
    let (plugin, _) = library(json!({"path_map": "", "not_found_base": 3600}));
    let scene = scene(&plugin, "/data/elsewhere/scene.mp4");
    plugin.save(scene);
    let missed = format!("scene {scene}: Plex has no file ");
    plugin.until("missed", || !lines(&plugin, &missed).is_empty());
    plugin.kill_worker();
    assert_eq!(dead(&plugin), []);
    let requests = asked(&plugin);
    let refused = requests.iter().any(|one| one.status != Some(200));
    assert!(!refused && writes(&requests) == 0, "{}", told(&requests));
    assert!(requests.len() <= 2 + 3 + 15, "{}", told(&requests));
}
