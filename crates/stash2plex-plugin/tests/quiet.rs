//! What happens without a word in Stash's log, whose users read it: scenes that vanish, and pages
//! that ask for a catch-up.
#![allow(clippy::unwrap_used)]

mod common;

use common::Installed;
use queue::{NewJob, Options};
use serde_json::{Value, json};
use simulators::{Requests, Trigger};
use sync_engine::core::job::Job;
use sync_engine::daemon::lock::Role;
use sync_engine::storage::catch_up;

/// Deleted while its job waits, has failed, or was lost in an outage: every reader asks for what is
/// gone.
#[test]
fn a_scene_that_vanished_leaves_no_error_in_stashs_log() {
    let plugin = Installed::with(4, json!({"idle_timeout": 0.1}));
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    let lock = plugin.take_lock(Role::Worker);
    for scene in &scenes {
        plugin.save(*scene);
    }
    let mut queue = plugin.queue_as(Options::consumer());
    let claim = queue.claim(1).unwrap().pop().unwrap();
    let failed = claim.payload().scene().unwrap();
    queue.dead(claim, "PlexFailing", "HTTP 500").unwrap();
    queue
        .enqueue(NewJob::new(Job::Scanned { id: scenes[2] }).key("scanned"))
        .unwrap();
    drop(queue);
    for gone in [failed, scenes[1], scenes[2]] {
        let gone = stash.destroy_scene(gone).unwrap();
        plugin.hook(&Trigger::SceneDestroy(&gone));
    }
    for mode in ["queue_status", "health_check", "recover_outage_jobs"] {
        assert!(plugin.task(mode).output().is_some(), "{mode}");
    }
    drop(lock);
    for mode in [
        "reconcile_all",
        "reconcile_missing_metadata",
        "all",
        "process_queue",
    ] {
        assert!(plugin.task(mode).output().is_some(), "{mode}");
    }
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    assert!(
        plugin
            .worker_log()
            .contains("deleted in Stash; what was on record of it is dropped")
    );
    assert_eq!(stash.error_log(), Vec::<String>::new());
}

/// Stash takes a scene's files away just before it deletes the scene: who reads it in between has
/// not seen a fault.
#[test]
fn a_scene_that_is_read_while_it_is_deleted_has_not_failed() {
    let plugin = Installed::with(2, json!({"idle_timeout": 0.1}));
    let (stash, scene) = (&plugin.world.stash, plugin.world.scenes[0]);
    stash.change_silently(scene, |scene| scene.files.clear());
    let reads = Requests::all().containing("query FindScenes").times(1);
    stash.after(reads, move |stash| drop(stash.destroy_scene(scene)));
    plugin.save_and_wait(scene);
    let log = plugin.worker_log();
    assert!(log.contains("deleted in Stash"), "{log}");
    assert_eq!(plugin.queue().counts().unwrap().dead, 0, "{log}");
    assert_eq!(stash.error_log(), Vec::<String>::new());
}

/// Before anything was synced, a page's question makes no file; later it is noted once a minute,
/// and there is a worker.
#[test]
fn a_page_that_asks_for_a_catch_up_is_heard_once_a_minute() {
    let plugin = Installed::with(1, json!({"idle_timeout": 0.1}));
    let ask = || plugin.task("catch_up").output().unwrap()["catch_up"].clone();
    assert_eq!(ask(), "nothing_yet");
    assert!(!plugin.data().exists());
    plugin.save_and_wait(plugin.world.scenes[0]);
    let started = || plugin.worker_log().matches("started").count();
    assert_eq!(ask(), "wanted");
    plugin.until("started", || started() == 2);
    assert!(catch_up::wanted(plugin.queue().sql()).unwrap().is_some());
    plugin.until_no_worker();
    assert_eq!(ask(), "asked_already");
    let mut queue = plugin.queue_as(Options::producer());
    let later = "UPDATE meta SET value = ?1 WHERE key = 'catch_up_wanted'";
    queue
        .transaction(|tx| -> queue::Result<_> { Ok(tx.sql().execute(later, ["1"])?) })
        .unwrap();
    drop(queue);
    assert_eq!(ask(), "wanted");
    assert_eq!(plugin.task("catch_up").reply.get("error"), None::<&Value>);
}
