//! A worker over a long time: saves, outages, kills, steps of the clock and full disks at random,
//! while somebody watches. Nothing grows, there is always a worker for what is due, and in the end
//! all is equal.
//!
//! `SOAK_MINUTES=30 cargo test -p stash2plex-plugin --test soak -- --nocapture` is the long one; a
//! quarter of a minute else.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use backoff::SplitMix64;
use common::Installed;
use common::clock::Shim;
use queue::{Options, Queue};
use rand_core::Rng;
use serde_json::json;
use simulators::{Fault, Trigger};
use sync_engine::core::job::Job;

const SCENES: usize = 20;
/// Both servers are well, a job is due, and no worker is at work: at most this long, but while the
/// machine is busy. Saves come more often.
const BOUND: Duration = Duration::from_secs(20);

/// What a worker takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    memory_kb: u64,
    descriptors: u64,
    database_kb: u64,
    folder_kb: u64,
}

struct Soak {
    plugin: Installed,
    random: SplitMix64,
    shim: Option<Shim>,
    /// A small disk, where one can be mounted.
    disk: Option<Disk>,
    version: u32,
    plex_down: bool,
    stash_down: bool,
    /// Since when work is due and nobody is at it.
    stranded: Option<Instant>,
    longest: Duration,
    taken: Vec<Taken>,
    actions: [u32; 8],
}

struct Disk(PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(path).output();
        mounted
            .ok()?
            .status
            .success()
            .then(|| Self(path.to_owned()))
    }

    fn fill(&self) {
        let ballast = self.0.join("ballast");
        let file = fs::File::options().create(true).append(true).open(ballast);
        let mut file = file.unwrap();
        let mut size = 1 << 22;
        while size > 0 {
            if std::io::Write::write_all(&mut file, &vec![0; size]).is_err() {
                size /= 2;
            }
        }
    }

    fn free(&self) {
        let _ = fs::remove_file(self.0.join("ballast"));
    }
}

impl Soak {
    fn new() -> Self {
        let plugin = Installed::with(SCENES, json!({"idle_timeout": 600, "debug_logging": false}));
        fs::create_dir_all(plugin.data()).unwrap();
        let disk = Disk::mount(&plugin.data());
        let shim = Shim::build(plugin.config.path());
        println!(
            "a small disk: {}, a clock of our own: {}",
            disk.is_some(),
            shim.is_some()
        );
        Self {
            plugin,
            random: SplitMix64::new(20),
            shim,
            disk,
            version: 0,
            plex_down: false,
            stash_down: false,
            stranded: None,
            longest: Duration::ZERO,
            taken: Vec::new(),
            actions: [0; 8],
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    /// Saves a scene; whether it was recorded, which a full disk prevents.
    fn save(&mut self, scene: u64) -> bool {
        let stdin = self
            .plugin
            .world
            .stash
            .hook_stdin(&Trigger::SceneForm(scene));
        let mut program = match &self.shim {
            Some(shim) => shim.program(),
            None => Command::new(common::binary()),
        };
        let run = simulators::run_command(&mut program, &stdin).unwrap();
        run.output().is_some()
    }

    fn edit(&mut self) {
        self.version += 1;
        let nth = self.below(SCENES as u64) as usize;
        let scene = self.plugin.world.scenes[nth];
        let title = format!("Title {}", self.version);
        self.plugin.world.stash.edit(scene).title(&title);
        if !self.save(scene) {
            // Stash's log told the person, who saves again once there is room.
            if let Some(disk) = &self.disk {
                disk.free();
            }
            assert!(self.save(scene), "there is room, and nothing is recorded");
        }
    }

    fn action(&mut self) {
        let action = match self.below(100) {
            0..80 => 0,
            80..85 => 1,
            85..88 => 2,
            88..91 => 3,
            91..94 => 4,
            94..97 => 5,
            97..99 => 6,
            _ => 7,
        };
        self.actions[action] += 1;
        let plex = &self.plugin.world.plex;
        match action {
            0 => self.edit(),
            1 if self.plex_down => {
                plex.clear_faults();
                self.plex_down = false;
            }
            1 => {
                plex.fail_with(Fault::maintenance());
                self.plex_down = true;
            }
            2 if self.stash_down => {
                self.plugin.world.stash.up().unwrap();
                self.stash_down = false;
            }
            2 => {
                self.plugin.world.stash.down();
                self.stash_down = true;
            }
            3 => self.plugin.kill_worker(),
            4 => {
                let step = self.below(7200) as i64 - 3600;
                if let Some(shim) = &self.shim {
                    shim.shift(step);
                }
            }
            5 => {
                if let Some(disk) = &self.disk {
                    disk.fill();
                }
            }
            6 => {
                if let Some(disk) = &self.disk {
                    disk.free();
                }
            }
            _ => drop(self.plugin.task("queue_status")),
        }
    }

    /// Looks at the worker, and at whether there is one.
    fn watch(&mut self) {
        // On a full disk it cannot even be read.
        let queue = Queue::<Job>::open(
            self.plugin.data().join("stash2plex.db"),
            Options::inspector(),
        );
        let counts = queue.and_then(|queue| queue.counts());
        let due = counts.is_ok_and(|counts| counts.ready > 0);
        let workers = self.plugin.workers();
        if due && workers.is_empty() && !self.plex_down && !self.stash_down {
            let since = *self.stranded.get_or_insert_with(Instant::now);
            self.longest = self.longest.max(since.elapsed());
        } else {
            self.stranded = None;
        }
        let [worker] = workers[..] else { return };
        let size = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
        let Ok(status) = fs::read_to_string(format!("/proc/{worker}/status")) else {
            return;
        };
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let Some(memory_kb) = memory.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok())
        else {
            return;
        };
        let data = self.plugin.data();
        let entries = fs::read_dir(&data).into_iter().flatten().flatten();
        let folder: u64 = entries
            .filter(|entry| entry.file_name() != "ballast")
            .map(|entry| size(&entry.path()))
            .sum();
        let descriptors = fs::read_dir(format!("/proc/{worker}/fd"));
        self.taken.push(Taken {
            memory_kb,
            descriptors: descriptors.map_or(0, |fds| fds.count() as u64),
            database_kb: size(&data.join("stash2plex.db")) / 1024,
            folder_kb: folder / 1024,
        });
    }

    /// All is well again.
    fn heal(&mut self) {
        self.plugin.world.plex.clear_faults();
        if self.stash_down {
            self.plugin.world.stash.up().unwrap();
        }
        if let Some(disk) = &self.disk {
            disk.free();
        }
        (self.plex_down, self.stash_down) = (false, false);
        for scene in self.plugin.world.scenes.clone() {
            assert!(self.save(scene), "all is well, and nothing is recorded");
        }
        self.plugin.until_equal();
        self.plugin.until("worked off", || {
            self.plugin.queue().counts().unwrap().live() == 0
        });
    }

    /// The highest of each quarter.
    fn quarters(&self, of: impl Fn(&Taken) -> u64) -> Vec<u64> {
        let quarter = self.taken.len().div_ceil(4).max(1);
        let highest = |part: &[Taken]| part.iter().map(&of).max().unwrap();
        self.taken.chunks(quarter).map(highest).collect()
    }
}

#[test]
fn nothing_grows_and_nothing_is_stranded() {
    let minutes = std::env::var("SOAK_MINUTES").map_or(0.25, |text| text.parse().unwrap());
    let mut soak = Soak::new();
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    while Instant::now() < until {
        soak.action();
        soak.watch();
        let pause = soak.below(400);
        thread::sleep(Duration::from_millis(pause));
    }
    soak.heal();
    soak.watch();
    let all: [(&str, Vec<u64>); 4] = [
        ("memory, kB", soak.quarters(|taken| taken.memory_kb)),
        ("descriptors", soak.quarters(|taken| taken.descriptors)),
        ("database, kB", soak.quarters(|taken| taken.database_kb)),
        ("folder, kB", soak.quarters(|taken| taken.folder_kb)),
    ];
    println!(
        "{minutes} minutes: {} saves, {} outages of Plex begun or ended, {} of Stash, {} kills, {} steps of the clock, {} full \
         disks; longest without a worker {:?}",
        soak.actions[0],
        soak.actions[1],
        soak.actions[2],
        soak.actions[3],
        soak.actions[4],
        soak.actions[5],
        soak.longest
    );
    for (what, highest) in &all {
        println!("{what}, highest in each quarter of the time: {highest:?}");
    }
    assert!(soak.longest < BOUND, "{:?}", soak.longest);
    let counts = soak.plugin.queue().counts().unwrap();
    assert_eq!(counts.live(), 0);
    let (_, memory) = &all[0];
    assert!(memory.iter().all(|kb| *kb < 40_000), "{memory:?}");
    if minutes >= 5.0 {
        let (first, last) = (memory[1], *memory.last().unwrap());
        assert!(last < first + 2_000, "{memory:?}");
        let (_, descriptors) = &all[1];
        assert!(
            descriptors.last() <= descriptors.iter().take(2).max(),
            "{descriptors:?}"
        );
    }
    soak.plugin.kill_worker();
}
