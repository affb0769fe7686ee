//! A setting that a person changes counts soon, and at once for a task.

use super::*;

/// With nothing to do before the next try, in minutes.
#[test]
fn a_corrected_setting_is_noticed_while_the_only_job_waits() {
    let away = json!({"plex_url": "http://127.0.0.1:9", "recovery_timeout": 600, "failure_threshold": 1, "probe_interval": 600,
        "probe_cap": 600, "idle_timeout": 60});
    let plugin = Installed::with(1, away);
    plugin.save(plugin.world.scenes[0]);
    plugin.until("waiting", || plugin.worker_log().contains("circuit open"));
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
    plugin.until("waiting", || plugin.worker_log().contains("circuit open"));
    plugin.set(json!({}));
    plugin.task("process_queue");
    plugin.until_equal();
    assert_eq!(started(&plugin), 1);
}
