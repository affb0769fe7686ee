//! A setting that a person changes counts soon, and at once for a task.

use simulators::{Requests, Rule, run_plugin};

use super::*;
use crate::common::binary;

/// With nothing to do before the next try, in minutes.
#[test]
fn a_corrected_setting_is_noticed_while_the_only_job_waits() {
    let away = json!({"plex_url": "http://127.0.0.1:9", "recovery_timeout": 600, "failure_threshold": 1, "probe_interval": 600,
        "probe_cap": 600, "idle_timeout": 60});
    let plugin = Installed::with(1, away);
    plugin.save(plugin.world.scenes[0]);
    plugin.until("waiting", || {
        plugin.worker_log().contains("Sending to Plex is paused:")
    });
    plugin.set(json!({}));
    plugin.until_equal();
}

#[test]
fn a_task_begins_with_the_settings_as_they_are() {
    let plugin = Installed::with(3, json!({"idle_timeout": 60}));
    for scene in &plugin.world.scenes {
        plugin.world.stash.edit(*scene).rating(80);
        plugin.save(*scene);
    }
    plugin.until("idle", || {
        plugin.queue().counts().unwrap().live() == 0 && plugin.world.comparison().is_equal()
    });
    let rated = || {
        let requests = plugin.world.plex.requests();
        requests
            .iter()
            .filter(|one| one.path.ends_with("/:/rate"))
            .count()
    };
    assert_eq!(rated(), 0);
    plugin.set(json!({"sync_rating": true, "idle_timeout": 60}));
    plugin.task("reconcile_all");
    plugin.until("rated", || rated() == 3);
    plugin.kill_worker();
}

/// Without a file to watch: the task says that somebody wants them read.
#[test]
fn process_queue_makes_a_living_worker_read_the_settings() {
    let away = json!({"plex_url": "http://127.0.0.1:9", "recovery_timeout": 600, "failure_threshold": 1, "probe_interval": 600,
        "probe_cap": 600, "idle_timeout": 60});
    let plugin = Installed::with(1, away);
    plugin.save(plugin.world.scenes[0]);
    plugin.until("waiting", || {
        plugin.worker_log().contains("Sending to Plex is paused:")
    });
    plugin.set(json!({}));
    plugin.task("process_queue");
    plugin.until_equal();
    assert_eq!(started(&plugin), 1);
}

/// The sync is turned on, and a scene saved, while a worker is about to end because it is off: the
/// hook sees that worker.
#[test]
fn a_worker_that_can_do_nothing_looks_once_more_before_it_is_gone() {
    for settings in [
        json!({"enabled": false}),
        json!({"plex_url": "nowhere at all"}),
    ] {
        let plugin = Installed::with(2, settings);
        let (first, second) = (plugin.world.scenes[0], plugin.world.scenes[1]);
        let config = plugin.config.path().to_owned();
        let reads = Requests::all().containing("query Configuration").times(1);
        let (url, token) = (plugin.world.plex.url(), plugin.world.plex.token());
        // The answer with the old settings is on its way by then.
        plugin.world.stash.after(reads, move |stash| {
            let on = json!({
                "plex_url": url, "plex_token": token, "path_map": "/data=>/media/scenes", "sync_poster": false,
                "sync_background": false, "reconcile_interval": "never", "idle_timeout": 0.1,
            });
            stash.set_plugin_settings("Stash2Plex", on);
            let stdin = stash.hook_stdin(&Trigger::SceneForm(second));
            assert!(run_plugin(binary(), &stdin).unwrap().output().is_some());
            assert!(config.join("stash2plex/worker.lock").exists());
        });
        plugin.save(first);
        plugin.until_equal();
    }
}

/// Stash did not tell where its settings are, so nobody can see when they change: a save starts a
/// worker all the same.
#[test]
fn a_worker_that_knows_no_settings_file_keeps_no_other_from_starting() {
    let plugin = Installed::with(2, json!({"enabled": false}));
    let silent = Rule::new(Fault::Status(500)).containing("query SystemStatus");
    plugin.world.stash.fail_when(silent);
    plugin.save(plugin.world.scenes[0]);
    plugin.until("ended", || plugin.worker_log().contains("worker ends"));
    plugin.until_no_worker();
    plugin.set(json!({}));
    plugin.save(plugin.world.scenes[1]);
    plugin.until_equal();
}
