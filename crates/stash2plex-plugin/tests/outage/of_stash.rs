//! Stash is away, or fails: none of that is Plex's.

use super::*;

/// Whoever saves was started by Stash, which is back then: nothing waits for the minute of its
/// circuit.
#[test]
fn a_save_tells_that_stash_is_back() {
    let plugin = Installed::with(3, json!({"idle_timeout": 120}));
    let [first, second, third] = plugin.world.scenes[..] else {
        panic!("three scenes")
    };
    plugin.save(first);
    plugin.until("synced", || plugin.queue().counts().unwrap().done == 1);
    plugin.world.stash.down();
    plugin.save(second);
    plugin.until("noticed", || {
        plugin.worker_log().contains("WARN  Stash does not answer")
    });
    plugin.world.stash.up().unwrap();
    let saved = Instant::now();
    plugin.save(third);
    plugin.until_equal();
    assert!(saved.elapsed() < Duration::from_secs(30));
}

/// While Stash is away, Plex's circuit stays closed, no try is counted, and Plex is asked for
/// nothing.
#[test]
fn plex_does_not_pay_for_stash() {
    let plugin = Installed::with(6, json!({"idle_timeout": 30, "max_retries": 1}));
    let mut scenes = plugin.world.scenes.iter();
    plugin.save(*scenes.next().unwrap());
    plugin.until("synced", || plugin.queue().counts().unwrap().done == 1);
    plugin.world.plex.take_requests();
    plugin.world.stash.down();
    for scene in scenes {
        plugin.save(*scene);
    }
    plugin.until("noticed", || {
        plugin.worker_log().contains("WARN  Stash does not answer")
    });
    let log = plugin.worker_log();
    let reason = log.find("(no connection: ").map(|at| &log[at..]);
    assert!(reason.unwrap().contains(" wait for Stash"), "{log}");
    assert_eq!(state(&plugin), Kind::Closed);
    assert_eq!(plugin.world.plex.request_count(), 0);
    let queue = plugin.queue();
    let counts = queue.counts().unwrap();
    assert_eq!((counts.live(), counts.dead), (5, 0));

    // The other way round: with Plex away, Stash is well.
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.world.stash.up().unwrap();
    plugin.world.plex.down();
    plugin.save(plugin.world.scenes[0]);
    plugin.until("open", || state(&plugin) == Kind::Open);
    plugin.until("said with its reason", || {
        let log = plugin.worker_log();
        log.contains("WARN  Plex cannot be used (unreachable: connection refused")
    });
    let log = plugin.worker_log();
    assert_eq!(log.matches("WARN  Stash does not answer").count(), 1);
    plugin.world.plex.up().unwrap();
    plugin.until_equal();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
}

/// What Stash cannot tell of some scenes is no outage of Stash: others go on, and these are asked
/// for again.
#[test]
fn a_stash_that_answers_and_fails_is_not_taken_for_gone() {
    let plugin = Installed::with(8, json!({"idle_timeout": 30}));
    let failed = r#"{"errors":[{"message":"database is locked"}],"data":null}"#;
    let failed = Response::new(200, "application/json", failed);
    let wrong = Rule::new(Fault::Answer(failed)).containing("query FindScenes");
    plugin.world.stash.fail_when(wrong.times(6));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    let log = plugin.worker_log();
    assert!(!log.contains("for Stash"), "{log}");
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
    plugin.kill_worker();
}
