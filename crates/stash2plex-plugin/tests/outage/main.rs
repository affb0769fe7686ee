//! An outage on real processes, with `kill -9` of the worker in each of its phases.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod of_stash;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use breaker::machine::Kind;
use breaker::{Document, Report};
use common::Installed;
use queue::Options;
use serde_json::json;
use simulators::{Fault, PlexOptions, Response, Rule, Trigger};
use sync_engine::core::reconcile;
use sync_engine::storage::meta;

fn document(plugin: &Installed) -> Option<Document> {
    match Report::read(&plugin.data().join("circuit_breaker.json")) {
        Report::Known(document) => Some(*document),
        Report::Missing => None,
        Report::Corrupted(why) => panic!("corrupted: {why}"),
    }
}

fn state(plugin: &Installed) -> Kind {
    document(plugin).map_or(Kind::Closed, |document| document.state)
}

/// Kills the worker and starts another by saving one more scene.
fn replace_worker(plugin: &Installed, scene: u64) {
    let before = plugin.worker_log().matches(" started").count();
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.save(scene);
    plugin.until("restarted", || {
        plugin.worker_log().matches(" started").count() > before
    });
}

#[test]
fn state_outage_log_and_ramp_survive_the_worker() {
    let settings = json!({
        "idle_timeout": 30, "recovery_timeout": 1.0, "recovery_ramp": true,
        "ramp_initial_rate": 2, "ramp_target_rate": 20, "ramp_duration": 20,
    });
    let plugin = Installed::with(48, settings);
    let mut scenes = plugin.world.scenes.clone().into_iter();
    let mut next = || scenes.next().unwrap();

    // Closed.
    plugin.save(next());
    plugin.until("synced", || plugin.worker_log().contains("wrote"));
    replace_worker(&plugin, next());
    plugin.until("drained", || plugin.queue().counts().unwrap().live() == 0);
    assert_eq!(state(&plugin), Kind::Closed);

    // Open.
    plugin.world.plex.down();
    for _ in 0..20 {
        plugin.save(next());
    }
    plugin.until("open", || state(&plugin) == Kind::Open);
    let started = document(&plugin).unwrap().outages[0].started;
    replace_worker(&plugin, next());
    plugin.until("probing again", || {
        let log = plugin.worker_log();
        log.rsplit(" started")
            .next()
            .is_some_and(|last| last.contains(" of Plex failed"))
    });
    assert_ne!(state(&plugin), Kind::Closed, "a restart is no recovery");

    // Half open: Plex takes the trial and never answers.
    plugin.world.plex.fail_with(Fault::Hang);
    plugin.world.plex.up().unwrap();
    plugin.until("half open", || state(&plugin) == Kind::HalfOpen);
    replace_worker(&plugin, next());
    let outages = document(&plugin).unwrap().outages;
    assert_eq!(
        (outages.len(), outages[0].started, outages[0].ended),
        (1, started, None)
    );

    // Ramp.
    for _ in 0..20 {
        plugin.save(next());
    }
    plugin.world.plex.clear_faults();
    plugin.until("closed", || state(&plugin) == Kind::Closed);
    let recovered = document(&plugin).unwrap();
    assert_eq!(
        recovered.outages.len(),
        1,
        "one outage, however often the worker died"
    );
    assert!(recovered.outages[0].jobs_affected >= 20);
    let risen =
        UNIX_EPOCH + Duration::from_secs_f64(recovered.recovered_at.unwrap().unix_seconds() + 3.0);
    plugin.until("risen", || SystemTime::now() > risen);
    replace_worker(&plugin, next());
    plugin.until("resumed", || {
        plugin
            .worker_log()
            .matches("sending slowly after the outage: ")
            .count()
            >= 2
    });
    assert_eq!(
        document(&plugin).unwrap().recovered_at,
        recovered.recovered_at
    );
    let log = plugin.worker_log();
    let rates: Vec<u32> = log
        .lines()
        .filter_map(|line| {
            line.split_once("sending slowly after the outage: ")?
                .1
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    assert!(
        rates.first() < rates.last(),
        "resumed where it was, not at its foot: {rates:?}"
    );
    for scene in scenes {
        plugin.save(scene);
    }
    plugin.until_equal();
    plugin.until("drained", || plugin.queue().counts().unwrap().live() == 0);
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

/// A refused token is one outage with a reason, said once, and no dead letters.
#[test]
fn a_refused_token_is_said_once() {
    let plugin = Installed::with(10, json!({"idle_timeout": 30}));
    // As Plex does: who it is, it tells anybody.
    let refused = Rule::new(Fault::Unauthorized).path("/library");
    plugin.world.plex.fail_when(refused);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("tried again", || {
        plugin
            .worker_log()
            .matches("DEBUG Plex is not ready: Plex refuses the token")
            .count()
            >= 2
    });
    let log = plugin.worker_log();
    assert_eq!(
        log.matches("WARN  Plex refuses the token").count(),
        1,
        "{log}"
    );
    assert_eq!(
        document(&plugin).unwrap().outages[0].reason.as_str(),
        "unauthorized"
    );
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

fn edits(plugin: &Installed) -> usize {
    let requests = plugin.world.plex.requests();
    requests.iter().filter(|one| one.method == "PUT").count()
}

/// Another server at the same address gets neither a write nor the token, until a person says that
/// it is the right one.
#[test]
fn nothing_is_written_to_another_server_at_the_address() {
    let plugin = Installed::new(2);
    let (first, second) = (plugin.world.scenes[0], plugin.world.scenes[1]);
    plugin.save(first);
    plugin.until("synced", || plugin.worker_log().contains("wrote"));
    plugin.until_no_worker();

    let other = |plex: &mut PlexOptions| plex.machine_identifier = "other".to_owned();
    plugin.world.plex.set(other);
    plugin.world.plex.take_requests();
    plugin.save(second);
    let said = "WARN  Another Plex server answers at the Plex address";
    plugin.until("noticed", || plugin.worker_log().contains(said));
    plugin.until("tried again", || {
        let log = plugin.worker_log();
        log.matches("Plex is not ready: wrong server").count() >= 2
    });
    assert_eq!(plugin.worker_log().matches(said).count(), 1);
    let token = plugin.world.plex.token();
    assert!(
        plugin
            .world
            .plex
            .requests()
            .iter()
            .all(|one| one.path == "/identity" && !one.contains(&token))
    );
    let health = plugin.task("health_check");
    let text = health.log_text();
    assert!(text.contains("w Sending to Plex: paused "), "{text}");
    assert!(
        text.contains("w Plex: wrong server: \"other\" answered instead of"),
        "{text}"
    );
    assert!(text.contains("run the task Clear Match Cache"), "{text}");
    assert_eq!(health.output().unwrap()["plex"]["verdict"], "wrong_server");
    let counts = plugin.queue().counts().unwrap();
    assert!(counts.live() > 0 && counts.dead == 0, "{counts:?}");

    let text = plugin.task("clear_match_cache").log_text();
    assert!(text.contains("is taken for the right one"), "{text}");
    // The worker that lives hears of it.
    plugin.until_equal();
    assert_eq!(plugin.worker_log().matches(" started").count(), 2);
    assert!(
        plugin
            .worker_log()
            .contains("leads to another Plex server than before")
    );
}

/// A new address may lead to a new server, which has nothing of what the old one was given.
#[test]
fn a_new_address_may_lead_to_a_new_server() {
    let plugin = Installed::new(1);
    let scene = plugin.world.scenes[0];
    plugin.save(scene);
    plugin.until("synced", || plugin.worker_log().contains("wrote"));
    plugin.until_no_worker();
    let before = edits(&plugin);

    let elsewhere = plugin.world.plex.url().replace("127.0.0.1", "localhost");
    plugin.set(json!({"plex_url": elsewhere}));
    plugin.save(scene);
    plugin.until("ended", || {
        plugin.worker_log().matches("worker ends").count() == 2
    });
    assert_eq!(edits(&plugin), before, "the same server is equal already");
    assert!(!plugin.worker_log().contains("another server"));

    plugin
        .world
        .plex
        .set(|plex| plex.machine_identifier = "other".to_owned());
    plugin.set(json!({}));
    plugin.save(scene);
    plugin.until("moved", || {
        plugin
            .worker_log()
            .contains("leads to another Plex server than before")
    });
    plugin.until("compared", || plugin.queue().counts().unwrap().live() == 0);
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

/// The circuit of a refused token would stay open for the better part of an hour.
#[test]
fn a_corrected_token_is_tried_as_soon_as_it_is_read() {
    let plugin = Installed::new(2);
    plugin.save_and_wait(plugin.world.scenes[0]);
    // The settings are read again before a reconciliation.
    let soon = reconcile::unix(SystemTime::now()) - 3600 + 4;
    let queue = plugin.queue_as(Options::producer());
    meta::set(queue.sql(), "reconciliation_started", &soon.to_string()).unwrap();
    drop(queue);
    let slow = |token: String| {
        json!({
            "plex_token": token, "recovery_timeout": 3000, "reconcile_interval": "hourly",
            "reconcile_missing": false,
        })
    };
    plugin.set(slow("a-token-of-nobody".to_owned()));
    plugin.save(plugin.world.scenes[1]);
    plugin.until("refused", || {
        plugin.worker_log().contains("Plex refuses the token")
    });
    plugin.set(slow(plugin.world.plex.token()));
    plugin.until_equal();
}
