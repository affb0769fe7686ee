//! What the tasks say, and that they change nothing.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use common::Installed;
use queue::{DeadFilter, NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{Fault, Run};
use stash2plex_plugin::job::{Job, scene_key};

fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

fn document(plugin: &Installed, text: &str) {
    fs::create_dir_all(plugin.data()).unwrap();
    fs::write(plugin.data().join("circuit_breaker.json"), text).unwrap();
}

fn open_since(seconds: f64) -> String {
    let opened = unix_now() - seconds;
    json!({
        "state": "open", "failure_count": 5, "success_count": 0, "opened_at": opened,
        "retry_at": opened + 600.0, "reason": "unauthorized",
    })
    .to_string()
}

/// Everything in the data folder, to show that a task leaves it alone.
fn files(plugin: &Installed) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(plugin.data()) else {
        return Vec::new();
    };
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

fn ran(plugin: &Installed, mode: &str) -> Run {
    let before = files(plugin);
    let run = plugin.task(mode);
    assert_eq!(run.error(), None, "{}", run.log_text());
    assert_eq!(files(plugin), before, "{mode} is for reading");
    assert_eq!(plugin.workers(), [0; 0], "{mode} starts no worker");
    run
}

#[test]
fn the_four_states_of_the_breakers_file() {
    let plugin = Installed::new(1);
    let half_open = json!({"state": "half_open", "failure_count": 5, "success_count": 0, "opened_at": unix_now()});
    let cases = [
        (None, "i Circuit: CLOSED"),
        (
            Some("{\"state\": \"op".to_owned()),
            "w Circuit: UNKNOWN, circuit_breaker.json is damaged",
        ),
        (Some(open_since(191.0)), "w Circuit: OPEN, opened 3m 1"),
        (Some(half_open.to_string()), "i Circuit: HALF_OPEN"),
    ];
    for (text, words) in cases {
        if let Some(text) = text {
            document(&plugin, &text);
        }
        let log = ran(&plugin, "health_check").log_text();
        assert!(log.contains(words), "{words}:\n{log}");
        assert!(log.contains("i Plex: healthy, responded in "), "{log}");
    }
}

#[test]
fn each_trouble_of_plex_has_its_words_and_a_hint() {
    let plugin = Installed::new(1);
    let cases = [
        (Fault::maintenance(), "database migrations"),
        (Fault::Unavailable, "HTTP 503"),
        (Fault::Unauthorized, "token"),
        (Fault::BadGateway, "proxy"),
        (Fault::HtmlPage, "not Plex"),
        (Fault::Truncated, "broke"),
    ];
    for (fault, words) in cases {
        plugin.world.plex.fail_with(fault.clone());
        let log = ran(&plugin, "health_check").log_text();
        let line = log
            .lines()
            .find(|line| line.starts_with("e Plex: "))
            .unwrap_or_default();
        assert!(
            line.len() > 40 && !line.ends_with(". "),
            "{fault:?} has a hint: {log}"
        );
        assert!(
            line.contains(words) || matches!(fault, Fault::Truncated | Fault::HtmlPage),
            "{words}: {line}"
        );
    }
    plugin.world.plex.clear_faults();
    plugin.world.plex.down();
    let log = ran(&plugin, "health_check").log_text();
    assert!(log.contains("connection refused"), "{log}");
}

/// The file is replaced in one step, so a reader never sees half of it.
#[test]
fn health_check_reads_while_another_process_writes() {
    let plugin = Installed::with(
        30,
        json!({"idle_timeout": 5, "failure_threshold": 1, "recovery_timeout": 0.1}),
    );
    plugin.world.plex.fail_with(Fault::Close);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("open", || plugin.worker_log().contains("circuit open"));
    for _ in 0..20 {
        let run = plugin.task("health_check");
        assert_eq!(run.error(), None);
        assert!(!run.log_text().contains("UNKNOWN"), "{}", run.log_text());
    }
    plugin.world.plex.clear_faults();
    plugin.until_equal();
}

#[test]
fn jobs_behind_an_open_circuit_are_a_warning() {
    let plugin = Installed::with(3, json!({"enabled": false}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_no_worker();
    plugin.until("ended", || plugin.workers().is_empty());
    document(&plugin, &open_since(5.0));
    let run = plugin.task("health_check");
    let log = run.log_text();
    assert!(
        log.contains("w 3 jobs wait behind the open circuit"),
        "{log}"
    );
    assert_eq!(run.output().unwrap()["queue"]["Ok"]["pending"], 3);
    let log = plugin.task("queue_status").log_text();
    assert!(
        log.contains("i Queue: 3 pending, 0 waiting for retry, 0 set aside"),
        "{log}"
    );
}

#[test]
fn recovery_puts_back_what_the_outage_cost_and_nothing_twice() {
    let plugin = Installed::new(4);
    let started = unix_now() - 3600.0;
    document(
        &plugin,
        &json!({
            "state": "closed", "failure_count": 0, "success_count": 0, "opened_at": null,
            "outages": [{"started": started, "ended": started + 1800.0, "jobs_affected": 4, "reason": "failures"}],
        })
        .to_string(),
    );
    let mut queue =
        Queue::<Job>::open(plugin.data().join("stash2plex.db"), Options::consumer()).unwrap();
    let scenes = plugin.world.scenes.clone();
    for id in &scenes {
        queue
            .enqueue(
                NewJob::new(Job::Scene {
                    id: *id,
                    force: false,
                })
                .key(scene_key(*id)),
            )
            .unwrap();
    }
    for (claim, kind) in queue.claim(4).unwrap().into_iter().zip([
        "PlexFailing",
        "PlexFailing",
        "PlexFailing",
        "NotInPlex",
    ]) {
        queue.dead(claim, kind, "why").unwrap();
    }
    plugin.world.stash.destroy_scene(scenes[1]);
    queue
        .enqueue(
            NewJob::new(Job::Scene {
                id: scenes[2],
                force: false,
            })
            .key(scene_key(scenes[2])),
        )
        .unwrap();

    let summary = plugin.task("outage_summary").log_text();
    assert!(
        summary.contains("lasted 30m, 4 jobs affected (failures)"),
        "{summary}"
    );
    assert!(summary.contains("mean time to repair: 30m"), "{summary}");

    plugin.world.plex.down();
    let run = plugin.task("recover_outage_jobs");
    assert_eq!(
        run.output().unwrap()["recovered"],
        0,
        "the first gate: Plex is up"
    );
    plugin.world.plex.up().unwrap();
    let run = plugin.task("recover_outage_jobs");
    assert_eq!(
        run.output().unwrap(),
        &json!({"recovered": 1, "queued_already": 1, "gone": 1})
    );
    let again = plugin.task("recover_outage_jobs");
    assert_eq!(
        again.output().unwrap(),
        &json!({"recovered": 0, "queued_already": 0, "gone": 0})
    );
    assert_eq!(queue.counts().unwrap().ready, 2);
    let left = queue.dead_letters(&DeadFilter::all()).unwrap();
    assert_eq!(
        left.iter()
            .map(|letter| letter.error_type.as_str())
            .collect::<Vec<_>>(),
        ["NotInPlex"]
    );
}

#[test]
fn a_health_check_without_settings_or_stash_says_so() {
    let plugin = Installed::new(1);
    plugin
        .world
        .stash
        .set_plugin_settings("Stash2Plex", json!({}));
    let run = ran(&plugin, "health_check");
    let log = run.log_text();
    assert!(
        log.contains("setting plex_url: is empty") && log.contains("setting plex_token"),
        "{log}"
    );
    assert_eq!(run.output().unwrap()["plex"], Value::Null);
    plugin.world.stash.down();
    let log = ran(&plugin, "health_check").log_text();
    assert!(log.contains("the settings cannot be read"), "{log}");
}
