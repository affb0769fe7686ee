//! A worker that is asked to stop ends at once, whatever it does.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::Installed;
use serde_json::json;
use simulators::Fault;

const AT_ONCE: Duration = Duration::from_millis(100);
/// The machine may be busy with other tests; a worker that waits for something is late every time.
const TRIES: usize = 5;

/// Asks the worker to stop, in the state that `prepare` brings it to; the quickest end of a few.
fn ends_at_once(plugin: &Installed, mut prepare: impl FnMut()) {
    let mut took = Vec::new();
    for _ in 0..TRIES {
        prepare();
        // Another that lost the race to be the worker may not have ended yet.
        plugin.until("one worker", || plugin.workers().len() == 1);
        let worker = plugin.workers()[0];
        let started = Instant::now();
        let asked = Command::new("kill").arg(worker.to_string()).status();
        assert!(asked.unwrap().success());
        while !plugin.workers().is_empty() {
            std::thread::yield_now();
        }
        took.push(started.elapsed());
        let log = plugin.worker_log();
        assert!(log.contains("worker ends: asked to stop"), "{log}");
        if took.last() <= Some(&AT_ONCE) {
            return;
        }
    }
    unreachable!("never at once: {took:?}");
}

fn started(plugin: &Installed) -> usize {
    plugin.worker_log().matches(" started").count()
}

#[test]
fn when_idle() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    ends_at_once(&plugin, || {
        plugin.save(plugin.world.scenes[0]);
        plugin.until("idle", || {
            started(&plugin) > 0 && plugin.queue().counts().unwrap().live() == 0
        });
    });
}

#[test]
fn while_a_probe_hangs() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60, "recovery_timeout": 30}));
    ends_at_once(&plugin, || {
        plugin.world.plex.fail_with(Fault::Unauthorized);
        plugin.save(plugin.world.scenes[0]);
        plugin.until("open", || {
            !plugin.workers().is_empty()
                && plugin.worker_log().contains("Sending to Plex is paused:")
        });
        plugin.world.plex.fail_with(Fault::Hang);
        plugin.until("hanging", || {
            let requests = plugin.world.plex.requests();
            requests.last().is_some_and(|last| last.ended.is_none())
        });
    });
}

#[test]
fn in_the_middle_of_a_drain() {
    let plugin = Installed::with(40, json!({"idle_timeout": 60}));
    plugin.world.plex.set_latency(Duration::from_millis(100));
    let mut scenes = plugin.world.scenes.iter();
    ends_at_once(&plugin, || {
        let before = plugin.worker_log().matches("wrote").count();
        scenes.by_ref().take(8).for_each(|scene| {
            plugin.save(*scene);
        });
        plugin.until("at work", || {
            plugin.worker_log().matches("wrote").count() > before
        });
        assert!(plugin.queue().counts().unwrap().live() > 0);
    });
    // What was under way is given back, not lost.
    plugin.world.plex.set_latency(Duration::ZERO);
    for scene in scenes {
        plugin.save(*scene);
    }
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}
