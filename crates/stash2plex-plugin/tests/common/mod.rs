//! The plugin as a user has it: the real binary, run as Stash runs it, between a simulated Stash
//! and Plex.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    missing_docs
)]

pub mod clock;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use queue::{Options, Queue};
use serde_json::{Value, json};
use simulators::{Run, StashOptions, Trigger, World, run_plugin};
use sync_engine::core::job::Job;
use sync_engine::daemon::lock::{self, Role, WorkerLock};
use tempfile::TempDir;

pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_stash2plex"))
}

pub struct Installed {
    pub world: World,
    pub config: TempDir,
}

impl Installed {
    /// `scenes` scenes in both servers, settings as after the first set-up, short intervals.
    pub fn new(scenes: usize) -> Self {
        Self::with(scenes, json!({}))
    }

    pub fn with(scenes: usize, settings: Value) -> Self {
        let config = tempfile::tempdir().unwrap();
        let options = StashOptions {
            config_dir: config.path().to_owned(),
            ..StashOptions::default()
        };
        let world = World::with(scenes, 7, options, simulators::PlexOptions::default()).unwrap();
        let installed = Self { world, config };
        installed.set(settings);
        installed
    }

    /// Replaces settings; those not given are what a quick test wants.
    pub fn set(&self, more: Value) {
        let mut settings = json!({
            "plex_url": self.world.plex.url(),
            "plex_token": self.world.plex.token(),
            "path_map": "/data=>/media/scenes",
            "sync_poster": false,
            "sync_background": false,
            "sync_collection": false,
            "sync_tagline": false,
            "sync_rating": false,
            "recovery_timeout": 0.5,
            "probe_interval": 0.1,
            "probe_cap": 0.2,
            "retry_base": 0.05,
            "not_found_base": 0.05,
            "idle_timeout": 0.5,
            "recovery_ramp": false,
            "debug_logging": true,
            "reconcile_interval": "never",
            "watch_time": 0,
        });
        let (Value::Object(all), Value::Object(more)) = (&mut settings, more) else {
            panic!()
        };
        all.extend(more);
        self.world.stash.set_plugin_settings("Stash2Plex", settings);
    }

    /// Nobody has touched the scenes for a week: what is read of them is certain at once, and no
    /// look reads it again.
    pub fn untouched_for_a_week(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let at = now.as_secs().cast_signed() - 7 * 86_400;
        for scene in &self.world.scenes {
            self.world.stash.change_silently(*scene, |scene| {
                scene.updated = at;
                scene.updated_at = stash::timestamp::format(at);
            });
        }
    }

    pub fn data(&self) -> PathBuf {
        self.config.path().join("stash2plex")
    }

    pub fn run(&self, stdin: &str) -> Run {
        run_plugin(binary(), stdin).unwrap()
    }

    pub fn hook(&self, trigger: &Trigger<'_>) -> Run {
        let run = self.run(&self.world.stash.hook_stdin(trigger));
        // An error beside it is what the worker wants said in Stash's log.
        assert!(run.output().is_some(), "{:?}", run.error());
        run
    }

    /// Saves the form of a scene, as a user does.
    pub fn save(&self, scene: u64) -> Run {
        self.hook(&Trigger::SceneForm(scene))
    }

    /// Saves while no worker runs, and waits for the end of the one that this starts; it may not
    /// hold the lock yet when the hook has ended.
    pub fn save_and_wait(&self, scene: u64) {
        let ended = || self.worker_log().matches("worker ends").count();
        let before = ended();
        self.save(scene);
        self.until("worked off", || ended() > before);
        self.until_no_worker();
    }

    pub fn task(&self, mode: &str) -> Run {
        self.run(&self.world.stash.task_stdin(json!({ "mode": mode })))
    }

    pub fn queue(&self) -> Queue<Job> {
        self.queue_as(Options::inspector())
    }

    pub fn queue_as(&self, options: Options) -> Queue<Job> {
        Queue::open(self.data().join("stash2plex.db"), options).unwrap()
    }

    pub fn worker_log(&self) -> String {
        std::fs::read_to_string(self.data().join("worker.log")).unwrap_or_default()
    }

    /// Waits for a condition, looking often; fails with the worker's log when it does not come.
    pub fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !condition() {
            assert!(
                Instant::now() < give_up,
                "never {what}; the worker says:\n{}",
                self.worker_log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn until_equal(&self) {
        self.until("equal", || self.world.comparison().is_equal());
    }

    pub fn until_no_worker(&self) {
        let dir = sync_engine::storage::data_dir::DataDir::locate(self.config.path());
        // Its name goes a moment before its lock.
        self.until("without worker", || {
            !lock::is_at_work(&dir.worker_lock())
                && !matches!(
                    WorkerLock::try_take(&dir.worker_lock(), Role::Starter),
                    Ok(None)
                )
        });
    }

    /// Takes the worker's lock. Another thread of this process that starts a program holds it too,
    /// for a moment.
    pub fn take_lock(&self, role: Role) -> WorkerLock {
        let path = sync_engine::storage::data_dir::DataDir::create(self.config.path())
            .unwrap()
            .worker_lock();
        let mut lock = None;
        self.until("free", || {
            lock = WorkerLock::try_take(&path, role).unwrap();
            lock.is_some()
        });
        lock.unwrap()
    }

    /// The processes that work for this installation.
    pub fn workers(&self) -> Vec<u32> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let zombie = std::fs::read_to_string(entry.path().join("stat"))
                .is_ok_and(|stat| stat.contains(") Z "));
            if cwd == self.data() && !zombie {
                found.push(pid);
            }
        }
        found
    }

    pub fn kill_worker(&self) {
        for pid in self.workers() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}
