//! A scene is written to its own items and no others, and every change arrives: the real binary
//! between simulated servers.
#![allow(clippy::unwrap_used)]

mod before;
#[path = "../common/mod.rs"]
mod common;
mod exchanged;
mod inherited;
mod likeness;
mod moved;
mod other_file;
mod ours;
mod several;
mod shared;

use std::collections::BTreeSet;
use std::thread;

use common::Installed;
use queue::{DeadFilter, NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{Part, TagKind};
use sync_engine::core::job::{Job, scene_key};

/// Two servers without a file, a path map that is right, and workers that end soon.
fn installed(settings: Value) -> Installed {
    let plugin = Installed::with(0, json!({}));
    set(&plugin, settings);
    plugin
}

fn set(plugin: &Installed, settings: Value) {
    let mut all = json!({"idle_timeout": 0.1, "not_found_base": 600});
    let more = settings.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    plugin.set(all);
}

/// A file as Stash knows it, with the metadata of a scene of this name.
fn add_scene(plugin: &Installed, path: &str, name: &str) -> u64 {
    let id = plugin.world.stash.add_scene(path);
    fill(plugin, id, name);
    id
}

fn fill(plugin: &Installed, scene: u64, name: &str) {
    let edit = plugin.world.stash.edit(scene);
    let details = format!("About {name}");
    let edit = edit.title(name).details(&details);
    let actor = format!("Actor of {name}");
    edit.tags(&[&format!("Tag of {name}")])
        .performers(&[&actor]);
}

/// A file as Plex knows it.
fn add_file(plugin: &Installed, file: &str) -> u64 {
    plugin.world.plex.add_file(plugin.world.section, file)
}

/// Plex knows of this file what Stash knows of another.
fn add_same(plugin: &Installed, section: u32, scene: u64, file: &str) -> u64 {
    let known = plugin.world.stash.scene(scene).unwrap().files[0].clone();
    let part = Part {
        file: file.to_owned(),
        size: known.size,
        duration: (known.duration * 1000.0) as u64,
    };
    plugin.world.plex.add_part(section, part)
}

/// What an item shows.
#[derive(Debug, PartialEq)]
struct Shown {
    title: String,
    summary: String,
    genres: Vec<String>,
    actors: Vec<String>,
}

fn shown(plugin: &Installed, item: u64) -> Shown {
    let item = plugin.world.plex.item(item).unwrap();
    let names = |kind| item.tag_names(kind).into_iter().map(str::to_owned);
    Shown {
        title: item.title().to_owned(),
        summary: item.field("summary").to_owned(),
        genres: names(TagKind::Genre).collect(),
        actors: names(TagKind::Actor).collect(),
    }
}

/// All that a scene of this name has.
fn all_of(name: &str) -> Shown {
    Shown {
        title: name.to_owned(),
        summary: format!("About {name}"),
        genres: vec![format!("Tag of {name}")],
        actors: vec![format!("Actor of {name}")],
    }
}

/// What Plex makes of a file.
fn bare(name: &str) -> Shown {
    Shown {
        title: name.to_owned(),
        summary: String::new(),
        genres: Vec::new(),
        actors: Vec::new(),
    }
}

/// The living items that hold a file.
fn holding(plugin: &Installed, file: &str) -> Vec<u64> {
    let items = plugin.world.plex.items_with_file(file);
    let living = items.iter().filter(|item| item.deleted_at.is_none());
    living.map(|item| item.key).collect()
}

/// What Plex was asked since the last look, but who it is: method and path, and the item of an
/// edit.
fn asked(plugin: &Installed) -> Vec<String> {
    let requests = plugin.world.plex.take_requests().into_iter();
    let requests = requests.filter(|request| request.path != "/identity");
    let words = |request: simulators::Recorded| {
        let mut pairs = request.query.split('&');
        match pairs.find_map(|pair| pair.strip_prefix("id=")) {
            Some(item) if request.method != "GET" => format!("{} {item}", request.method),
            _ => format!("{} {}", request.method, request.path),
        }
    };
    requests.map(words).collect()
}

/// What was written since the last look.
fn written(plugin: &Installed) -> Vec<String> {
    let mut asked = asked(plugin);
    asked.retain(|request| !request.starts_with("GET "));
    asked
}

fn worked_off(plugin: &Installed) {
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    plugin.until_no_worker();
}

/// Waits until nothing is left to do but to try again later what is not there yet.
fn tried(plugin: &Installed) {
    plugin.until("tried", || {
        let counts = plugin.queue().counts().unwrap();
        counts.ready + counts.running == 0
    });
    plugin.kill_worker();
    plugin.until_no_worker();
}

/// Starts a task and waits until its worker has nothing left to do.
fn work(plugin: &Installed, mode: &str) {
    assert_eq!(plugin.task(mode).error(), None);
    worked_off(plugin);
}

/// How a person, or the clock, makes the plugin look.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Each scene is saved as it is.
    PlainSaves,
    /// Each scene is changed and saved.
    Saves,
    SyncAll,
    ReconcileAll,
    ReconcileMissing,
}

impl Way {
    const ALL: [Self; 4] = [
        Self::Saves,
        Self::SyncAll,
        Self::ReconcileAll,
        Self::ReconcileMissing,
    ];

    /// Where a scene's own file or path is another now, a save that changes nothing is enough.
    const WITH_PLAIN_SAVES: [Self; 5] = [
        Self::PlainSaves,
        Self::Saves,
        Self::SyncAll,
        Self::ReconcileAll,
        Self::ReconcileMissing,
    ];

    fn go(self, plugin: &Installed) {
        match self {
            Self::PlainSaves | Self::Saves => {
                for scene in plugin.world.stash.scenes() {
                    if self == Self::Saves {
                        plugin.world.stash.edit(scene.id).date("2024-05-06");
                    }
                    plugin.save(scene.id);
                }
                worked_off(plugin);
            }
            Self::SyncAll => work(plugin, "all"),
            Self::ReconcileAll => work(plugin, "reconcile_all"),
            Self::ReconcileMissing => work(plugin, "reconcile_missing_metadata"),
        }
    }
}

/// Plays a story once for each of these ways, all at once.
fn each(ways: &[Way], story: impl Fn(Way) + Sync) {
    thread::scope(|scope| {
        for way in ways {
            scope.spawn(|| story(*way));
        }
    });
}

fn last_queued(plugin: &Installed) -> Value {
    let run = plugin.task("queue_status");
    run.output().unwrap()["last_reconciliation"]["queued"].clone()
}

/// Nothing is left to do: saves ask Plex nothing, nothing writes, and no reconciliation finds
/// anything.
fn assert_at_rest(plugin: &Installed) {
    plugin.world.plex.take_requests();
    for scene in plugin.world.stash.scenes() {
        plugin.save(scene.id);
    }
    worked_off(plugin);
    assert_eq!(asked(plugin), [""; 0], "unchanged saves");
    work(plugin, "all");
    assert_eq!(written(plugin), [""; 0], "Sync All");
    for mode in ["reconcile_all", "reconcile_missing_metadata"] {
        work(plugin, mode);
        assert_eq!(written(plugin), [""; 0], "{mode}");
        assert_eq!(last_queued(plugin), 0, "{mode}:\n{}", plugin.worker_log());
    }
    assert_eq!(letters(plugin), BTreeSet::new());
}

/// The kinds of what was set aside.
fn letters(plugin: &Installed) -> BTreeSet<String> {
    let queue = plugin.queue();
    let letters = queue.dead_letters(&DeadFilter::all()).unwrap();
    letters
        .into_iter()
        .map(|letter| letter.error_type)
        .collect()
}

/// As after twelve tries.
fn set_aside(plugin: &Installed, scene: u64) {
    let path = plugin.data().join("stash2plex.db");
    let mut queue = Queue::<Job>::open(path, Options::producer()).unwrap();
    queue.cancel(&scene_key(scene)).unwrap();
    let job = Job::Scene {
        id: scene,
        force: false,
    };
    queue
        .enqueue(NewJob::new(job).key(scene_key(scene)))
        .unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.dead(claim, "NotInPlex", "Plex has no file").unwrap();
}

/// The lines of the worker about a scene, without time and level.
fn said(plugin: &Installed, scene: u64) -> Vec<String> {
    let start = format!("scene {scene}: ");
    let log = plugin.worker_log();
    let about = log.lines().filter_map(|line| line.split_once(&start));
    about.map(|(_, words)| words.to_owned()).collect()
}
