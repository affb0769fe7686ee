//! Bad payloads, missing folders, other versions, broken transactions: a typed error, and nothing
//! lost; and waking up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::path::Path;
use std::time::Duration;

use child::file;
use queue::rusqlite::Connection;
use queue::{DeadFilter, Error, NewJob, OnConflict, Options, Queue, State, UNDECODABLE, Wake};

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test faults` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    match part.as_str() {
        "enqueue later" => {
            let mut queue = child::producer(&file);
            std::thread::sleep(Duration::from_millis(100));
            queue.enqueue("wake up".to_owned()).unwrap();
        }
        other => panic!("{other}"),
    }
}

#[cfg(unix)]
#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue.enqueue("secret".to_owned()).unwrap();
    let _claims = queue.claim(1).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.file_name()
        );
        seen += 1;
    }
    assert!(
        seen >= 5,
        "the database, its log, its shared memory, two locks"
    );
}

#[test]
fn a_missing_folder_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for options in [
        Options::producer(),
        Options::consumer(),
        Options::inspector(),
    ] {
        assert!(matches!(
            Queue::<String>::open(dir.path().join("no/q.db"), options),
            Err(Error::Open { .. })
        ));
    }
    assert!(matches!(
        Queue::<String>::open("/", Options::producer()),
        Err(Error::Open { .. } | Error::File { .. } | Error::ReadOnly(_))
    ));
}

#[test]
fn an_inspector_creates_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Queue::<String>::open(file(&dir), Options::inspector()),
        Err(Error::Open { .. })
    ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    child::producer(&file(&dir))
        .enqueue("a".to_owned())
        .unwrap();
    let mut inspector: Queue<String> = Queue::open(file(&dir), Options::inspector()).unwrap();
    assert_eq!(inspector.counts().unwrap().ready, 1);
    assert!(matches!(
        inspector.enqueue("b".to_owned()),
        Err(Error::ReadOnly(_))
    ));
    assert!(matches!(inspector.claim(1), Err(Error::ReadOnly(_))));
    assert_eq!(inspector.counts().unwrap().ready, 1);
}

#[test]
fn an_undecodable_payload_dead_letters_itself_and_blocks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    child::producer(&file(&dir))
        .enqueue_all(["a", "b"].map(str::to_owned))
        .unwrap();
    let mut numbers: Queue<u32> = Queue::open(file(&dir), Options::consumer()).unwrap();
    numbers.enqueue(7).unwrap();
    let claims = numbers.claim(1).unwrap();
    assert_eq!(
        claims
            .iter()
            .map(|claim| *claim.payload())
            .collect::<Vec<_>>(),
        [7]
    );
    let dead = numbers
        .dead_letters(&DeadFilter::all().error_type(UNDECODABLE))
        .unwrap();
    assert_eq!(
        dead.iter()
            .map(|dead| dead.payload.as_str())
            .collect::<Vec<_>>(),
        ["\"b\"", "\"a\""]
    );
    assert!(numbers.check().unwrap().is_empty());
}

/// Damage inside a payload, such as a page rescued with wrong bytes in it.
#[test]
fn a_payload_that_is_not_even_text_blocks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue
        .enqueue_all(["damaged", "sound"].map(|key| NewJob::new(key.to_owned()).key(key)))
        .unwrap();
    let damage = "UPDATE queue_job SET payload = CAST(x'22ff22' AS TEXT), key = CAST(x'6bff' AS TEXT) WHERE key = 'damaged'";
    queue.sql().execute(damage, []).unwrap();
    assert_eq!(queue.jobs(State::Ready, 9).unwrap().len(), 2);
    let claims = queue.claim(9).unwrap();
    let payloads: Vec<_> = claims.iter().map(queue::Claim::payload).collect();
    assert_eq!(payloads, ["sound"]);
    let dead = queue.dead_letters(&DeadFilter::all()).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].error_type, UNDECODABLE);
    assert_eq!(queue.dead_keys(&DeadFilter::all()).unwrap().len(), 1);
    assert_eq!(queue.purge(&DeadFilter::all()).unwrap(), 1);
}

#[test]
fn a_failed_transaction_changes_nothing_of_the_queue_nor_the_application() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue
        .migrate(
            "app",
            &["CREATE TABLE ledger (n INTEGER PRIMARY KEY) STRICT"],
        )
        .unwrap();
    queue.enqueue(NewJob::new("a".to_owned()).key("k")).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    let refused: Result<(), Error> = queue.transaction(|tx| {
        tx.sql().execute("INSERT INTO ledger VALUES (1)", [])?;
        tx.done(&claim)?;
        tx.enqueue(NewJob::new("b".to_owned()).key("k"))?;
        tx.enqueue(
            NewJob::new("c".to_owned())
                .key("k")
                .on_conflict(OnConflict::Reject),
        )
        .map(drop)
    });
    assert!(matches!(refused, Err(Error::KeyTaken { .. })));
    let rows = |queue: &Queue<String>| {
        queue
            .sql()
            .query_row("SELECT count(*) FROM ledger", [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap()
    };
    assert_eq!((rows(&queue), queue.counts().unwrap().running), (0, 1));
    // A lost lease rolls back even when its error is ignored.
    queue.cancel("k").unwrap();
    let ignored: Result<(), Error> = queue.transaction(|tx| {
        tx.sql().execute("INSERT INTO ledger VALUES (1)", [])?;
        let _ = tx.done(&claim);
        Ok(())
    });
    assert!(matches!(ignored, Err(Error::LeaseLost { .. })));
    assert_eq!(rows(&queue), 0);
}

#[test]
fn a_lease_is_extended_only_where_the_job_was_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (child::consumer(&file(&dir)), child::consumer(&file(&dir)));
    one.enqueue("a".to_owned()).unwrap();
    let mut claim = one.claim(1).unwrap().pop().unwrap();
    for registered in [false, true] {
        let refused = other.extend(&mut claim, Duration::from_secs(600));
        assert!(
            matches!(refused, Err(Error::ClaimedElsewhere { .. })),
            "{registered}: {refused:?}"
        );
        assert!(other.claim(1).unwrap().is_empty());
    }
    one.extend(&mut claim, Duration::from_secs(600)).unwrap();
    other.done(claim).unwrap();
}

#[test]
fn a_sleeping_worker_is_woken_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue.changed().unwrap();
    let mut producer = child::command("enqueue later", &file(&dir))
        .spawn()
        .unwrap();
    // Ends when woken; a lost wake-up would take the whole minute.
    loop {
        assert_ne!(queue.wait(Duration::from_secs(60)).unwrap(), Wake::TimedOut);
        if let Some(claim) = queue.claim(1).unwrap().pop() {
            assert_eq!(claim.payload(), "wake up");
            // 50 ms is promised; a busy machine may add to it.
            let late = claim.enqueued().elapsed().unwrap();
            assert!(late < Duration::from_secs(5), "{late:?}");
            break;
        }
    }
    assert!(producer.wait().unwrap().success());
}

#[test]
fn a_sleeping_worker_wakes_for_what_is_due_and_when_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue.changed().unwrap();
    assert_eq!(
        queue.wait(Duration::from_millis(30)).unwrap(),
        Wake::TimedOut
    );
    queue
        .enqueue(NewJob::new("a".to_owned()).due_in(Duration::from_millis(30)))
        .unwrap();
    assert_eq!(queue.wait(Duration::from_secs(60)).unwrap(), Wake::Due);
    assert_eq!(queue.claim(1).unwrap().len(), 1);
    drop(queue);
}

fn set_version(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn an_older_program_works_on_a_file_that_still_admits_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = child::consumer(&file(&dir));
    set_version(
        &file(&dir),
        "ALTER TABLE queue_job ADD COLUMN tenant TEXT; CREATE TABLE queue_future (n); PRAGMA user_version = 99",
    );
    old.enqueue("a".to_owned()).unwrap();
    let mut late = child::producer(&file(&dir));
    late.enqueue("b".to_owned()).unwrap();
    let claims = old.claim(9).unwrap();
    assert_eq!(claims.len(), 2);
    for claim in claims {
        old.done(claim).unwrap();
    }
    assert!(old.check().unwrap().is_empty());
}

#[test]
fn an_older_program_is_told_when_a_file_no_longer_admits_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = child::producer(&file(&dir));
    let mut worker = child::consumer(&file(&dir));
    worker
        .enqueue_all(["done", "extended"].map(str::to_owned))
        .unwrap();
    let mut claims = worker.claim(2).unwrap();
    set_version(
        &file(&dir),
        "UPDATE queue_meta SET min_version = 99; PRAGMA user_version = 99",
    );
    assert!(
        matches!(
            old.enqueue("a".to_owned()),
            Err(Error::TooNew { found: 99, .. })
        ),
        "also one that has it open"
    );
    let mut extended = claims.pop().unwrap();
    assert!(matches!(
        worker.extend(&mut extended, Duration::from_secs(600)),
        Err(Error::TooNew { .. })
    ));
    assert!(matches!(
        worker.done(claims.pop().unwrap()),
        Err(Error::TooNew { .. })
    ));
    assert!(matches!(
        Queue::<String>::open(file(&dir), Options::producer()),
        Err(Error::TooNew { .. })
    ));
    let left: i64 = old
        .sql()
        .query_row("SELECT count(*) FROM queue_job", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 2);
}

#[test]
fn the_applications_own_migrations_run_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let first = "CREATE TABLE ledger (n INTEGER PRIMARY KEY) STRICT";
    let second = "ALTER TABLE ledger ADD COLUMN hash TEXT";
    child::consumer(&file(&dir))
        .migrate("app", &[first])
        .unwrap();
    let mut queue = child::consumer(&file(&dir));
    assert!(
        queue
            .migrate("app", &[first, "no SQL at all", second])
            .is_err()
    );
    queue.migrate("app", &[first, second]).unwrap();
    queue.migrate("app", &[first, second]).unwrap();
    queue
        .migrate("other app", &["CREATE TABLE theirs (n INTEGER) STRICT"])
        .unwrap();
    queue.sql().prepare("SELECT n, hash FROM ledger").unwrap();
    assert!(matches!(
        queue.migrate("app", &[first]),
        Err(Error::AppTooNew {
            found: 2,
            known: 1,
            ..
        })
    ));
}
