//! What must hold when things go wrong around the plugin.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use common::{Installed, binary};
use serde_json::{Value, json};
use simulators::{Trigger, run_plugin};

/// Broken input is answered in words, with the exit code Stash expects.
#[test]
fn broken_stdin_is_answered_in_words() {
    let plugin = Installed::new(1);
    let task = |args: Value| plugin.world.stash.task_stdin(args);
    let mut no_args: Value = serde_json::from_str(&task(json!({}))).unwrap();
    no_args.as_object_mut().unwrap().remove("args");
    let mut relative: Value = serde_json::from_str(&task(json!({"mode": "all"}))).unwrap();
    relative["server_connection"]["Dir"] = json!("");
    let cases = [
        (String::new(), "stdin is empty"),
        (relative.to_string(), "Dir must be an absolute path"),
        ("hello".to_owned(), "not JSON"),
        ("null".to_owned(), "stdin must be an object"),
        ("[]".to_owned(), "stdin must be an object"),
        (no_args.to_string(), "args must be an object"),
        (task(json!({})), "names no mode"),
        (task(json!({"mode": "dance"})), "unknown mode \"dance\""),
        ("x".repeat(10 << 20), "not JSON"),
    ];
    for (stdin, words) in cases {
        let run = plugin.run(&stdin);
        assert!(run.status.success(), "{words}");
        let error = run.error().unwrap_or_default();
        assert!(error.contains(words), "{words}: {}", run.reply);
        assert_eq!(run.output(), None);
    }
    assert!(!plugin.data().exists(), "nothing was written for nonsense");
}

/// A pasted cover makes a save's input megabytes large; the save is recorded all the same.
#[test]
fn ten_megabytes_of_input_are_recorded() {
    let plugin = Installed::new(1);
    let scene = plugin.world.scenes[0];
    let stdin = plugin.world.stash.hook_stdin(&Trigger::SceneForm(scene));
    let mut document: Value = serde_json::from_str(&stdin).unwrap();
    let cover = format!("data:image/jpeg;base64,{}", "A".repeat(10 << 20));
    document["args"]["hookContext"]["input"]["cover_image"] = json!(cover);
    let run = plugin.run(&document.to_string());
    assert_eq!(run.error(), None);
    plugin.until_equal();
}

/// Clicks that Plex does not show start nothing.
#[test]
fn a_play_counter_starts_nothing() {
    let plugin = Installed::new(1);
    let run = plugin.hook(&Trigger::SceneUpdate(
        plugin.world.scenes[0],
        &["play_count"],
    ));
    assert!(run.output().unwrap().as_str().unwrap().contains("nothing"));
    assert!(!plugin.data().exists());
}

/// A hundred hooks at the same moment: a hundred scenes recorded, one worker, nobody locked out.
#[test]
fn a_hundred_hooks_at_once() {
    let plugin = Installed::with(100, json!({"idle_timeout": 5}));
    // Else a look makes jobs of its own, for what was read within seconds of its change.
    plugin.untouched_for_a_week();
    let inputs: Vec<_> = plugin
        .world
        .scenes
        .iter()
        .map(|scene| plugin.world.stash.hook_stdin(&Trigger::SceneForm(*scene)))
        .collect();
    thread::scope(|scope| {
        let hooks: Vec<_> = inputs
            .iter()
            .map(|stdin| scope.spawn(move || run_plugin(binary(), stdin).unwrap()))
            .collect();
        for hook in hooks {
            let run = hook.join().unwrap();
            assert_eq!(run.error(), None);
            let said = run.output().unwrap().as_str().unwrap();
            assert!(
                said.starts_with("recorded scene:") && !said.contains("could not"),
                "{said}"
            );
        }
        plugin.until_equal();
    });
    // A process that another hook started just then waits a moment for the lock and goes.
    plugin.until("one worker", || plugin.workers().len() == 1);
    let started = plugin.worker_log().matches(" started").count();
    assert_eq!(started, 1, "{}", plugin.worker_log());
    plugin.until("nothing left", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

/// `kill -9` of the worker again and again in the middle of a drain: every scene ends equal.
#[test]
fn kill_nine_in_the_middle_of_a_drain_loses_nothing() {
    let plugin = Installed::with(60, json!({"idle_timeout": 5}));
    plugin
        .world
        .plex
        .set_latency(std::time::Duration::from_millis(5));
    let mut killed = BTreeSet::new();
    for (n, scene) in plugin.world.scenes.clone().into_iter().enumerate() {
        plugin.save(scene);
        if n % 10 == 9 {
            let done = plugin.queue().counts().unwrap().done;
            plugin.until("further", || plugin.queue().counts().unwrap().done > done);
            killed.extend(plugin.workers());
            plugin.kill_worker();
        }
    }
    assert!(
        killed.len() >= 3,
        "the test must kill workers at work: {killed:?}"
    );
    plugin.task("process_queue");
    plugin.until_equal();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

/// Saves while Plex is down wait, and arrive when it is back; the outage is known as one.
/// One of them may be what killed the worker.
#[test]
fn jobs_of_a_killed_worker_are_worked_off_one_at_a_time() {
    let plugin = Installed::with(10, json!({"idle_timeout": 60}));
    // Or a look would queue them once more, to be worked off together.
    plugin.untouched_for_a_week();
    plugin.world.plex.set_latency(Duration::from_millis(50));
    let (last, first) = plugin.world.scenes.split_last().unwrap();
    first.iter().for_each(|scene| drop(plugin.save(*scene)));
    let running = || plugin.queue().counts().unwrap().running;
    plugin.until("several at a time, and all", || {
        let counts = plugin.queue().counts().unwrap();
        counts.running >= 4 && counts.ready == 0
    });
    plugin.kill_worker();
    let orphaned = running();
    assert!(orphaned >= 4, "{orphaned}");
    plugin.save(*last);
    plugin.until("taken back", || {
        plugin.queue().counts().unwrap().lost >= orphaned
    });
    let mut most = 0;
    plugin.until("worked off", || {
        most = most.max(running());
        plugin.queue().counts().unwrap().live() == 0
    });
    // What was saved last is under way already when the first of them is taken.
    assert!(most <= 2, "{most} at a time of {orphaned}");
    plugin.until_equal();
}

#[test]
fn an_outage_of_plex_loses_nothing() {
    let plugin = Installed::with(30, json!({"idle_timeout": 5}));
    for (n, scene) in plugin.world.scenes.clone().into_iter().enumerate() {
        if n == 10 {
            plugin.world.plex.down();
        }
        plugin.save(scene);
    }
    plugin.until("open", || {
        plugin.worker_log().contains("Sending to Plex is paused:")
    });
    plugin.until("probed", || {
        plugin.worker_log().contains("probe 2 of Plex failed")
    });
    plugin.world.plex.up().unwrap();
    plugin.until_equal();
    plugin.until("closed", || plugin.worker_log().contains("sending goes on"));
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
    let document = std::fs::read_to_string(plugin.data().join("circuit_breaker.json")).unwrap();
    assert!(document.contains(r#""state": "closed""#) || document.contains(r#""state":"closed""#));
}

/// The task shows the progress of the worker and ends when nothing is left.
#[test]
fn process_queue_follows_the_worker_to_the_end() {
    let plugin = Installed::with(20, json!({"enabled": false}));
    plugin.untouched_for_a_week();
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_no_worker();
    let run = plugin.task("process_queue");
    assert!(
        run.error()
            .unwrap()
            .contains("Sync enabled (enabled) is off"),
        "{:?}",
        run.reply
    );
    assert_eq!(
        plugin.queue().counts().unwrap().live(),
        20,
        "disabled: nothing sent, nothing lost"
    );

    plugin.set(json!({}));
    let run = plugin.task("process_queue");
    assert_eq!(run.error(), None);
    assert_eq!(run.output().unwrap()["done"], 20);
    assert!(
        plugin.world.comparison().is_equal(),
        "{}",
        plugin.world.comparison()
    );
    let shares: Vec<f64> = run
        .log
        .iter()
        .filter(|(level, _)| *level == 'p')
        .map(|(_, share)| share.parse().unwrap())
        .collect();
    assert!(
        shares.is_sorted() && shares.last() == Some(&1.0),
        "{shares:?}"
    );
}
