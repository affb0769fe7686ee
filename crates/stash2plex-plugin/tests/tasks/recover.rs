//! Retry Changes of Last Outage: what comes back, what does not, and that a second run changes
//! nothing.

use super::*;

fn recovered(output: &Value) -> [u64; 5] {
    [
        "found",
        "recovered",
        "already_queued",
        "synced_since",
        "gone",
    ]
    .map(|name| output[name].as_u64().unwrap())
}

#[test]
fn an_outages_jobs_are_recovered_once() {
    let plugin = Installed::new(7);
    let scenes = plugin.world.scenes.clone();
    let mut queue = jobs(&plugin);
    let started = now();
    die(&mut queue, scenes[6], "PlexFailing"); // of an outage before
    let between = now();
    thread::sleep(Duration::from_millis(5));
    for scene in &scenes[..5] {
        die(&mut queue, *scene, "PlexFailing");
    }
    die(&mut queue, scenes[5], "NotInPlex"); // no fault of the server's
    let ended = now();
    let file = json!({
        "state": "closed", "recovered_at": ended,
        "outages": [
            {"started": started, "ended": between, "reason": "failures"},
            // They used up their tries in the failures that opened the circuit.
            {"started": ended - 0.001, "ended": ended, "reason": "failures"},
        ],
    });
    set_breaker(&plugin, file.to_string());
    enqueue(&mut queue, scenes[0]);
    plugin.world.stash.destroy_scene(scenes[1]).unwrap();
    ledger::create(queue.sql()).unwrap();
    let synced = ledger::SceneRow {
        synced_at: (now() * 1e3) as i64 + 1000,
        ..ledger::SceneRow::default()
    };
    let server = ledger::server(queue.sql(), "one").unwrap();
    ledger::put_scene(queue.sql(), server, scenes[2], &synced).unwrap();

    // Neither with Plex down nor with Stash away.
    plugin.world.plex.fail_with(Fault::Unavailable);
    let (text, output) = look(&plugin, "recover_outage_jobs");
    says(
        &text,
        "w Nothing recovered: Plex is not healthy (overloaded",
    );
    assert_eq!(recovered(&output), [5, 0, 0, 0, 0]);
    plugin.world.plex.clear_faults();
    plugin.world.stash.down();
    let (text, _) = look(&plugin, "recover_outage_jobs");
    says(&text, "w Nothing recovered: Stash does not answer");
    plugin.world.stash.up().unwrap();
    assert_eq!(queue.counts().unwrap().dead, 7);

    // Somebody who is about to start a worker keeps the task from starting one.
    let lock = plugin.take_lock(Role::Starter);
    let breaker = std::fs::read(plugin.data().join("circuit_breaker.json")).unwrap();
    let (text, output) = answered(&plugin.task("recover_outage_jobs"));
    says(&text, "5 changes failed in it, or shortly before");
    says(
        &text,
        "i 2 changes queued again, 1 already queued, 1 synced since, 1 no longer in Stash, 0 unreadable",
    );
    says(&text, "i Worker: was not running; it is started now");
    assert_eq!(recovered(&output), [5, 2, 1, 1, 1]);
    let counts = queue.counts().unwrap();
    assert_eq!((counts.live(), counts.dead), (3, 5));

    let (_, output) = look(&plugin, "recover_outage_jobs");
    assert_eq!(recovered(&output), [3, 0, 1, 1, 1]);
    let counts = queue.counts().unwrap();
    assert_eq!(
        (counts.live(), counts.dead),
        (3, 5),
        "the second run changes nothing"
    );
    assert_eq!(
        std::fs::read(plugin.data().join("circuit_breaker.json")).unwrap(),
        breaker
    );
    assert!(plugin.workers().is_empty());
    drop(lock);

    // Also once the jobs are done: the letter of the one that was queued already went with it.
    answered(&plugin.task("process_queue"));
    let (_, output) = answered(&plugin.task("recover_outage_jobs"));
    assert_eq!(recovered(&output), [2, 0, 0, 1, 1]);
}

#[test]
fn without_an_ended_outage_nothing_is_recovered() {
    let plugin = Installed::new(1);
    let (text, _) = look(&plugin, "recover_outage_jobs");
    says(&text, "i No outage has ended yet: nothing to recover");
    set_breaker(&plugin, "[]");
    let (text, _) = look(&plugin, "recover_outage_jobs");
    says(
        &text,
        "w Nothing recovered: circuit_breaker.json, which names the outage, cannot be read",
    );
}
