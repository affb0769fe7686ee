//! There is always a worker for what is due, whatever ends the one before: the real binary between
//! simulated servers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod clock;
#[path = "../common/mod.rs"]
mod common;
mod connection;
mod ends;
mod files;
mod settings;

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::Installed;
use queue::{NewJob, Options};
use serde_json::json;
use simulators::{Fault, Trigger};
use sync_engine::core::job::{Job, scene_key};
use sync_engine::daemon::lock::Role;
use sync_engine::storage::data_dir::DataDir;

fn dir(plugin: &Installed) -> DataDir {
    DataDir::create(plugin.config.path()).unwrap()
}

/// A job, and nobody who was told of it.
fn enqueue_quietly(plugin: &Installed, scene: u64) {
    dir(plugin);
    let job = NewJob::new(Job::Scene {
        id: scene,
        force: false,
    });
    let mut queue = plugin.queue_as(Options::producer());
    queue.enqueue(job.key(scene_key(scene))).unwrap();
}

fn started(plugin: &Installed) -> usize {
    plugin.worker_log().matches(" started").count()
}

fn edit(plugin: &Installed, scene: u64, title: &str) {
    plugin.world.stash.edit(scene).title(title);
    assert!(!plugin.world.comparison().is_equal());
}

/// A worker that waits for the next change.
fn idle(plugin: &Installed) {
    plugin.world.scenes.iter().for_each(|scene| {
        plugin.save(*scene);
    });
    plugin.until_equal();
    plugin.until("idle", || plugin.queue().counts().unwrap().live() == 0);
}
