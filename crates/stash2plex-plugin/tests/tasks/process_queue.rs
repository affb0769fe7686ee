//! Process Queue: what it says while it works, and while a worker does.

use super::*;

/// The shares of the bar, which never goes back.
fn shares(run: &Run) -> Vec<f64> {
    let lines = run.log.iter().filter(|(level, _)| *level == 'p');
    let shares: Vec<f64> = lines.map(|(_, share)| share.parse().unwrap()).collect();
    assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)));
    assert_eq!(shares.last(), Some(&1.0), "the bar is full at the end");
    shares
}

#[test]
fn what_waits_and_what_became_of_it_is_said() {
    let plugin = Installed::new(1);
    let run = plugin.task("process_queue");
    let (text, output) = answered(&run);
    assert_eq!(text, "i No change is waiting: nothing to do\np 1.0000\n");
    assert_eq!(output, json!({"done": 0, "failed": 0, "waiting": 0}));

    let nowhere = plugin.world.stash.add_scene_without_file();
    plugin.world.stash.edit(nowhere).title("No file");
    let mut queue = jobs(&plugin);
    enqueue(&mut queue, plugin.world.scenes[0]);
    enqueue(&mut queue, nowhere);
    drop(queue);
    let run = plugin.task("process_queue");
    let (text, output) = answered(&run);
    says(&text, "i 2 changes wait\n");
    says(
        &text,
        &format!("w scene {nowhere} failed: the scene has no file. What to do: "),
    );
    says(
        &text,
        "i Since this task began: 1 change done, 1 failed, 0 still waiting\n",
    );
    assert!(!text.contains("goes on"), "nothing waits:\n{text}");
    shares(&run);
    assert_eq!(output, json!({"done": 1, "failed": 1, "waiting": 0}));
}

#[test]
fn a_worker_at_it_is_watched() {
    let plugin = Installed::new(1);
    let dir = DataDir::create(plugin.config.path()).unwrap();
    let lock = plugin.take_lock(Role::Worker);
    let mut queue = Queue::<Job>::open(dir.database(), Options::consumer()).unwrap();
    (1..=4).for_each(|id| enqueue(&mut queue, id));
    let run = thread::scope(|scope| {
        let task = scope.spawn(|| plugin.task("process_queue"));
        for _ in 0..4 {
            // The task looks five times a second.
            thread::sleep(Duration::from_millis(400));
            let claim = queue.claim(1).unwrap().pop().unwrap();
            queue.done(claim).unwrap();
        }
        task.join().unwrap()
    });
    drop(lock);
    let (text, _) = answered(&run);
    says(&text, "4 changes wait\n");
    says(
        &text,
        "i Since this task began: 4 changes done, 0 failed, 0 still waiting\n",
    );
    let quarters = |share: &f64| (share * 4.0).fract() == 0.0;
    let shares = shares(&run);
    assert!(
        shares.len() > 2 && shares.iter().all(quarters),
        "{shares:?}"
    );
}

#[test]
fn an_open_circuit_ends_it_and_a_worker_goes_on() {
    let plugin = Installed::with(1, json!({"recovery_timeout": 3600}));
    set_breaker(&plugin, open(60.0, 3000.0).to_string());
    enqueue(&mut jobs(&plugin), plugin.world.scenes[0]);
    let (text, output) = answered(&plugin.task("process_queue"));
    let words = "i Since this task began: 0 changes done, 0 failed, 1 still waiting\n\
                 w Sending to Plex: paused 1m";
    says(&text, words);
    says(
        &text,
        ". What waits is sent by itself once that is over or corrected; Health Check says what to do\n",
    );
    assert_eq!(output, json!({"done": 0, "failed": 0, "waiting": 1}));
    plugin.until("started", || plugin.worker_log().contains(" started"));
    plugin.kill_worker();
}

/// A worker that gets nowhere, as on a full disk, keeps no other task of Stash from running for
/// long.
#[cfg(unix)]
#[test]
fn it_ends_when_nothing_moves() {
    let plugin = Installed::with(2, json!({"idle_timeout": 60}));
    plugin.save(plugin.world.scenes[0]);
    plugin.until("idle", || plugin.queue().counts().unwrap().done == 1);
    let signal = |name: &str| {
        for worker in plugin.workers() {
            let pid = worker.to_string();
            let sent = std::process::Command::new("kill")
                .args([name, &pid])
                .status();
            assert!(sent.unwrap().success());
        }
    };
    // Not while it writes: nobody else could.
    let stopped = plugin
        .queue_as(Options::producer())
        .transaction(|_| -> queue::Result<_> {
            signal("-STOP");
            Ok(())
        });
    stopped.unwrap();
    plugin.save(plugin.world.scenes[1]);
    let (text, output) = answered(&plugin.task("process_queue"));
    signal("-CONT");
    says(
        &text,
        "w Nothing has moved for a minute; the task Health Check, or /",
    );
    assert_eq!(output["waiting"], 1);
    plugin.until_equal();
    plugin.kill_worker();
}
