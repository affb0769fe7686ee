//! An outage on real processes, with `kill -9` of the worker in each of its phases.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use breaker::machine::Kind;
use breaker::{Document, Report};
use common::Installed;
use serde_json::json;
use simulators::Fault;

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
            .is_some_and(|last| last.contains("health check"))
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
        plugin.worker_log().matches("starting gently").count() >= 2
    });
    assert_eq!(
        document(&plugin).unwrap().recovered_at,
        recovered.recovered_at
    );
    let log = plugin.worker_log();
    let rates: Vec<u32> = log
        .lines()
        .filter_map(|line| {
            line.split_once("starting gently: ")?
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
    plugin.world.plex.fail_with(Fault::Unauthorized);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("tried again", || {
        plugin
            .worker_log()
            .matches("DEBUG scene 1: unauthorized")
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
