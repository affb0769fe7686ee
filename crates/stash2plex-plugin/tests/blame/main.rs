//! One bad request, picture, item, proxy or setting stops nothing else, and what is at fault is
//! named: the real binary between simulated servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod items;
#[cfg(unix)]
mod nginx;
mod parts;
#[cfg(unix)]
mod proxies;
mod requests;
mod servers;
mod told;

use common::Installed;
use queue::{DeadFilter, DeadLetter};
use serde_json::{Value, json};

/// Workers that end soon, and soon look once more at what was cut off.
fn installed(scenes: usize, settings: Value) -> Installed {
    let plugin = Installed::with(scenes, json!({}));
    set(&plugin, settings);
    plugin
}

fn set(plugin: &Installed, settings: Value) {
    let mut all = json!({"idle_timeout": 0.1, "read_timeout": 5});
    let more = settings.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    plugin.set(all);
}

fn save_all(plugin: &Installed) {
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
}

/// Waits until no job is left but those that failed.
fn worked_off(plugin: &Installed) {
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    plugin.until_no_worker();
}

fn work(plugin: &Installed, mode: &str) {
    assert_eq!(plugin.task(mode).error(), None);
    worked_off(plugin);
}

fn failed(plugin: &Installed) -> Vec<DeadLetter> {
    plugin.queue().dead_letters(&DeadFilter::all()).unwrap()
}

/// The circuit never opened.
#[track_caller]
fn stayed_closed(plugin: &Installed) {
    let run = plugin.task("outage_summary");
    let outages = &run.output().unwrap()["outages"]["last"];
    assert_eq!(*outages, json!([]), "{}", plugin.worker_log());
}

#[track_caller]
fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
}

/// How often the worker's log says it.
fn said(plugin: &Installed, words: &str) -> usize {
    plugin.worker_log().matches(words).count()
}

/// What a task tells a person.
fn told(plugin: &Installed, mode: &str) -> (String, Value) {
    let run = plugin.task(mode);
    assert_eq!(run.error(), None);
    (run.log_text(), run.output().unwrap().clone())
}
