//! Files that go away, or have no room, while a worker lives.

use super::*;

fn remove_database(plugin: &Installed) {
    for name in ["stash2plex.db", "stash2plex.db-wal", "stash2plex.db-shm"] {
        let _ = fs::remove_file(plugin.data().join(name));
    }
}

#[test]
fn a_worker_whose_database_was_removed_takes_the_new_one() {
    let plugin = Installed::with(2, json!({"idle_timeout": 60}));
    idle(&plugin);
    remove_database(&plugin);
    let scene = plugin.world.scenes[1];
    edit(&plugin, scene, "Saved into a new file");
    plugin.save(scene);
    plugin.until_equal();
    plugin.kill_worker();
}

#[test]
fn a_worker_whose_folder_was_removed_ends() {
    let plugin = Installed::with(2, json!({"idle_timeout": 600}));
    idle(&plugin);
    let before = plugin.workers();
    assert_eq!(before.len(), 1);
    fs::remove_dir_all(plugin.data()).unwrap();
    let scene = plugin.world.scenes[1];
    edit(&plugin, scene, "Saved into a new folder");
    plugin.save(scene);
    plugin.until_equal();
    let process = format!("/proc/{}", before[0]);
    plugin.until("without the old worker", || !fs::exists(&process).unwrap());
    plugin.kill_worker();
    fs::remove_dir_all(plugin.data()).unwrap();
}

/// A file system of half a megabyte, until the disk has room again.
#[test]
fn a_disk_that_was_full_for_a_moment_stops_nothing_for_good() {
    let plugin = Installed::with(3, json!({"idle_timeout": 60}));
    let data = dir(&plugin);
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"])
        .arg(data.path())
        .output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        println!("skipped: needs a superuser who may mount a small file system");
        return;
    }
    let unmount = Unmount(&data);
    idle(&plugin);
    let ballast = data.path().join("ballast");
    // To the last byte.
    let mut size = 1 << 20;
    while size > 0 {
        let more = vec![0; size];
        let file = fs::File::options().create(true).append(true).open(&ballast);
        if std::io::Write::write_all(&mut file.unwrap(), &more).is_err() {
            size /= 2;
        }
    }
    let health = plugin.task("health_check").log_text();
    let said = "w Data folder: cannot write";
    assert!(
        health.contains(said) && health.contains("make room"),
        "{health}"
    );
    // Recorded before, as far as the worker knows: what it fails at is its own writing.
    plugin.world.plex.fail_with(Fault::Unauthorized);
    let run = plugin.run(
        &plugin
            .world
            .stash
            .hook_stdin(&Trigger::SceneForm(plugin.world.scenes[1])),
    );
    let recorded = run.error().is_none();
    if recorded {
        plugin.until("told", || {
            plugin.worker_log().contains("full") || !plugin.workers().is_empty()
        });
    }
    fs::remove_file(&ballast).unwrap();
    plugin.world.plex.clear_faults();
    edit(&plugin, plugin.world.scenes[2], "There is room again");
    if !recorded {
        plugin.save(plugin.world.scenes[1]);
    }
    plugin.save(plugin.world.scenes[2]);
    plugin.until_equal();
    plugin.kill_worker();
    drop(unmount);
}

struct Unmount<'a>(&'a DataDir);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_cleared_queue_gives_its_room_back() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    idle(&plugin);
    let size = || {
        fs::metadata(plugin.data().join("stash2plex.db"))
            .unwrap()
            .len()
    };
    let small = size();
    let job = |id| {
        NewJob::new(Job::Scene { id, force: true })
            .key(scene_key(id))
            .due_in(Duration::from_secs(3600))
    };
    let mut queue = plugin.queue_as(Options::producer());
    queue.enqueue_all((1000..21_000).map(job)).unwrap();
    drop(queue);
    plugin.until("written", || size() > small + 1_000_000);
    assert_eq!(plugin.task("clear_queue").error(), None);
    plugin.until("small again", || size() < small + 200_000);
    plugin.kill_worker();
}
