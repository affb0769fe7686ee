//! A first run: the real binary between simulated servers, from nothing set to a library that is
//! kept equal.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod compare_only;
mod find_path_map;
mod next_step;

use common::Installed;
use serde_json::{Value, json};
use simulators::{PlexOptions, Run, StashOptions, World};

/// The same files have the same size and length in both, as on a real disk.
fn same_sizes(plugin: &Installed) {
    let world = &plugin.world;
    for (scene, item) in world.scenes.iter().zip(&world.items) {
        let file = world.stash.scene(*scene).unwrap().files[0].clone();
        world.plex.change(*item, |item| {
            let part = &mut item.media[0].parts[0];
            (part.size, part.duration) = (file.size, (file.duration * 1000.0) as u64);
        });
    }
}

/// Another world than that of most tests.
fn installed(scenes: usize, seed: u64, settings: Value) -> Installed {
    let config = tempfile::tempdir().unwrap();
    let options = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(scenes, seed, options, PlexOptions::default()).unwrap();
    let installed = Installed { world, config };
    installed.set(settings);
    installed
}

/// What a task said, and its data; it must have succeeded.
fn answered(run: &Run) -> (String, Value) {
    assert_eq!(run.error(), None, "{}", run.log_text());
    let text = run.log_text();
    assert!(!text.contains("plex-owner-token"), "the token is told");
    (text, run.output().unwrap().clone())
}

#[track_caller]
fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
}

/// Requests to Plex that change something.
fn changes(plugin: &Installed) -> usize {
    let requests = plugin.world.plex.requests();
    requests.iter().filter(|one| one.method != "GET").count()
}
