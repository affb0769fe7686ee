//! Settings that make no sense, as the settings page and the API let people store them.

use super::*;

/// A cleared field, a switch as text and numbers out of range stop nothing; each is said, all at once, where a person looks.
#[test]
fn bad_values_are_said_together_and_stop_nothing() {
    let plugin = Installed::with(
        2,
        json!({
            "reconcile_interval": "", "sync_tags": "on", "enabled": "yes", "plex_library": "",
            "max_retries": 99, "max_tags": "lots", "read_timeout": -1, "strict_matching": "perhaps",
        }),
    );
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    plugin.until_no_worker();
    let (text, output) = look(&plugin, "health_check");
    let log = plugin.worker_log();
    for words in [
        "setting max_retries: 99 is outside 1–20; using 20",
        "setting max_tags: \"lots\" is not a number; using 100",
        "setting read_timeout: -1 is outside 5–120; using 5",
        "setting strict_matching: \"perhaps\" is neither true nor false; using on",
    ] {
        says(&text, &format!("w {words}"));
        says(&log, words);
    }
    assert_eq!(output["settings"]["faults"].as_array().unwrap().len(), 4);
}
