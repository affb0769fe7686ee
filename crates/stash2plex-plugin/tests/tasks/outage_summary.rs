//! Outage Summary.

use super::*;

#[test]
fn outages_are_summed_up() {
    let plugin = Installed::new(1);
    let (text, output) = look(&plugin, "outage_summary");
    says(&text, "i Outages: none recorded");
    assert_eq!(output["outages"]["availability"], 1.0);

    // An hour in all: up 1200 s, down 600 s, up 1080 s, down 120 s, up 300 s, down 300 s so far.
    let t = (now() - 3600.0).floor();
    let outage = |from: f64, to: Option<f64>, jobs: u64, reason: &str| json!({"started": t + from, "ended": to.map(|to| t + to), "jobs_affected": jobs, "reason": reason});
    let file = json!({
        "state": "open", "opened_at": t + 3300.0, "reason": "failures", "outages_since": t,
        "outages": [
            outage(1200.0, Some(1800.0), 40, "failures"),
            outage(2880.0, Some(3000.0), 1, "unauthorized"),
            outage(3300.0, None, 7, "failures"),
        ],
    });
    set_breaker(&plugin, file.to_string());
    plugin.world.stash.down(); // nobody is asked
    let (text, output) = look(&plugin, "outage_summary");
    says(&text, "i 3 outages since ");
    says(&text, "total downtime 17m");
    says(
        &text,
        "mean length (MTTR) 6m, mean time between two (MTBF) 11m 30s, one is ongoing",
    );
    says(
        &text,
        ": lasted 10m, 40 changes delayed (failures), ended 30m",
    );
    says(
        &text,
        ": lasted 2m, 1 change delayed (Plex refuses the token), ended 10m",
    );
    says(&text, "ongoing for 5m");
    let outages = &output["outages"];
    let near = |value: &Value, wanted: f64, within: f64| {
        let value = value.as_f64().unwrap();
        assert!((value - wanted).abs() < within, "{value} is not {wanted}");
    };
    near(&outages["mttr"], 360.0, 0.01);
    near(&outages["mtbf"], 690.0, 0.01);
    // The ongoing outage grows while the test runs.
    near(&outages["downtime"], 1020.0, 60.0);
    near(&outages["availability"], 1.0 - 1020.0 / 3600.0, 0.02);
    assert_eq!(outages["last"][0]["jobs_affected"], 7);
}
