//! Which item of Plex is found, and what it holds in the end, where Plex has moods of its own: its
//! file filter, its trash, names that many files share, lists it replaces, fields that it ignores.
//! The real binary between simulated servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod costs;
mod fields;
mod force;
mod lists;
mod names;
mod pages;
mod renamed;
mod shared_name;
mod tempers;
mod trash;

use std::collections::BTreeSet;

use common::Installed;
use queue::DeadFilter;
use serde_json::{Value, json};
use simulators::{PlexOptions, Recorded, StashOptions, TagKind, World};
use sync_engine::core::job::scene_of_key;

/// An installation whose Plex is set up otherwise, with workers that do not stay long.
fn installed(scenes: usize, plex: PlexOptions, mut settings: Value) -> Installed {
    let wishes = settings.as_object_mut().unwrap();
    wishes.entry("idle_timeout").or_insert(json!(0.1));
    let config = tempfile::tempdir().unwrap();
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(scenes, 7, stash, plex).unwrap();
    let plugin = Installed { world, config };
    plugin.set(settings);
    plugin
}

/// A scene with one file, by whose path it has its title.
fn scene(plugin: &Installed, path: &str) -> u64 {
    let scene = plugin.world.stash.add_scene(path);
    plugin
        .world
        .stash
        .edit(scene)
        .title(path)
        .tags(&["Outdoor"]);
    scene
}

/// The scene's first file has the size and duration of the item's: it is the very file.
fn same_file(plugin: &Installed, scene: u64, item: u64) {
    let item = plugin.world.plex.item(item).unwrap();
    let part = item.parts().next().unwrap();
    plugin.world.stash.change_silently(scene, |scene| {
        scene.files[0].size = part.size;
        scene.files[0].duration = part.duration as f64 / 1000.0;
    });
}

/// Runs a task and waits until its worker has nothing left to do.
fn work(plugin: &Installed, mode: &str) {
    assert_eq!(plugin.task(mode).error(), None);
    worked_off(plugin);
}

fn worked_off(plugin: &Installed) {
    until_idle(plugin);
    plugin.until_no_worker();
}

/// Waits until nothing is left to do; the worker may stay.
fn until_idle(plugin: &Installed) {
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
}

/// What Plex was asked since the last look, but who it is and which libraries it has.
fn asked(plugin: &Installed) -> Vec<Recorded> {
    let mut requests = plugin.world.plex.take_requests();
    requests.retain(|one| !matches!(one.path.as_str(), "/identity" | "/library/sections"));
    requests
}

fn writes(requests: &[Recorded]) -> usize {
    requests.iter().filter(|one| one.method != "GET").count()
}

/// Requests in few words, for a test that fails.
fn told(requests: &[Recorded]) -> String {
    let line = |one: &Recorded| {
        let query: String = one.query.chars().take(160).collect();
        format!("\n{} {}?{query} ({:?})", one.method, one.path, one.status)
    };
    requests.iter().map(line).collect()
}

/// The scenes that were set aside, with the kind of failure.
fn dead(plugin: &Installed) -> Vec<(u64, String)> {
    let queue = plugin.queue();
    let letters = queue.dead_letters(&DeadFilter::all()).unwrap();
    let told = |letter: &queue::DeadLetter| {
        let scene = letter.key.as_deref().and_then(scene_of_key).unwrap();
        (scene, letter.error_type.clone())
    };
    letters.iter().map(told).collect()
}

/// Looks at everything once more, in Plex too: nothing is written, and no reconciliation finds a
/// difference.
fn is_stable(plugin: &Installed) {
    plugin.world.plex.take_requests();
    for mode in ["all", "reconcile_all", "reconcile_missing_metadata"] {
        work(plugin, mode);
        let requests = asked(plugin);
        assert_eq!(writes(&requests), 0, "{mode}: {}", told(&requests));
        if mode != "all" {
            let run = plugin.task("queue_status");
            let last = &run.output().unwrap()["last_reconciliation"];
            assert_eq!(last["queued"], json!(0), "{mode}: {last}");
        }
    }
}

fn title(plugin: &Installed, item: u64) -> String {
    plugin.world.plex.item(item).unwrap().title().to_owned()
}

fn tags(plugin: &Installed, item: u64, kind: TagKind) -> BTreeSet<String> {
    let item = plugin.world.plex.item(item).unwrap();
    let names = item.tag_names(kind).into_iter();
    names.map(str::to_owned).collect()
}

fn set_of(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The lines of the worker's log that bear a text.
fn lines(plugin: &Installed, text: &str) -> Vec<String> {
    let log = plugin.worker_log();
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(str::to_owned).collect()
}
