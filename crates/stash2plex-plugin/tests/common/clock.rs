//! A clock of our own for the real binary, put before the system's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The clock's library, and the file that says how far it is off.
pub struct Shim {
    library: PathBuf,
    shift: PathBuf,
}

impl Shim {
    /// `None` without a C compiler.
    pub fn build(folder: &Path) -> Option<Self> {
        let source = folder.join("clock.c");
        let shim = Self {
            library: folder.join("clock.so"),
            shift: folder.join("clock.shift"),
        };
        fs::write(&source, SHIM).unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&shim.library, &source])
            .status();
        shim.shift(0);
        compiled
            .is_ok_and(|status| status.success())
            .then_some(shim)
    }

    /// So many seconds ahead of the system's clock from now on. At once: nobody reads half a number.
    pub fn shift(&self, seconds: i64) {
        let aside = self.shift.with_extension("aside");
        fs::write(&aside, seconds.to_string()).unwrap();
        fs::rename(aside, &self.shift).unwrap();
    }

    pub fn put_before(&self, program: &mut Command) {
        program.env("LD_PRELOAD", &self.library);
        program.env("CLOCK_SHIFT_FILE", &self.shift);
    }
}
