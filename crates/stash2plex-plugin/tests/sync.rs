//! A save in Stash arrives in Plex.
#![allow(clippy::unwrap_used)]

mod common;

use common::Installed;

#[test]
fn a_saved_scene_arrives_in_plex() {
    let plugin = Installed::new(3);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    let scene = plugin.world.scenes[0];
    plugin
        .world
        .stash
        .edit(scene)
        .title("Changed")
        .tags(&["only this"]);
    plugin.save(scene);
    plugin.until_equal();
}
