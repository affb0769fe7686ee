//! Tasks, as Stash runs them: one at a time, with a bar and lines in its log.

use std::time::Duration;

use serde_json::json;

use super::server::Real;

/// What Stash says of a task that a person stops.
pub const STOPPED: &[&str] = &["Plugin returned error: signal: killed"];

pub fn sync_all(real: &mut Real) {
    let log = real.task("Sync All Scenes");
    for words in [
        "Sync All Scenes: ",
        " scenes queued",
        "Since this task began: ",
        " 0 failed, 0 waiting",
    ] {
        assert!(log.contains(words), "{words:?} is not in:\n{log}");
    }
    let log = real.task("Reconcile All Scenes");
    for words in [
        "scenes compared with what was last written, none differs",
        "Since this task began: 0 scenes synced, ",
    ] {
        assert!(log.contains(words), "{words:?} is not in:\n{log}");
    }
    // The others say their lines too.
    for (task, words) in [
        ("Process Queue", "No change is waiting"),
        ("Health Check", "Plex: healthy"),
        ("View Queue Status", "Last reconciliation: "),
        ("Outage Summary", "Outage"),
        ("Retry Failed Changes", "nothing to try again"),
        ("Clear Queue", "nothing to clear"),
    ] {
        let log = real.task(task);
        assert!(log.contains(words), "{task}: {words:?} is not in:\n{log}");
    }
}

/// The script of Stash's pages, and what it asks.
pub fn page(real: &mut Real) {
    let script = real.get("/plugin/Stash2Plex/javascript");
    assert!(script.contains("catch_up"), "{script}");
    assert!(["wanted", "asked_already"].contains(&&*real.page_asks()));
}

pub fn stopped(real: &mut Real) {
    real.plex.set_latency(Duration::from_millis(40));
    let task = real.start_task("Sync All Scenes");
    let query = "query ($id: ID!) { findJob(input: {id: $id}) { status progress } }";
    real.until("progress is shown", || {
        let job = real.ask(query, json!({"id": task}));
        job["findJob"]["progress"]
            .as_f64()
            .is_some_and(|share| share > 0.05)
    });
    real.ask(
        "mutation ($id: ID!) { stopJob(job_id: $id) }",
        json!({"id": task}),
    );
    real.until_job_ends(&task);
    assert!(real.waiting() > 0, "stopped in the middle");
    real.plex.set_latency(Duration::ZERO);
    real.until_worked_off();
}
