//! The tasks a person runs: the real binary between simulated servers, over real sockets and files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod advice;
mod clear;
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod data_folder;
mod follow;
mod health;
mod left_alone;
mod outage_summary;
mod process_queue;
mod queue_status;
mod recover;
mod set_up;
mod settings;
mod told;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use breaker::{Breaker, FileStore, Rules};
use common::Installed;
use queue::{NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{Fault, Rule, Run};
use sync_engine::core::job::{Job, scene_key};
use sync_engine::daemon::lock::{Role, WorkerLock};
use sync_engine::storage::data_dir::DataDir;
use sync_engine::storage::{ledger, meta};

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

fn set_breaker(plugin: &Installed, text: impl AsRef<[u8]>) {
    let dir = DataDir::create(plugin.config.path()).unwrap();
    std::fs::write(dir.breaker(), text).unwrap();
}

fn open(since: f64, retry_in: f64) -> Value {
    json!({"state": "open", "opened_at": now() - since, "retry_at": now() + retry_in, "reason": "failures"})
}

fn jobs(plugin: &Installed) -> Queue<Job> {
    let dir = DataDir::create(plugin.config.path()).unwrap();
    Queue::open(dir.database(), Options::producer()).unwrap()
}

fn enqueue(queue: &mut Queue<Job>, id: u64) {
    let job = NewJob::new(Job::Scene { id, force: false });
    queue.enqueue(job.key(scene_key(id))).unwrap();
}

/// Everything in the data folder but SQLite's own files, which it makes and removes as it likes.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm"))
        // Written by whoever holds it, and left for whoever does.
        .filter(|(name, _)| name != "worker.lock" && name != "connection.json")
        .map(|(name, path)| {
            (
                name,
                std::fs::read(path).unwrap().escape_ascii().to_string(),
            )
        })
        .collect()
}

/// Runs a task that only looks, and sees that it did: no file made or changed. Somebody who is
/// about to start a worker keeps it from starting one for what is due.
fn look(plugin: &Installed, mode: &str) -> (String, Value) {
    let dir = DataDir::locate(plugin.config.path());
    let lock = WorkerLock::try_take(&dir.worker_lock(), Role::Starter);
    let before = files(&plugin.data());
    let run = plugin.task(mode);
    let (text, output) = answered(&run);
    assert_eq!(files(&plugin.data()), before, "{mode} changed a file");
    assert!(plugin.workers().is_empty(), "{mode} started a worker");
    drop(lock);
    (text, output)
}

fn answered(run: &Run) -> (String, Value) {
    assert!(run.status.success());
    assert_eq!(run.error(), None);
    let text = run.log_text();
    assert!(
        !text.contains("plex-owner-token"),
        "the token is told: {text}"
    );
    (text, run.output().expect("an output").clone())
}

#[track_caller]
fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
}

/// Makes a dead letter of a scene's job.
fn die(queue: &mut Queue<Job>, id: u64, kind: &str) {
    enqueue(queue, id);
    let claim = queue.claim(1).unwrap().pop().unwrap();
    assert_eq!(claim.key(), Some(&*scene_key(id)));
    queue.dead(claim, kind, "HTTP 500").unwrap();
    // The file counts in milliseconds; what comes next comes later.
    thread::sleep(Duration::from_millis(5));
}
