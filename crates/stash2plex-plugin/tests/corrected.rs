//! Settings that were wrong, under whatever names Stash keeps them, and what is told of it in
//! Stash's own log.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::Installed;
use serde_json::{Value, json};
use simulators::SettingsSpelling;

/// What Stash's log says of a save, at level Error.
fn told(plugin: &Installed, scene: u64) -> String {
    let run = plugin.save(scene);
    run.error().unwrap_or_default().to_owned()
}

fn until_ended(plugin: &Installed, times: usize) {
    plugin.until("ended", || {
        let log = plugin.worker_log();
        log.matches("worker ends").count() + log.matches(" ERROR ").count() >= times
    });
    plugin.until_no_worker();
}

/// The first release after the renaming ones, on their database: keys and plugin id are other than
/// they were set.
#[test]
fn renamed_settings_are_read_told_and_written_back_once() {
    let plugin = Installed::with(2, json!({"idle_timeout": 0.1}));
    let stash = &plugin.world.stash;
    let set = stash.plugin_settings("Stash2Plex");
    stash.rename_settings();
    assert_eq!(stash.plugin_settings("Stash2Plex"), Value::Null);
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert_eq!(stash.plugin_settings("Stash2Plex"), set, "all of it");
    plugin.save_and_wait(plugin.world.scenes[1]);
    assert!(plugin.world.comparison().is_equal());
    let log = plugin.worker_log();
    assert_eq!(log.matches("renamed settings").count(), 1, "{log}");
    assert_eq!(stash.error_log(), Vec::<String>::new());
}

/// What is there already under the exact names stays, and wins.
#[test]
fn what_has_its_name_is_kept() {
    let plugin = Installed::with(1, json!({"idle_timeout": 0.1}));
    let stash = &plugin.world.stash;
    let set = stash.plugin_settings("Stash2Plex");
    stash.rename_settings();
    stash.set_plugin_settings("Stash2Plex", json!({"mine": 7, "max_tags": 50}));
    plugin.save_and_wait(plugin.world.scenes[0]);
    let now = stash.plugin_settings("Stash2Plex");
    assert_eq!((&now["mine"], &now["max_tags"]), (&json!(7), &json!(50)));
    assert_eq!(now["plex_url"], set["plex_url"]);
}

/// 0.24 and 0.25 would rename them again: nothing is written there.
#[test]
fn a_stash_that_renames_is_told_of_once() {
    let plugin = Installed::with(2, json!({"idle_timeout": 0.1}));
    let stash = &plugin.world.stash;
    stash.set(|options| {
        options.version = "v0.25.1".to_owned();
        options.settings_spelling = SettingsSpelling::CamelKeys;
    });
    for scene in plugin.world.scenes.clone() {
        plugin.save_and_wait(scene);
    }
    assert!(plugin.world.comparison().is_equal());
    let log = plugin.worker_log();
    assert_eq!(
        log.matches("Stash v0.25.1 renames settings").count(),
        1,
        "{log}"
    );
    assert!(!log.contains("stored under their names"), "{log}");
}

/// A save says in Stash's log that nothing is sent, once; and again when something else is wrong.
#[test]
fn a_missing_address_is_told_in_stashs_log_once() {
    let plugin = Installed::with(1, json!({"plex_url": "", "plex_token": ""}));
    let scene = plugin.world.scenes[0];
    // The first save of all waits for it; where the worker was slow, the second says it.
    let first = told(&plugin, scene);
    until_ended(&plugin, 1);
    let words = first + &told(&plugin, scene);
    assert!(
        words.starts_with(
            "Nothing is sent to Plex, and changes are kept. Plex address (plex_url): it is empty"
        ),
        "{words}"
    );
    assert_eq!(told(&plugin, scene), "", "told already");
    let url = plugin.world.plex.url();
    plugin.set(json!({"plex_url": url, "plex_token": "short"}));
    told(&plugin, scene);
    until_ended(&plugin, 2);
    let words = told(&plugin, scene);
    assert!(
        words.contains("Plex token (plex_token): it is too short"),
        "{words}"
    );
    plugin.set(json!({}));
    assert_eq!(told(&plugin, scene), "");
    plugin.until_equal();
    assert_eq!(told(&plugin, scene), "");
}

/// A token that Plex refuses is told at once; another one finds the circuit closed, and what waits
/// goes at once.
#[test]
fn a_circuit_belongs_to_address_and_token() {
    let patient = json!({"recovery_timeout": 600, "probe_interval": 600, "probe_cap": 600, "retry_base": 60, "idle_timeout": 600});
    let with = |more: Value| {
        let mut all = patient.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let plugin = Installed::with(2, with(json!({"plex_token": "a-wrong-token-of-somebody"})));
    let scenes = plugin.world.scenes.clone();
    plugin.save(scenes[0]);
    plugin.until("refused", || {
        plugin.worker_log().contains("Plex refuses the token")
    });
    plugin.until("told", || {
        told(&plugin, scenes[1]).contains("Plex refuses the token")
    });
    assert_eq!(told(&plugin, scenes[1]), "");
    plugin.kill_worker();
    plugin.until_no_worker();
    let circuit = || {
        let run = plugin.task("health_check");
        run.output().unwrap()["circuit"]["state"].clone()
    };
    assert_eq!(circuit(), "open");
    plugin.set(with(json!({})));
    assert_eq!(circuit(), "closed");
    assert_eq!(told(&plugin, scenes[0]), "");
    plugin.until_equal();
    assert_eq!(told(&plugin, scenes[0]), "", "all is well");
}

/// What failed for want of a path map goes back when there is one, and is told of in Stash's log as
/// it fails.
#[test]
fn what_failed_as_not_in_plex_goes_back_when_the_path_map_is_corrected() {
    let plugin = Installed::with(
        4,
        json!({"path_map": "/data=>/nowhere", "not_found_base": 0.01}),
    );
    let scenes = plugin.world.scenes.clone();
    for scene in &scenes {
        plugin.save(*scene);
    }
    plugin.until("failed", || plugin.queue().counts().unwrap().dead == 4);
    plugin.until_no_worker();
    let words = told(&plugin, scenes[0]);
    assert!(
        words.starts_with("4 changes have failed ") && words.contains(". The newest: scene "),
        "{words}"
    );
    plugin.until("failed again", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    plugin.until_no_worker();
    plugin.set(json!({"not_found_base": 600}));
    plugin.save(scenes[0]);
    plugin.until_equal();
    plugin.until("forgotten", || plugin.queue().counts().unwrap().dead == 0);
    let log = plugin.worker_log();
    assert_eq!(log.matches("are tried again now").count(), 1, "{log}");
}

/// The next look at what is not in Plex is due in a while, and comes at once.
#[test]
fn what_waits_for_its_next_look_is_due_when_the_path_map_is_corrected() {
    let slow = json!({"path_map": "/data=>/nowhere", "not_found_base": 3600, "idle_timeout": 600});
    let plugin = Installed::with(2, slow);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("missed", || {
        plugin.worker_log().matches("Attempt 1 of ").count() == 2
    });
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.set(json!({"not_found_base": 3600}));
    plugin.task("process_queue");
    plugin.until_equal();
}
