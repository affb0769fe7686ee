//! Row 11: an item in Plex's trash beside the living one, of the same name and size.

use super::*;

const OLD: &str = "/media/scenes/old/film.mp4";

/// A scene whose file Plex shows twice: in the trash, and as a living item elsewhere.
fn with_trash(stash: &str, living: &str, settings: Value) -> (Installed, u64, [u64; 2]) {
    let plugin = installed(0, PlexOptions::default(), settings);
    let (plex, section) = (&plugin.world.plex, plugin.world.section);
    let trashed = plex.add_file(section, OLD);
    plex.move_file(OLD, living);
    plex.scan(section);
    assert!(plex.item(trashed).unwrap().deleted_at.is_some());
    let [item] = &plex.items_with_file(living)[..] else {
        panic!("Plex found the file at its new place")
    };
    let scene = scene(&plugin, stash);
    same_file(&plugin, scene, item.key);
    (plugin, scene, [trashed, item.key])
}

fn goes_to_the_living(plugin: &Installed, scene: u64, [trashed, living]: [u64; 2]) {
    let wanted = plugin.world.stash.scene(scene).unwrap().title;
    let before = title(plugin, trashed);
    plugin.save(scene);
    worked_off(plugin);
    assert_eq!(title(plugin, living), wanted);
    assert_eq!(
        title(plugin, trashed),
        before,
        "nobody writes into the trash"
    );
    assert_eq!(tags(plugin, trashed, TagKind::Genre), set_of(&[]));
    assert_eq!(dead(plugin), []);
    let wrote = format!("scene {scene}: wrote title, genre to Plex item \"");
    let wrote = lines(plugin, &wrote);
    assert!(
        matches!(&wrote[..], [line] if line.ends_with(&format!(" ({living})"))),
        "{}",
        plugin.worker_log()
    );
    is_stable(plugin);
}

#[test]
fn the_living_item_is_found_by_its_path() {
    let (plugin, scene, items) = with_trash(
        "/data/new/film.mp4",
        "/media/scenes/new/film.mp4",
        json!({}),
    );
    goes_to_the_living(&plugin, scene, items);
}

/// Without a path map only likeness is left, which used to see two files that fit equally well.
#[test]
fn the_living_item_is_found_by_its_likeness() {
    for strict in [true, false] {
        let settings = json!({"path_map": "", "strict_matching": strict});
        let (plugin, scene, items) =
            with_trash("/data/any/film.mp4", "/media/scenes/new/film.mp4", settings);
        goes_to_the_living(&plugin, scene, items);
    }
}

/// One library had the file before, and has not emptied its trash since.
#[test]
fn the_living_item_of_the_same_path_is_found() {
    let plugin = installed(0, PlexOptions::default(), json!({}));
    let (plex, section) = (&plugin.world.plex, plugin.world.section);
    let path = "/media/scenes/a/film.mp4";
    let [trashed, living] = [plex.add_file(section, path), plex.add_file(section, path)];
    plex.change(trashed, |item| item.deleted_at = Some(1_700_000_000));
    let scene = scene(&plugin, "/data/a/film.mp4");
    goes_to_the_living(&plugin, scene, [trashed, living]);
}

/// A file that only the trash has may come back, and its item with it.
#[test]
fn an_item_that_comes_out_of_the_trash_is_the_scene_s() {
    let plugin = installed(1, PlexOptions::default(), json!({}));
    let (plex, section) = (&plugin.world.plex, plugin.world.section);
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    let path = plex.item(item).unwrap().files().next().unwrap().to_owned();
    plugin.save(scene);
    worked_off(&plugin);
    plex.delete_file(&path);
    plex.scan(section);
    plugin.world.stash.edit(scene).title("While it was away");
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(dead(&plugin), []);
    plex.add_unscanned(section, &path);
    plex.scan(section);
    assert_eq!(plex.item(item).unwrap().deleted_at, None);
    assert_eq!(title(&plugin, item), "While it was away");
    assert!(plugin.world.comparison().is_equal());
    is_stable(&plugin);
}
