//! A clock of our own for the real program, put before the system's.

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
    program: PathBuf,
    library: PathBuf,
    shift: PathBuf,
}

impl Shim {
    /// `None` without a C compiler.
    pub fn build(folder: &Path) -> Option<Self> {
        let source = folder.join("clock.c");
        let shim = Self {
            program: dynamic(),
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

    /// So many seconds ahead of the system's clock from now on. At once: nobody reads half a
    /// number.
    pub fn shift(&self, seconds: i64) {
        let aside = self.shift.with_extension("aside");
        fs::write(&aside, seconds.to_string()).unwrap();
        fs::rename(aside, &self.shift).unwrap();
    }

    /// The plugin under this clock.
    pub fn program(&self) -> Command {
        let mut program = Command::new(&self.program);
        program.env("LD_PRELOAD", &self.library);
        program.env("CLOCK_SHIFT_FILE", &self.shift);
        program
    }
}

/// The plugin as a dynamic program: nothing can be put before a static one. `cargo test` has built
/// it, unless a single test was asked for.
fn dynamic() -> PathBuf {
    const NAME: &str = "stash2plex-dynamic";
    let target = super::binary().parent().unwrap();
    let built = target.join("examples").join(NAME);
    let at = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
    let libraries = fs::read_dir(target.join("deps")).unwrap().flatten();
    let newest = libraries
        .filter(|it| {
            let name = it.file_name().into_string().unwrap_or_default();
            name.starts_with("libstash2plex_plugin-") && name.ends_with(".rlib")
        })
        .filter_map(|it| at(&it.path()))
        .max();
    if at(&built) < newest {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "stash2plex-plugin", "--example", NAME]);
        // What this test was told of its own package would have others built anew.
        for (name, _) in std::env::vars() {
            let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"];
            if own.iter().any(|own| name.starts_with(own)) {
                cargo.env_remove(name);
            }
        }
        if target.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
    }
    built
}
