//! The system's clock is set back while jobs wait: the real binary under a clock of our own, put before the system's.

use super::*;

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <unistd.h>
static long shift(void) {
    const char *path = getenv("CLOCK_SHIFT_FILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    long seconds = 0;
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, id, now);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    int failed = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec; now->tv_usec = exact.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *into) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (into) *into = exact.tv_sec;
    return exact.tv_sec;
}
"#;

#[test]
fn an_hour_back_strands_no_job() {
    let plugin = Installed::with(
        3,
        json!({"idle_timeout": 60, "retry_base": 1, "recovery_timeout": 2}),
    );
    let folder = plugin.config.path();
    let (source, library, shift) = (
        folder.join("shim.c"),
        folder.join("shim.so"),
        folder.join("shift"),
    );
    fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("skipped: needs a C compiler, cc");
        return;
    }
    fs::write(&shift, "0").unwrap();
    let save = |scene| {
        let mut program = Command::new(common::binary());
        program.env("LD_PRELOAD", &library);
        program.env("CLOCK_SHIFT_FILE", &shift);
        let stdin = plugin.world.stash.hook_stdin(&Trigger::SceneForm(scene));
        let run = simulators::run_command(&mut program, &stdin).unwrap();
        assert_eq!(run.error(), None);
    };
    // The shim is at work: the log is an hour ahead.
    fs::write(&shift, "7200").unwrap();
    plugin.world.plex.fail_with(Fault::maintenance());
    for scene in &plugin.world.scenes {
        save(*scene);
    }
    plugin.until("open", || plugin.worker_log().contains("circuit open"));
    let said = plugin.worker_log();
    let hour = |text: &str| text[11..13].parse::<u64>().unwrap();
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    if (hour(&said) + 22) % 24 != hour(&now) && (hour(&said) + 23) % 24 != hour(&now) {
        println!("skipped: this binary cannot be given another clock");
        plugin.kill_worker();
        return;
    }
    fs::write(&shift, "3600").unwrap();
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    // And a job that is enqueued before the step and due after it.
    plugin.world.plex.fail_with(Fault::maintenance());
    edit(&plugin, plugin.world.scenes[0], "Before the next step");
    save(plugin.world.scenes[0]);
    plugin.until("tried", || {
        plugin.worker_log().matches("circuit open").count() > 1
            || plugin.worker_log().contains("next try")
    });
    fs::write(&shift, "0").unwrap();
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    plugin.kill_worker();
}
