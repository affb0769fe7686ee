//! The system's clock is set back while jobs wait: the real program under a clock of our own, put
//! before the system's.

use super::*;
use common::clock::Shim;

#[test]
fn an_hour_back_strands_no_job() {
    let plugin = Installed::with(
        3,
        json!({"idle_timeout": 60, "retry_base": 1, "recovery_timeout": 2}),
    );
    let Some(shim) = Shim::build(plugin.config.path()) else {
        println!("skipped: needs a C compiler, cc");
        return;
    };
    let save = |scene| {
        let stdin = plugin.world.stash.hook_stdin(&Trigger::SceneForm(scene));
        let run = simulators::run_command(&mut shim.program(), &stdin).unwrap();
        assert_eq!(run.error(), None);
    };
    // The shim is at work: the log is an hour ahead.
    shim.shift(7200);
    plugin.world.plex.fail_with(Fault::maintenance());
    for scene in &plugin.world.scenes {
        save(*scene);
    }
    plugin.until("open", || {
        plugin.worker_log().contains("Sending to Plex is paused:")
    });
    let said = plugin.worker_log();
    let hour = |text: &str| text[11..13].parse::<u64>().unwrap();
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    if (hour(&said) + 22) % 24 != hour(&now) && (hour(&said) + 23) % 24 != hour(&now) {
        println!("skipped: this binary cannot be given another clock");
        plugin.kill_worker();
        return;
    }
    shim.shift(3600);
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    // And a job that is enqueued before the step and due after it.
    plugin.world.plex.fail_with(Fault::maintenance());
    edit(&plugin, plugin.world.scenes[0], "Before the next step");
    save(plugin.world.scenes[0]);
    plugin.until("tried", || {
        plugin
            .worker_log()
            .matches("Sending to Plex is paused:")
            .count()
            > 1
            || plugin.worker_log().contains("next try")
    });
    shim.shift(0);
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    plugin.kill_worker();
}
