//! The tasks that throw something away.

use super::*;

/// Runs a task that changes the queue: it starts no worker.
fn clear(plugin: &Installed, args: Value) -> (String, Value) {
    let answer = answered(&plugin.run(&plugin.world.stash.task_stdin(args)));
    assert!(plugin.workers().is_empty());
    answer
}

#[test]
fn nothing_is_made_just_to_be_cleared() {
    let plugin = Installed::new(1);
    for (mode, words) in [
        ("clear_queue", "i The queue was empty: nothing to clear"),
        (
            "clear_dlq",
            "i No failed change is listed: nothing to delete",
        ),
        (
            "purge_dlq",
            "i No failed change is older than 30 days: nothing to delete",
        ),
        (
            "clear_match_cache",
            "i No Plex item is on record: nothing to clear",
        ),
    ] {
        says(&look(&plugin, mode).0, words);
        assert!(!plugin.data().exists(), "{mode} made the folder");
    }
    // A queue that no worker has opened yet has no ledger.
    drop(jobs(&plugin));
    let (_, output) = clear(&plugin, json!({"mode": "clear_match_cache"}));
    assert_eq!(output, json!({"forgotten": 0}));
}

#[test]
fn clear_queue_leaves_what_runs() {
    let plugin = Installed::new(1);
    let mut queue = jobs(&plugin);
    die(&mut queue, 20, "NotInPlex");
    enqueue(&mut queue, 1);
    let running = queue.claim(1).unwrap().pop().unwrap();
    let lock = plugin.data().join("worker.lock");
    let _at_work = WorkerLock::try_take(&lock, Role::Worker).unwrap();
    for id in 2..14 {
        enqueue(&mut queue, id);
    }
    let retry = queue.claim(1).unwrap().pop().unwrap();
    let later = SystemTime::now() + Duration::from_secs(600);
    queue
        .retry_at(retry, later, "PlexFailing", "HTTP 500")
        .unwrap();
    let (text, output) = clear(&plugin, json!({"mode": "clear_queue"}));
    says(
        &text,
        "i Cleared 12 waiting changes; running ones are not interrupted",
    );
    says(&text, "to send one, save it again");
    assert_eq!(output, json!({"cleared": 12, "running": 1}));
    let counts = queue.counts().unwrap();
    assert_eq!((counts.live(), counts.running, counts.dead), (1, 1, 1));
    queue.done(running).unwrap();
    let (text, _) = clear(&plugin, json!({"mode": "clear_queue"}));
    says(&text, "i The queue was empty: nothing to clear");
}

#[test]
fn dead_letters_go_all_or_by_age() {
    let plugin = Installed::new(1);
    let mut queue = jobs(&plugin);
    for id in 1..=3 {
        die(&mut queue, id, "NotInPlex");
    }
    let (text, output) = clear(&plugin, json!({"mode": "purge_dlq", "days": "30"}));
    says(
        &text,
        "i No failed change is older than 30 days: nothing to delete; 3 newer ones kept",
    );
    assert_eq!(
        output,
        json!({"deleted": 0, "left": 3, "older_than_days": 30})
    );
    for days in [json!("soon"), json!(-1), json!(1.5), json!(99_999_999)] {
        let run = plugin.run(
            &plugin
                .world
                .stash
                .task_stdin(json!({"mode": "purge_dlq", "days": days})),
        );
        let error = run.error().unwrap();
        assert!(
            error.starts_with("days must be a whole number from 0 to 36500"),
            "{error}"
        );
    }
    assert_eq!(queue.counts().unwrap().dead, 3);
    let (text, output) = clear(&plugin, json!({"mode": "purge_dlq", "days": 0}));
    says(&text, "i Deleted 3 failed changes older than 0 days");
    assert_eq!(output["deleted"], 3);
    die(&mut queue, 4, "LowConfidence");
    let (text, output) = clear(&plugin, json!({"mode": "clear_dlq"}));
    says(&text, "i Deleted 1 failed change");
    assert_eq!(
        output,
        json!({"deleted": 1, "left": 0, "older_than_days": null})
    );
}

/// Against a worker in the middle of its work: nothing is locked out, broken or done twice.
#[test]
fn a_live_worker_and_the_clearing_tasks_do_not_fight() {
    let plugin = Installed::with(60, json!({"idle_timeout": 5}));
    // Or each scene would be read once more by the next look.
    plugin.untouched_for_a_week();
    plugin.world.plex.set_latency(Duration::from_millis(10));
    let (mut cleared, mut done) = (0, 0);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    for mode in [
        "clear_match_cache",
        "clear_dlq",
        "clear_queue",
        "clear_queue",
    ] {
        let (_, output) = answered(&plugin.task(mode));
        cleared += output["cleared"].as_u64().unwrap_or(0);
    }
    plugin.until("settled", || plugin.queue().counts().unwrap().live() == 0);
    done += plugin.queue().counts().unwrap().done;
    assert_eq!(cleared + done, 60, "{cleared} cleared, {done} done");
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
    let log = plugin.worker_log();
    assert!(!log.contains(" ERROR "), "{log}");
    assert_eq!(plugin.workers().len(), 1, "the worker lives on");
}

/// One by its number, those of a kind, and then all.
#[test]
fn failed_jobs_are_queued_again() {
    let plugin = Installed::new(4);
    let mut queue = jobs(&plugin);
    let kinds = ["NotInPlex", "PlexRefused", "PlexRefused", "PlexFailing"];
    for (scene, kind) in plugin.world.scenes.iter().zip(kinds) {
        die(&mut queue, *scene, kind);
    }
    drop(queue);
    let retry = |args| answered(&plugin.run(&plugin.world.stash.task_stdin(args)));
    let failed = || {
        let (_, output) = answered(&plugin.task("queue_status"));
        output["queue"]["failed_jobs"].as_array().unwrap().clone()
    };
    let one = failed()
        .iter()
        .find(|job| job["error_type"] == "NotInPlex")
        .unwrap()["job_id"]
        .clone();
    let (text, output) = retry(json!({"mode": "retry_failed", "job": one}));
    assert_eq!(
        text,
        "i 1 failed change queued again; 3 failed changes left\n"
    );
    assert_eq!(output, json!({"queued": 1, "left": 3}));
    let (text, _) = retry(json!({"mode": "retry_failed", "kind": "PlexRefused"}));
    assert_eq!(
        text,
        "i 2 failed changes queued again; 1 failed change left\n"
    );
    let (text, _) = retry(json!({"mode": "retry_failed", "kind": "Nothing"}));
    assert_eq!(
        text,
        "i No such failed change: nothing to try again; 1 failed change left\n"
    );
    let (text, _) = retry(json!({"mode": "retry_failed"}));
    assert_eq!(text, "i 1 failed change queued again\n");
    plugin.until_equal();
    let (text, _) = retry(json!({"mode": "retry_failed"}));
    assert_eq!(text, "i No failed change is listed: nothing to try again\n");
    let run = plugin.run(
        &plugin
            .world
            .stash
            .task_stdin(json!({"mode": "retry_failed", "job": "x"})),
    );
    assert!(run.error().unwrap().contains("job must be a job_id"));
}
