//! A damaged queue file: said, kept, and worked around by whoever meets it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};

use common::Installed;
use sync_engine::daemon::lock::Role;

const PAGE: u64 = 4096;

/// Scenes saved while a lock keeps workers away, so that their jobs wait in the file and nobody has
/// it open.
fn waiting(scenes: usize) -> Installed {
    let plugin = Installed::new(scenes);
    let _lock = plugin.take_lock(Role::Worker);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    let mut queue = plugin.queue_as(queue::Options::consumer());
    queue.maintain().unwrap(); // everything is in the file itself now
    plugin
}

fn overwrite(plugin: &Installed, from: u64, bytes: usize) {
    let path = plugin.data().join("stash2plex.db");
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xA5; bytes]).unwrap();
}

fn kept(plugin: &Installed) -> usize {
    let names = fs::read_dir(plugin.data()).unwrap();
    names
        .filter(|name| {
            let name = name.as_ref().unwrap().file_name();
            let name = name.to_string_lossy();
            name.starts_with("stash2plex.db") && name.contains("20") && !name.ends_with("-wal")
        })
        .count()
}

#[test]
fn a_file_that_is_no_database_any_more_is_replaced_by_the_task() {
    let plugin = waiting(3);
    overwrite(&plugin, 0, 100);
    let run = plugin.task("process_queue");
    assert_eq!(run.error(), None);
    assert!(
        run.log_text()
            .contains("database was damaged and has been replaced"),
        "{}",
        run.log_text()
    );
    assert_eq!(kept(&plugin), 1);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
}

/// Damage that no opening shows: the worker meets it at its first claims.
#[test]
fn damage_in_the_middle_is_repaired_by_the_worker() {
    let plugin = waiting(120);
    let path = plugin.data().join("stash2plex.db");
    let mut bytes = Vec::new();
    File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
    // The page with the job of the fiftieth scene; the root of the table may hold a stale copy
    // further up.
    let job = format!("\"id\":{},", plugin.world.scenes[49]);
    let at = bytes
        .windows(job.len())
        .rposition(|window| window == job.as_bytes())
        .unwrap() as u64;
    overwrite(&plugin, at / PAGE * PAGE, PAGE as usize);
    let run = plugin.task("process_queue");
    assert_eq!(run.error(), None);
    let log = plugin.worker_log();
    assert!(
        log.contains("database was damaged and has been replaced"),
        "{log}"
    );
    assert!(log.contains("Lost: "), "{log}");
    let told = run.log_text();
    assert!(
        told.contains("database was damaged and has been replaced"),
        "the task says it too: {told}"
    );
    assert_eq!(kept(&plugin), 1);
    let equal = plugin.world.comparison().equal();
    assert!(
        (1..120).contains(&equal),
        "the rest was rescued: {equal} equal; {log}"
    );
    assert_eq!(plugin.queue().counts().unwrap().live(), 0);
}

/// A copy of the database is put in its place while a worker lives, and the log stays: the worker
/// claims in the new file before it sees that it is another one.
#[cfg(unix)]
#[test]
fn a_copy_that_is_put_back_strands_no_change() {
    let plugin = Installed::with(3, serde_json::json!({"idle_timeout": 60}));
    let synced = |scenes: usize| {
        plugin.until("synced", || plugin.world.comparison().equal() == scenes);
    };
    let database = plugin.data().join("stash2plex.db");
    let copy = plugin.data().join("copy");
    plugin.save(plugin.world.scenes[0]);
    synced(1);
    fs::copy(&database, &copy).unwrap();
    plugin.save(plugin.world.scenes[1]);
    synced(2);
    fs::rename(&copy, &database).unwrap();
    plugin.save(plugin.world.scenes[2]);
    synced(3);
    plugin.kill_worker();
}
