//! A copy put back: as documented, and with the log of the newer file left beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::path::{Path, PathBuf};

use child::file;
use queue::{Queue, Salvage, State};

const COPIED: usize = 300;
const NEWER: usize = 20;

/// A file whose newest jobs are in its log alone, and an older copy of it with other jobs.
fn newer_and_copy(dir: &tempfile::TempDir) -> PathBuf {
    let copy = dir.path().join("backup.db");
    let mut queue = child::consumer(&file(dir));
    let jobs = (0..COPIED).map(|n| format!("copied {n} {}", "x".repeat(200)));
    queue.enqueue_all(jobs).unwrap();
    queue
        .sql()
        .execute("VACUUM INTO ?1", [copy.to_str()])
        .unwrap();
    for claim in queue.claim(COPIED).unwrap() {
        queue.done(claim).unwrap();
    }
    queue.maintain().unwrap();
    drop(queue);
    let mut queue = child::producer(&file(dir));
    let jobs = (0..NEWER).map(|n| format!("newer {n} {}", "x".repeat(200)));
    queue.enqueue_all(jobs).unwrap();
    drop(queue);
    assert!(fs::metadata(dir.path().join("q.db-wal")).unwrap().len() > 0);
    copy
}

fn ready(queue: &Queue<String>) -> (usize, usize) {
    let ready = child::ready(queue);
    let of = |word: &str| ready.iter().filter(|job| job.starts_with(word)).count();
    assert_eq!(queue.counts().unwrap().ready as usize, ready.len());
    (of("copied"), of("newer"))
}

#[test]
fn a_copy_put_back_without_the_old_log_is_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let copy = newer_and_copy(&dir);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(dir.path().join(format!("q.db{suffix}")));
    }
    fs::rename(copy, file(&dir)).unwrap();
    let mut queue = child::consumer(&file(&dir));
    assert_eq!(ready(&queue), (COPIED, 0));
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
    assert_eq!(queue.claim(COPIED + 1).unwrap().len(), COPIED);
}

/// Opens it, works as a worker does, and salvages it once.
fn salvaged(path: &Path) -> (Queue<String>, Salvage) {
    let (queue, salvage) =
        Queue::<String>::open_or_salvage(path, queue::Options::consumer()).unwrap();
    if let Some(salvage) = salvage {
        return (queue, salvage);
    }
    let found = queue.check();
    assert!(!matches!(&found, Ok(found) if found.is_empty()));
    let (queue, salvage) = queue.salvage("a check found damage").unwrap();
    (queue, salvage.unwrap())
}

#[test]
fn a_copy_put_back_beside_the_newer_log_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let copy = newer_and_copy(&dir);
    fs::rename(copy, file(&dir)).unwrap();
    let (queue, salvage) = salvaged(&file(&dir));
    assert_eq!(ready(&queue), (COPIED, NEWER), "{salvage:?}");
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
    assert!(
        salvage
            .lost
            .iter()
            .any(|lost| lost.contains("another file")),
        "{salvage:?}"
    );
    assert_eq!(queue.jobs(State::Running, 1).unwrap(), []);
}
