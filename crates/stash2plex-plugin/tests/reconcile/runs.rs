//! A run as a whole: its memory, its death, and when it starts by itself.

use super::*;

/// Scenes with much text and nothing that Plex shows, so that looking at them is all there is to
/// do.
fn heavy(scenes: usize) -> Installed {
    let plugin = Installed::with(0, json!({"idle_timeout": 60, "reconcile_missing": false}));
    for n in 0..scenes {
        let id = plugin.world.stash.add_scene(&format!("/data/{n}.mp4"));
        plugin.world.stash.change_silently(id, |scene| {
            scene.director = "d".repeat(3000);
        });
    }
    plugin
}

#[cfg(target_os = "linux")]
fn peak_kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_library() {
    let peak = |scenes: usize| {
        let plugin = heavy(scenes);
        assert_eq!(plugin.task("reconcile_all").error(), None);
        let words = format!(
            "Reconcile All Scenes: {scenes} scenes compared with what was last written, none differs"
        );
        plugin.until("reconciled", || plugin.worker_log().contains(&words));
        let workers = plugin.workers();
        let peak = peak_kilobytes(workers[0]);
        plugin.kill_worker();
        peak
    };
    let (few, many) = (peak(500), peak(5000));
    assert!(
        many < few + 3000,
        "{few} KB with 500 scenes, {many} KB with 5,000"
    );
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let plugin = heavy(1000);
    plugin.world.stash.set_latency(Duration::from_millis(150));
    assert_eq!(plugin.task("reconcile_all").error(), None);
    let pages = || {
        let requests = plugin.world.stash.requests();
        requests
            .iter()
            .filter(|request| request.contains("ListScenes"))
            .count()
    };
    plugin.until("half way", || pages() >= 2);
    plugin.kill_worker();
    plugin.world.stash.set_latency(Duration::ZERO);
    work_off(&plugin);
    let found = last(&plugin);
    assert_eq!(found["checked"], 1000);
    assert!(
        (4..=5).contains(&pages()),
        "four pages, one of them perhaps twice: {}",
        pages()
    );
}

/// A run is due when its interval has passed, and is not run again by each worker.
#[test]
fn a_due_run_starts_with_the_next_worker() {
    let settings = json!({"reconcile_interval": "hourly", "reconcile_scope": "all"});
    let plugin = Installed::with(3, settings);
    let scene = plugin.world.scenes[0];
    let runs = || {
        plugin
            .worker_log()
            .matches("reconciliation is due: all scenes")
            .count()
    };
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(runs(), 1, "never run before");
    assert_eq!(last(&plugin)["checked"], 3);

    plugin.save_and_wait(scene);
    assert_eq!(runs(), 1, "not due again");

    // Due in three seconds: while the worker has nothing to do, and lives.
    plugin
        .set(json!({"reconcile_interval": "hourly", "reconcile_scope": "all", "idle_timeout": 20}));
    let ago = SystemTime::now() - Duration::from_secs(3597);
    let ago = ago
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let queue = database(&plugin);
    meta::set(queue.sql(), "reconciliation_started", &ago.to_string()).unwrap();
    drop(queue);
    plugin.save(scene);
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    assert_eq!(runs(), 1, "not due yet");
    plugin.until("woken", || runs() == 2);
    plugin.until("reconciled", || {
        plugin
            .worker_log()
            .matches("the automatic reconciliation: ")
            .count()
            == 2
    });
    let started = plugin.worker_log().matches(" started").count();
    assert_eq!(started, 3, "by the worker that was there");
    plugin.kill_worker();
}
