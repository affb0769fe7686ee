//! Damaged and foreign files: set aside, rescued, reported.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use queue::{DeadFilter, Error, NewJob, Options, Queue};

const JOBS: i64 = 500;

/// A queue with jobs of which ten are dead, and a table of the application's; closed and in one
/// file.
fn filled(folder: &Path) -> PathBuf {
    let path = folder.join("q.db");
    let mut queue: Queue<String> = Queue::open(&path, Options::consumer()).unwrap();
    queue
        .migrate(
            "app",
            &["CREATE TABLE ledger (scene INTEGER PRIMARY KEY, title TEXT) STRICT"],
        )
        .unwrap();
    queue
        .transaction(|tx| {
            for n in 0..JOBS {
                tx.enqueue(
                    NewJob::new(format!("payload {n} {}", "x".repeat(100))).key(format!("key {n}")),
                )?;
                tx.sql()
                    .execute("INSERT INTO ledger VALUES (?1, 'title')", [n])?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    for claim in queue.claim(10).unwrap() {
        queue.dead(claim, "Broken", "beyond repair").unwrap();
    }
    // One runs when the file is damaged.
    std::mem::forget(queue.claim(1).unwrap());
    drop(queue);
    path
}

fn damage(path: &Path, offset: usize, len: usize) {
    let mut bytes = fs::read(path).unwrap();
    for (n, byte) in bytes[offset..offset + len].iter_mut().enumerate() {
        *byte = (n * 151 + 7) as u8;
    }
    fs::write(path, bytes).unwrap();
}

fn live_rows(queue: &Queue<String>) -> i64 {
    queue
        .sql()
        .query_row("SELECT count(*) FROM queue_job", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_garbage_header_is_a_typed_error_and_loses_nothing() {
    for len in [16, 100, 4096] {
        let dir = tempfile::tempdir().unwrap();
        let path = filled(dir.path());
        damage(&path, 0, len);
        let damaged = fs::read(&path).unwrap();
        assert!(matches!(
            Queue::<String>::open(&path, Options::producer()),
            Err(Error::Corrupt(_))
        ));
        assert_eq!(
            fs::read(&path).unwrap(),
            damaged,
            "a refused file is not touched"
        );

        let (mut queue, salvage) =
            Queue::<String>::open_or_salvage(&path, Options::consumer()).unwrap();
        let salvage = salvage.unwrap();
        assert_eq!(
            (salvage.jobs, salvage.dead),
            (490, 10),
            "{len} bytes: {salvage:?}"
        );
        assert!(!salvage.lost.is_empty(), "a patched header is told of");
        assert_eq!(fs::read(&salvage.set_aside).unwrap(), damaged);
        // The tables of the application are listed on the first page.
        assert_eq!(
            salvage.app_rows,
            if len < 4096 { 500 } else { 0 },
            "{salvage:?}"
        );
        assert!(queue.check().unwrap().is_empty());
        assert_eq!(queue.claim(1000).unwrap().len(), 490);
        assert_eq!(
            queue.dead_letters(&DeadFilter::all()).unwrap()[0].message,
            "beyond repair"
        );
    }
}

#[test]
fn damage_inside_costs_only_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    for page in 2..pages {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("q.db");
        fs::copy(&path, &copy).unwrap();
        damage(&copy, usize::try_from(page).unwrap() * 4096, 4096);
        let (queue, mut salvage) =
            Queue::<String>::open_or_salvage(&copy, Options::consumer()).unwrap();
        let sound = queue.check().is_ok_and(|found| found.is_empty());
        let queue = if salvage.is_none() && !sound {
            let (queue, salvaged) = queue.salvage("a check found damage").unwrap();
            salvage = salvaged;
            queue
        } else {
            queue
        };
        let Some(salvage) = salvage else {
            continue; // A free page, or one that lists free pages.
        };
        assert!(queue.check().unwrap().is_empty(), "page {page}");
        assert_eq!(u64::try_from(live_rows(&queue)).unwrap(), salvage.jobs);
        let whole = (salvage.jobs, salvage.dead, salvage.app_rows) == (490, 10, 500);
        assert!(
            whole || !salvage.lost.is_empty(),
            "page {page}: loss is reported: {salvage:?}"
        );
        // The root of the job table leads to all of its rows; any other page holds a part.
        assert!(
            salvage.jobs >= 400 || salvage.jobs == 0,
            "page {page}: {salvage:?}"
        );
        assert!(salvage.set_aside.exists());
    }
}

/// Damage that reads as a job, but not as one the new file takes.
#[test]
fn a_job_that_makes_no_sense_is_reported() {
    for nonsense in ["state = 77", "state = 2", "next_payload = '1'"] {
        let dir = tempfile::tempdir().unwrap();
        let path = filled(dir.path());
        let queue: Queue<String> = Queue::open(&path, Options::consumer()).unwrap();
        let damage = format!(
            "PRAGMA ignore_check_constraints = ON; UPDATE queue_job SET {nonsense} WHERE id = 100"
        );
        queue.sql().execute_batch(&damage).unwrap();
        let reason = Error::Corrupt("damage".into());
        let (queue, salvage) = queue.salvage(&reason).unwrap();
        let salvage = salvage.unwrap();
        assert_eq!(
            (salvage.jobs, salvage.dead, salvage.app_rows),
            (489, 10, 500),
            "{nonsense}"
        );
        assert_eq!(salvage.lost, ["queue_job: 1 rows that break its rules"]);
        assert!(queue.check().unwrap().is_empty());
    }
}

/// What short-lived processes leave is in the log alone, and so is the first page.
#[test]
fn what_is_only_in_the_log_outlives_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    for n in 0..5 {
        let mut queue: Queue<String> = Queue::open(&path, Options::producer()).unwrap();
        queue.enqueue(format!("{n}")).unwrap();
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), 4_096);
    damage(&path, 0, 4_096);
    let (queue, salvage) = Queue::<String>::open_or_salvage(&path, Options::producer()).unwrap();
    assert_eq!(salvage, None, "nothing was lost");
    // And set aside all the same, it is read with its log.
    let reason = Error::Corrupt("damage".into());
    let (mut queue, salvage) = queue.salvage(&reason).unwrap();
    let salvage = salvage.unwrap();
    assert_eq!((salvage.jobs, &salvage.lost), (5, &vec![]));
    assert_eq!(queue.claim(9).unwrap().len(), 5);
    assert!(queue.check().unwrap().is_empty());
}

#[test]
fn new_ids_follow_the_rescued_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    damage(&path, 0, 100);
    let (mut queue, _) = Queue::<String>::open_or_salvage(&path, Options::consumer()).unwrap();
    assert_eq!(queue.enqueue("new".to_owned()).unwrap().job(), JOBS + 1);
}

#[test]
fn a_foreign_database_is_set_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let foreign = queue::rusqlite::Connection::open(&path).unwrap();
    foreign
        .execute_batch("CREATE TABLE theirs (n); INSERT INTO theirs VALUES (1)")
        .unwrap();
    drop(foreign);
    let before = fs::read(&path).unwrap();
    assert!(matches!(
        Queue::<String>::open(&path, Options::producer()),
        Err(Error::Foreign { .. })
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
    let (queue, salvage) = Queue::<String>::open_or_salvage(&path, Options::consumer()).unwrap();
    let salvage = salvage.unwrap();
    assert_eq!(fs::read(&salvage.set_aside).unwrap(), before);
    assert_eq!((live_rows(&queue), salvage.lost.len()), (0, 1));
}

#[test]
fn a_damaged_file_in_use_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let worker: Queue<String> = Queue::open(&path, Options::consumer()).unwrap();
    let other: Queue<String> = Queue::open(
        &path,
        Options::producer().busy_timeout(std::time::Duration::from_millis(20)),
    )
    .unwrap();
    let reason = Error::Corrupt("damage".into());
    assert!(matches!(other.salvage(&reason), Err(Error::InUse { .. })));
    assert_eq!(live_rows(&worker), 490);
}

/// Who waits to repair a file takes the new one that the process before has put there.
#[test]
fn a_file_that_another_one_has_repaired_meanwhile_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let worker: Queue<String> = Queue::open(&path, Options::consumer()).unwrap();
    let patience = std::time::Duration::from_secs(60);
    let producer = Options::producer().busy_timeout(patience);
    let waits: Queue<String> = Queue::open(&path, producer).unwrap();
    let reason = || Error::Corrupt("damage".into());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || waits.salvage(reason()));
        let (worker, first) = worker.salvage(reason()).unwrap();
        let (mut queue, second) = waiting.join().unwrap().unwrap();
        // One of the two was first, and both have one file.
        assert_ne!(first.is_some(), second.is_some());
        queue.enqueue(NewJob::new("new".to_owned())).unwrap();
        assert_eq!(live_rows(&worker), 491);
    });
}

#[test]
fn text_of_any_length_is_no_queue() {
    for len in [1, 50, 511, 512, 5000] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.db");
        fs::write(&path, "z".repeat(len)).unwrap();
        let (mut queue, salvage) =
            Queue::<String>::open_or_salvage(&path, Options::producer()).unwrap();
        assert!(!salvage.unwrap().lost.is_empty());
        queue.enqueue("a".to_owned()).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert!(
            left.iter()
                .all(|name| !name.to_string_lossy().contains("salvage")),
            "{left:?}"
        );
    }
}

/// SQLite takes such a log for an empty one, and begins it anew.
#[test]
fn a_log_with_a_damaged_header_is_reported_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let mut queue: Queue<String> = Queue::open(&path, Options::producer()).unwrap();
    queue.enqueue("in the log alone".to_owned()).unwrap();
    drop(queue);
    let log = dir.path().join("q.db-wal");
    damage(&log, 0, 32);
    let bytes = fs::read(&log).unwrap();
    for options in [
        Options::producer(),
        Options::consumer(),
        Options::inspector(),
    ] {
        let refused = Queue::<String>::open(&path, options);
        assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
    }
    let (queue, salvage) = Queue::<String>::open_or_salvage(&path, Options::consumer()).unwrap();
    let salvage = salvage.unwrap();
    assert_eq!(u64::try_from(live_rows(&queue)).unwrap(), salvage.jobs);
    assert!(
        salvage.lost.iter().any(|lost| lost.contains("log")),
        "{salvage:?}"
    );
    let mut kept = salvage.set_aside.into_os_string();
    kept.push("-wal");
    assert_eq!(fs::read(kept).unwrap(), bytes);
}
