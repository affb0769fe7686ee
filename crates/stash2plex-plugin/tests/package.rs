//! The package as Stash installs it: the very zip and index that `cargo xtask package` makes,
//! through a package manager that does as Stash's.
//!
//! `.ci/run` gives the program that is shipped.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use common::Installed;
use serde_json::{Value, json};
use simulators::{Fault, PackageManager, PackageSource, Rule, Run, Trigger, run_plugin};
use stash::connection::ServerConnection;
use sync_engine::daemon::{copy, process};
use xtask::{Date, Package, Packing, Platform};

/// The files that a release publishes, by their names.
type Release = LazyLock<Vec<(String, Vec<u8>)>>;

/// Made once: a program with all that a debugger wants to know is long to pack.
static FIRST: Release = LazyLock::new(|| release(1_795_978_708));
static SECOND: Release = LazyLock::new(|| release(1_796_000_000));

fn release(seconds: u64) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::var_os("STASH2PLEX_PROGRAM").map(PathBuf::from);
    let program = program.as_deref().unwrap_or(common::binary());
    let date = Date::from_unix(seconds).unwrap();
    let package = Package::new(platform(), program, date, Packing::Quick).unwrap();
    package.write_to(folder.path()).unwrap();
    xtask::write_index(folder.path()).unwrap();
    let files = names(folder.path()).into_iter();
    let read = |name: String| (name.clone(), fs::read(folder.path().join(name)).unwrap());
    files.map(read).collect()
}

/// A Stash with an empty plugins folder, and the page of a project that has published packages.
struct Shop {
    plugin: Installed,
    source: PackageSource,
    packages: PackageManager,
    id: String,
}

impl Shop {
    fn new(scenes: usize) -> Self {
        let plugin = Installed::with(scenes, json!({"idle_timeout": 60}));
        let source = PackageSource::start().unwrap();
        let plugins = plugin.config.path().join("plugins");
        let shop = Self {
            packages: PackageManager::new(plugins, &source.index()).unwrap(),
            plugin,
            source,
            id: platform().package_id(),
        };
        shop.release(&FIRST);
        shop
    }

    /// What a release publishes.
    fn release(&self, release: &Release) {
        for (name, bytes) in release.iter() {
            self.source.publish(name, bytes.as_slice());
        }
    }

    fn install(&self) {
        self.packages.install(&self.id).unwrap();
    }

    fn program(&self) -> PathBuf {
        self.packages.plugin(&self.id).unwrap().program
    }

    fn call(&self, stdin: &str) -> Run {
        loop {
            match run_plugin(&self.program(), stdin) {
                // Another test's child was started while this one's program was written, and is not
                // itself yet.
                Err(why) if why.kind() == ErrorKind::ExecutableFileBusy => {}
                run => return run.unwrap(),
            }
        }
    }

    fn save(&self, scene: u64) {
        let trigger = Trigger::SceneForm(scene);
        let run = self.call(&self.plugin.world.stash.hook_stdin(&trigger));
        assert_eq!(run.error(), None);
    }

    fn save_all(&self) {
        self.plugin
            .world
            .scenes
            .iter()
            .for_each(|scene| self.save(*scene));
    }

    fn status(&self) -> Value {
        let stdin = json!({"mode": "queue_status"});
        let run = self.call(&self.plugin.world.stash.task_stdin(stdin));
        run.output().unwrap().clone()
    }

    /// Jobs that Plex does not take now.
    fn wait_for_plex(&self) {
        self.plugin.world.plex.down();
        self.save_all();
        let waits = || {
            self.plugin.queue().counts().unwrap().live() == self.plugin.world.scenes.len() as u64
        };
        self.plugin.until("waiting", waits);
    }

    /// The program of each worker, as the system knows it.
    fn workers_programs(&self) -> Vec<PathBuf> {
        let pids = self.plugin.workers().into_iter();
        pids.filter_map(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok())
            .collect()
    }

    /// One worker, of the program that is installed now.
    fn until_handed_over(&self) {
        let expected = [self.program()];
        self.plugin.until("one of the new version", || {
            self.workers_programs() == expected
        });
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.plugin.kill_worker();
    }
}

fn platform() -> Platform {
    Platform::of_target(&xtask::host().unwrap()).unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_save_after_an_install_is_synced() {
    let shop = Shop::new(2);
    let listed = shop.packages.available().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(
        listed[0].name.starts_with("Stash2Plex (Linux "),
        "{}",
        listed[0].name
    );
    shop.install();
    // Where settings are kept, whatever the package is called.
    assert_eq!(shop.packages.plugin(&shop.id).unwrap().id, "Stash2Plex");
    shop.save_all();
    shop.plugin.until_equal();

    let shipped = names(&shop.packages.path(&shop.id));
    let mut expected: BTreeSet<_> =
        ["Stash2Plex.yml", "manifest", "stash2plex", "stash2plex.js"].into();
    expected.retain(|it| !shipped.contains(*it));
    assert!(expected.is_empty() && shipped.len() == 4, "{shipped:?}");
    let kept = names(&shop.plugin.data());
    assert!(kept.contains("stash2plex.db") && kept.contains("worker.log"));
    assert!(kept.is_disjoint(&shipped), "{kept:?}");
    assert!(!kept.iter().any(|name| name.ends_with(".yml")));
}

#[test]
fn an_update_while_jobs_wait_loses_none() {
    let shop = Shop::new(3);
    shop.install();
    shop.wait_for_plex();
    shop.release(&SECOND);
    assert!(shop.packages.update(&shop.id).unwrap());
    shop.until_handed_over();
    assert_eq!(
        shop.status()["queue"]["waiting"],
        json!(3),
        "{}",
        shop.status()
    );
    shop.plugin.world.plex.up().unwrap();
    shop.plugin.until_equal();
    assert_eq!(shop.workers_programs(), [shop.program()]);
}

#[test]
fn jobs_of_a_worker_that_is_gone_are_done_by_the_new_version() {
    let shop = Shop::new(2);
    shop.install();
    shop.wait_for_plex();
    shop.plugin.kill_worker();
    shop.plugin.until_no_worker();
    shop.release(&SECOND);
    assert!(shop.packages.update(&shop.id).unwrap());
    shop.plugin.world.plex.up().unwrap();
    shop.plugin.until("equal", || {
        shop.status();
        shop.plugin.world.comparison().is_equal()
    });
    assert_eq!(shop.workers_programs(), [shop.program()]);
}

#[test]
fn a_worker_at_rest_hands_over_to_an_update() {
    let shop = Shop::new(1);
    shop.install();
    shop.save_all();
    shop.plugin.until_equal();
    let before = shop.plugin.workers();
    shop.release(&SECOND);
    assert!(shop.packages.update(&shop.id).unwrap());
    shop.plugin.until("another worker", || {
        let now = shop.plugin.workers();
        now.len() == 1 && now != before
    });
    shop.until_handed_over();
    assert!(shop.plugin.worker_log().contains("the plugin was updated"));
    assert!(!shop.packages.update(&shop.id).unwrap());
}

#[test]
fn what_waits_and_what_was_written_outlives_the_plugin() {
    let shop = Shop::new(2);
    shop.install();
    shop.plugin.untouched_for_a_week();
    shop.save_all();
    shop.plugin.until_equal();
    let [first, second] = shop.plugin.world.scenes[..] else {
        panic!()
    };
    shop.plugin.world.plex.down();
    shop.plugin.world.stash.edit(second).title("Saved before");
    shop.save(second);
    shop.packages.uninstall(&shop.id).unwrap();
    assert!(!shop.packages.path(&shop.id).exists());
    shop.plugin.until_no_worker();

    shop.install();
    shop.plugin.world.plex.up().unwrap();
    shop.plugin.world.plex.take_requests();
    shop.save(first);
    shop.plugin.until_equal();
    let written = shop.plugin.world.plex.take_requests();
    let edits: Vec<_> = written.iter().filter(|it| it.method == "PUT").collect();
    assert_eq!(edits.len(), 1, "only what is new: {edits:?}");
}

#[test]
fn a_download_that_fails_leaves_the_old_version_at_work() {
    let shop = Shop::new(2);
    shop.install();
    shop.save(shop.plugin.world.scenes[0]);
    shop.release(&SECOND);
    let zip = format!("{}.zip", shop.id);
    let at_fault = |fault| Rule::new(fault).path(&format!("/plugins/{zip}"));
    let short = shop.packages.clone().within(Duration::from_millis(500));
    for (packages, fault, expected) in [
        (&short, Fault::Hang, "took longer than 500ms"),
        (
            &shop.packages,
            Fault::BrokenDocument,
            "does not match expected SHA256",
        ),
        (&shop.packages, Fault::Truncated, "unexpected end of file"),
    ] {
        shop.source.fail_when(at_fault(fault));
        let why = packages.update(&shop.id).unwrap_err().to_string();
        assert!(why.contains(expected), "{why}");
        shop.source.clear_faults();
    }
    shop.save(shop.plugin.world.scenes[1]);
    shop.plugin.until_equal();
    assert_eq!(shop.plugin.worker_log().matches(" started").count(), 1);
}

/// As on Windows, where Stash could not write over a program that runs.
#[test]
fn a_worker_that_runs_from_a_copy_hands_over_as_well() {
    let shop = Shop::new(1);
    shop.install();
    shop.plugin.world.plex.down();
    shop.save_all();
    shop.plugin.kill_worker();
    shop.plugin.until_no_worker();
    let stdin = shop.plugin.world.stash.task_stdin(json!({}));
    let connection = ServerConnection::take_over(stdin.as_bytes()).unwrap();
    let (program, data) = (shop.program(), shop.plugin.data());
    let copied = copy::make(&program, &data).unwrap();
    let arguments = [OsStr::new("worker"), program.as_os_str()];
    process::start(&copied, &arguments, &data, connection.handover().expose()).unwrap();
    shop.plugin.until("a worker from a copy", || {
        shop.workers_programs() == [copied.as_path()]
    });
    assert_eq!(copy::make(&program, &data).unwrap(), copied);

    shop.release(&SECOND);
    assert!(shop.packages.update(&shop.id).unwrap());
    shop.until_handed_over();
    let newer = copy::make(&program, &data).unwrap();
    assert!(newer != copied && newer.exists() && !copied.exists());
    shop.plugin.world.plex.up().unwrap();
    shop.plugin.until_equal();
}
