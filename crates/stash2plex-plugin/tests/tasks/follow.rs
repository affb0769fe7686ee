//! The tasks that start much work: what they say while they watch it, and that watching is all they
//! do.

use super::*;

/// Watches for longer than any of this takes.
const LONG: f64 = 50.0;

fn watched(scenes: usize, settings: Value) -> Installed {
    let plugin = Installed::with(scenes, settings.clone());
    watch(&plugin, LONG, settings);
    plugin
}

fn watch(plugin: &Installed, seconds: f64, mut settings: Value) {
    settings["watch_time"] = json!(seconds);
    plugin.set(settings);
}

fn waiting(plugin: &Installed) -> u64 {
    plugin.queue().counts().unwrap().live()
}

#[test]
fn a_reconciliation_ends_with_its_numbers() {
    let plugin = watched(12, json!({}));
    let (text, output) = answered(&plugin.task("reconcile_all"));
    says(
        &text,
        "i Reconcile All Scenes: 12 scenes compared with what was last written, 12 differ (12 not on record as synced), 12 queued\n",
    );
    says(
        &text,
        "i Since this task began: 12 scenes synced, 0 failed, 0 waiting\n",
    );
    assert!(plugin.world.comparison().is_equal(), "it saw the end");
    assert_eq!(output["recorded"], "reconcile:all");
    assert_eq!(
        (&output["found"]["checked"], &output["synced"]),
        (&json!(12), &json!(12))
    );

    for id in &plugin.world.scenes[..3] {
        plugin
            .world
            .stash
            .change_silently(*id, |scene| scene.title += " again");
    }
    let run = plugin.task("reconcile_all");
    let (text, _) = answered(&run);
    says(
        &text,
        "i Reconcile All Scenes: 12 scenes compared with what was last written, 3 differ (3 changed in Stash or the settings), 3 queued\n",
    );
    says(
        &text,
        "i Since this task began: 3 scenes synced, 0 failed, 0 waiting\n",
    );
    assert!(!text.contains("goes on"), "nothing waits:\n{text}");
    let mut bar = run.log.iter().filter(|(level, _)| *level == 'p');
    assert_eq!(bar.next_back().unwrap().1, "1.0000");

    // At once the same again, whose end looks like that of the one before.
    for _ in 0..2 {
        let (text, output) = answered(&plugin.task("reconcile_recent"));
        says(
            &text,
            "i Reconcile Recent Scenes: 12 scenes compared with what was last written, none differs\n",
        );
        assert_eq!(output["found"]["queued"], 0);
    }
}

#[test]
fn what_became_of_each_scene_adds_up() {
    let plugin = watched(5, json!({}));
    let stash = &plugin.world.stash;
    stash.add_scene("/data/bare.mp4");
    let nowhere = stash.add_scene_without_file();
    stash.edit(nowhere).title("No file");
    let (text, output) = answered(&plugin.task("all"));
    says(&text, "i Sync All Scenes: 7 scenes queued\n");
    says(
        &text,
        &format!("w scene {nowhere} failed: the scene has no file. What to do: "),
    );
    says(
        &text,
        "i Since this task began: 5 scenes synced, 1 failed, 0 waiting\n",
    );
    assert_eq!(
        output,
        json!({
            "recorded": "bulk:all", "found": {"queued": 7}, "synced": 5, "skipped": 1, "failed": 1, "waiting": 0
        })
    );
    let (text, output) = answered(&plugin.task("recent"));
    says(&text, "i Sync Recent Scenes: 7 scenes queued\n");
    assert_eq!(
        (&output["synced"], &output["failed"]),
        (&json!(5), &json!(1))
    );

    watch(&plugin, LONG, json!({"sync_master": false}));
    let (text, _) = answered(&plugin.task("all"));
    says(
        &text,
        "w Write to Plex (master switch) (sync_master) is off: ",
    );
}

#[test]
fn what_waits_for_plex_is_told_and_goes_on_without_the_task() {
    let settings = json!({"recovery_timeout": 3600, "failure_threshold": 1});
    let plugin = watched(3, settings);
    plugin.world.plex.fail_with(Fault::maintenance());
    let (text, output) = answered(&plugin.task("all"));
    says(&text, "w Sending to Plex: paused ");
    says(&text, " ago: Plex is starting or in maintenance; ");
    says(&text, "You need do nothing");
    assert!(!text.contains("goes on:"), "not while it is paused: {text}");
    assert!(output["waiting"].as_u64().unwrap() > 0, "{output}");
    assert_eq!(output["synced"], 0);

    plugin.world.plex.clear_faults();
    std::fs::remove_file(DataDir::locate(plugin.config.path()).breaker()).unwrap();
    plugin.kill_worker();
    plugin.until_no_worker();
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}

#[test]
fn settings_that_let_nothing_be_sent_are_told_and_the_work_is_kept() {
    let plugin = watched(2, json!({"plex_url": ""}));
    let (text, output) = answered(&plugin.task("reconcile_all"));
    says(&text, "i Reconcile All Scenes is not done yet");
    says(
        &text,
        "w Nothing is sent to Plex, and changes are kept. Plex address (plex_url): it is empty",
    );
    assert_eq!(
        (&output["waiting"], &output["found"]),
        (&json!(1), &Value::Null)
    );
    watch(&plugin, LONG, json!({}));
    answered(&plugin.task("process_queue"));
    assert!(plugin.world.comparison().is_equal());
}

#[test]
fn stopping_the_task_stops_no_work() {
    let plugin = watched(20, json!({}));
    plugin.world.plex.set_latency(Duration::from_millis(60));
    let mut task = Command::new(common::binary())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdin = plugin.world.stash.task_stdin(json!({"mode": "all"}));
    std::io::Write::write_all(&mut task.stdin.take().unwrap(), stdin.as_bytes()).unwrap();
    let wrote = || plugin.worker_log().matches(": wrote ").count();
    plugin.until("half way", || wrote() > 2);
    assert!(task.try_wait().unwrap().is_none(), "it still watches");
    task.kill().unwrap();
    task.wait().unwrap();
    assert!(waiting(&plugin) > 0, "killed in the middle");
    plugin.until_equal();
}

#[test]
fn after_its_time_it_says_how_the_work_goes_on() {
    let plugin = Installed::new(20);
    watch(&plugin, 1.0, json!({}));
    plugin.world.plex.set_latency(Duration::from_millis(100));
    let run = plugin.task("all");
    let (text, output) = answered(&run);
    assert!(run.took > Duration::from_secs(1), "{:?}", run.took);
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
    says(&text, "i Sync All Scenes: 20 scenes queued\n");
    says(
        &text,
        "i This task stops showing progress after 1s (watch_time); the work goes on in the background\n",
    );
    says(&text, "i The background worker goes on with what waits: ");
    let waits = output["waiting"].as_u64().unwrap();
    let done = output["synced"].as_u64().unwrap();
    assert!(waits > 0 && done + waits == 20, "{output}");
    plugin.until_equal();
}

#[test]
fn without_watching_it_ends_at_once() {
    let plugin = Installed::new(3);
    let run = plugin.task("all");
    let (text, output) = answered(&run);
    assert!(
        text.starts_with("i The background worker goes on with what waits: "),
        "{text}"
    );
    assert_eq!(output, json!({"recorded": "bulk:all"}));
    plugin.until_equal();
}
