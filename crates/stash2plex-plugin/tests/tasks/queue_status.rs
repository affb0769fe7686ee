//! View Queue Status.

use super::*;

#[test]
fn queue_status_shows_all_there_is() {
    let settings = json!({"recovery_ramp": true});
    let plugin = Installed::with(1, settings);
    let mut queue = jobs(&plugin);
    for (id, kind) in [
        (1, "PlexFailing"),
        (2, "PlexFailing"),
        (3, "NotInPlex"),
        (7, "LowConfidence"),
        (8, queue::OWNER_DIED),
    ] {
        die(&mut queue, id, kind);
    }
    enqueue(&mut queue, 4);
    let later = NewJob::new(Job::Scene {
        id: 5,
        force: false,
    })
    .due_in(Duration::from_secs(7130));
    queue.enqueue(later).unwrap();
    enqueue(&mut queue, 6);
    let running = queue.claim(1).unwrap();
    let mut schedule = plex_health::Schedule::default();
    schedule.failed(SystemTime::now() - Duration::from_secs(90), |_| {
        Duration::ZERO
    });
    ledger::create(queue.sql()).unwrap();
    meta::set(queue.sql(), meta::PROBE, &json!(schedule).to_string()).unwrap();
    let ended = now() - 150.0;
    let file = json!({
        "state": "closed", "recovered_at": ended,
        "outages": [{"started": ended - 600.0, "ended": ended, "jobs_affected": 2, "reason": "failures"}],
    });
    set_breaker(&plugin, file.to_string());
    let (text, output) = look(&plugin, "queue_status");
    says(&text, "i Queue: 3 changes waiting, 0 running, 5 failed");
    says(&text, "w Failed ");
    says(
        &text,
        "What to do: Scan the library in Plex, and see that Plex libraries (plex_library) names it; or correct Path map (path_map)",
    );
    says(&text, "What to do: Fill in Path map (path_map)");
    says(
        &text,
        "the worker ended in the middle of it ten times in a row. What to do: Save the scene",
    );
    says(&text, "i Sending to Plex: yes");
    assert!(
        !text.contains("Last probe"),
        "only while jobs are held: {text}"
    );
    assert_eq!(output["last_probe"]["failures"], 1);
    says(&text, "i Sending slowly after the outage: at most 12.");
    says(
        &text,
        ": lasted 10m, 2 changes delayed (failures), ended 2m",
    );
    says(&text, "i Last reconciliation: none yet");
    says(&text, "w Worker: not running though changes wait");
    assert_eq!(output["queue"]["failed_by_type"][0]["count"], 2);
    let rate = output["ramp"]["rate"].as_f64().unwrap();
    assert!(
        (12.5..15.0).contains(&rate),
        "half way at the start: {rate}"
    );
    drop(running);
}
