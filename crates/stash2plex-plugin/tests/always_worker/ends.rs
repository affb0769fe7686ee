//! Whatever ends a worker, the next call of the plugin starts another one when there is work.

use std::io::Write;
use std::process::Stdio;

use super::*;

/// A hook that says nothing Plex shows, and each task that only looks.
#[test]
fn any_call_that_finds_work_and_no_worker_starts_one() {
    let plugin = Installed::new(5);
    let calls: [(&str, &dyn Fn()); 4] = [
        ("a hook about nothing", &|| {
            let fields = ["id", "play_count"];
            plugin.hook(&Trigger::SceneUpdate(plugin.world.scenes[0], &fields));
        }),
        ("status", &|| drop(plugin.task("queue_status"))),
        ("health", &|| drop(plugin.task("health_check"))),
        ("outages", &|| drop(plugin.task("outage_summary"))),
    ];
    for (n, (name, call)) in calls.into_iter().enumerate() {
        let scene = plugin.world.scenes[n];
        enqueue_quietly(&plugin, scene);
        assert!(plugin.workers().is_empty());
        call();
        let title = plugin.world.stash.scene(scene).unwrap().title;
        plugin.until(name, || {
            let items = plugin.world.plex.items();
            items.iter().any(|item| item.title() == title)
        });
        plugin.until_no_worker();
    }
}

/// What a worker had under way when it was killed is nobody's until another one comes.
#[test]
fn a_call_that_only_looks_takes_up_what_a_killed_worker_held() {
    let plugin = Installed::with(1, json!({"idle_timeout": 30}));
    let scene = plugin.world.scenes[0];
    plugin.world.plex.set_latency(Duration::from_millis(300));
    plugin.save_and_wait(scene);
    // A page of Stash asks once more within the minute.
    plugin.task("catch_up");
    plugin.kill_worker();
    plugin.until_no_worker();
    for task in ["queue_status", "health_check", "outage_summary", "catch_up"] {
        edit(&plugin, scene, task);
        plugin.save(scene);
        plugin.until("under way", || {
            plugin.queue().counts().unwrap().running == 1
        });
        plugin.kill_worker();
        plugin.until_no_worker();
        plugin.task(task);
        plugin.until_equal();
        plugin.kill_worker();
        plugin.until_no_worker();
    }
}

#[test]
fn a_stopped_process_queue_leaves_the_work_to_the_worker() {
    let plugin = Installed::with(30, json!({"idle_timeout": 2}));
    plugin.world.plex.set_latency(Duration::from_millis(20));
    for scene in &plugin.world.scenes {
        enqueue_quietly(&plugin, *scene);
    }
    let stdin = plugin
        .world
        .stash
        .task_stdin(json!({"mode": "process_queue"}));
    let mut task = Command::new(common::binary())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    task.stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    plugin.until("at work", || plugin.worker_log().contains("wrote"));
    task.kill().unwrap();
    task.wait().unwrap();
    plugin.until_equal();
}

/// Somebody who is being killed still holds the lock, and will never look at the queue again.
#[test]
fn a_save_while_the_worker_dies_is_worked_off() {
    let plugin = Installed::new(1);
    let dir = dir(&plugin);
    let lock = plugin.take_lock(Role::Worker);
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let name = format!("{:<64}\n", format!("worker {} 1", gone.id()));
    fs::write(dir.worker_lock(), name).unwrap();
    plugin.save(plugin.world.scenes[0]);
    assert_eq!(started(&plugin), 0, "it waits for the lock");
    drop(lock);
    plugin.until_equal();
}

/// The task watches; where there can be no worker, it says why.
#[test]
fn a_worker_that_can_do_nothing_is_not_started_for_each_save() {
    let plugin = Installed::with(20, json!({"plex_url": ""}));
    for scene in &plugin.world.scenes {
        plugin.save(*scene);
        plugin.until_no_worker();
    }
    let workers = started(&plugin);
    assert!((1..=3).contains(&workers), "{workers} workers");
    let run = plugin.task("process_queue");
    let error = run.error().unwrap().to_owned();
    assert!(error.contains("Plex address (plex_url)"), "{error}");
    assert!(started(&plugin) > workers, "a person asked");
    plugin.set(json!({}));
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}
