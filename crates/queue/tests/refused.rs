//! Locks that stay, files and folders that cannot be written, limits: every operation says so with
//! a typed error, says that nothing was written, and nothing was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::time::{Duration, Instant, SystemTime};

use child::{file, say};
use queue::rusqlite::Connection;
use queue::{
    Claim, Counts, DeadFilter, DeadLetter, Error, JobInfo, NewJob, Options, Queue, Result, State,
    Written,
};

const BUSY: Duration = Duration::from_millis(30);

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test refused` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    let stored = Queue::<String>::open(&file, Options::producer())
        .and_then(|mut queue| queue.enqueue("new".to_owned()));
    match stored {
        Ok(_) => say("stored new"),
        Err(error) => say(&format!("refused {:?} {error:?}", error.written())),
    };
}

/// Everything an onlooker sees.
fn content(queue: &Queue<String>) -> (Counts, Vec<JobInfo>, Vec<DeadLetter>, bool) {
    let jobs = [State::Waiting, State::Ready, State::Running]
        .map(|state| queue.jobs(state, usize::MAX).unwrap());
    (
        queue.counts().unwrap(),
        jobs.concat(),
        queue.dead_letters(&DeadFilter::all()).unwrap(),
        queue.is_paused().unwrap(),
    )
}

/// A dead letter, a job that waits, one that is ready, and `n` that run.
fn filled(queue: &mut Queue<String>, n: usize) -> Vec<Claim<String>> {
    queue.enqueue("dead".to_owned()).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.dead(claim, "Broken", "beyond repair").unwrap();
    queue.enqueue_all((0..n).map(|n| n.to_string())).unwrap();
    let claims = queue.claim(n).unwrap();
    let hour = Duration::from_secs(3_600);
    queue
        .enqueue_all([
            NewJob::new("ready".to_owned()).key("ready"),
            NewJob::new("waiting".to_owned())
                .key("waiting")
                .due_in(hour),
        ])
        .unwrap();
    claims
}

type Operation = Box<dyn FnOnce(&mut Queue<String>) -> Result<()>>;

/// Every operation that writes; six need a claim.
fn every_operation(mut claims: Vec<Claim<String>>) -> Vec<(&'static str, Operation)> {
    let mut next = || claims.pop().unwrap();
    let (done, retried, deferred, dead, released, mut extended, settled) =
        (next(), next(), next(), next(), next(), next(), next());
    let (now, all) = (SystemTime::now(), DeadFilter::all);
    let new = || NewJob::new("new".to_owned()).key("ready");
    vec![
        (
            "enqueue",
            Box::new(move |queue| queue.enqueue(new()).map(drop)),
        ),
        (
            "enqueue_all",
            Box::new(move |queue| queue.enqueue_all([new()]).map(drop)),
        ),
        (
            "cancel",
            Box::new(|queue| queue.cancel("waiting").map(drop)),
        ),
        ("clear", Box::new(|queue| queue.clear().map(drop))),
        ("claim", Box::new(|queue| queue.claim(1).map(drop))),
        (
            "extend",
            Box::new(move |queue| queue.extend(&mut extended, Duration::from_secs(999))),
        ),
        ("done", Box::new(|queue| queue.done(done))),
        (
            "retry_at",
            Box::new(move |queue| queue.retry_at(retried, now, "E", "e")),
        ),
        (
            "defer",
            Box::new(move |queue| queue.defer(deferred, now, "later")),
        ),
        ("dead", Box::new(|queue| queue.dead(dead, "E", "e"))),
        ("release", Box::new(|queue| queue.release(released))),
        (
            "transaction",
            Box::new(move |queue| queue.transaction(|tx| tx.done(&settled))),
        ),
        (
            "release_held",
            Box::new(|queue| queue.release_held().map(drop)),
        ),
        (
            "redrive",
            Box::new(move |queue| queue.redrive(&all()).map(drop)),
        ),
        (
            "purge",
            Box::new(move |queue| queue.purge(&all()).map(drop)),
        ),
        ("purge_but", Box::new(|queue| queue.purge_but(0).map(drop))),
        ("pause", Box::new(Queue::pause)),
        ("resume", Box::new(Queue::resume)),
        (
            "migrate",
            Box::new(|queue| queue.migrate("app", &["CREATE TABLE app (n)"])),
        ),
    ]
}

#[test]
fn a_lock_that_stays_refuses_every_operation_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::consumer().busy_timeout(BUSY);
    let mut queue = Queue::open(file(&dir), options).unwrap();
    let claims = filled(&mut queue, 7);
    let before = content(&queue);
    let other = Connection::open(file(&dir)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (name, operation) in every_operation(claims) {
        let started = Instant::now();
        let error = operation(&mut queue).expect_err(name);
        let waited = started.elapsed();
        assert!(matches!(error, Error::Busy(_)), "{name}: {error:?}");
        assert_eq!(error.written(), Written::No, "{name}");
        assert!(
            waited >= BUSY && waited < Duration::from_secs(5),
            "{name}: {waited:?}"
        );
        assert_eq!(content(&queue), before, "{name}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        queue.release_held().unwrap(),
        7,
        "what was not settled is still held"
    );
    assert_eq!(queue.claim(99).unwrap().len(), 8);
}

/// Nobody else gets in, neither into an empty file nor into a queue.
#[test]
fn a_file_locked_whole_cannot_be_opened_and_is_left_alone() {
    for exists in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        if exists {
            child::producer(&file(&dir))
                .enqueue("a".to_owned())
                .unwrap();
        }
        let other = Connection::open(file(&dir)).unwrap();
        other
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
            .unwrap();
        for options in [Options::producer(), Options::consumer()] {
            let error = Queue::<String>::open(file(&dir), options.busy_timeout(BUSY)).unwrap_err();
            assert!(matches!(error, Error::Busy(_)), "{exists}: {error:?}");
            assert_eq!(error.written(), Written::No);
        }
        drop(other);
        let queue = child::producer(&file(&dir));
        assert_eq!(queue.counts().unwrap().ready, u64::from(exists));
    }
}

#[test]
fn what_is_too_large_or_over_the_limit_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let open = |options: Options| Queue::<String>::open(file(&dir), options).unwrap();
    let mut filler = open(Options::consumer());
    let mut claims = filled(&mut filler, 1);
    let claim = claims.pop().unwrap();
    let before = content(&filler);
    let new = |payload: &str| NewJob::new(payload.to_owned()).key("ready");
    let large = "x".repeat(99);
    let mut limited = open(Options::consumer().payload_limit(100));
    let mut poor = open(Options::consumer().disk_limit(1));
    let refusals = [
        limited.enqueue(new(&large)).unwrap_err(),
        limited.enqueue_all([new("b"), new(&large)]).unwrap_err(),
        limited
            .transaction(|tx| {
                tx.done(&claim)?;
                tx.enqueue(new("b"))?;
                tx.enqueue(new(&large)).map(drop)
            })
            .unwrap_err(),
        poor.enqueue(new("b")).unwrap_err(),
        poor.enqueue_all([new("b"), new("c")]).unwrap_err(),
        poor.transaction(|tx| {
            tx.done(&claim)
                .and_then(|()| tx.enqueue(new("b")).map(drop))
        })
        .unwrap_err(),
    ];
    for (n, error) in refusals.iter().enumerate() {
        let typed = match error {
            Error::PayloadTooLarge {
                size: 101,
                limit: 100,
            } => n < 3,
            Error::OverDiskLimit { used, limit: 1 } => n >= 3 && *used > 4_096,
            _ => false,
        };
        assert!(typed, "{n}: {error:?}");
        assert_eq!(error.written(), Written::No);
    }
    assert_eq!(content(&filler), before);
    filler.done(claim).unwrap();
}

/// The superuser may write everywhere, and then a child plays as nobody.
#[cfg(unix)]
#[test]
fn a_read_only_folder_or_file_is_told_and_left_alone() {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    // Whether there is a queue, the folder's mode, the files' mode.
    for (exists, folder, files) in [
        (false, 0o555, 0),
        (true, 0o555, 0o666),
        (true, 0o755, 0o444),
    ] {
        let dir = tempfile::tempdir().unwrap();
        if exists {
            // Its end leaves no log, so that one would have to be made.
            child::consumer(&file(&dir))
                .enqueue("old".to_owned())
                .unwrap();
        }
        let superuser = chown(dir.path(), Some(NOBODY), Some(NOBODY)).is_ok();
        for entry in fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if superuser {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            mode(&path, files);
        }
        mode(dir.path(), folder);
        let mut nobody = child::command("store", &file(&dir));
        if superuser {
            nobody.uid(NOBODY).gid(NOBODY);
        }
        let output = nobody.output();
        mode(dir.path(), 0o755);
        match output {
            Ok(output) if output.status.success() => {
                let refused = child::said(&output.stdout, "refused");
                assert!(
                    refused.len() == 1 && refused[0].starts_with("No ReadOnly("),
                    "{exists} {folder:o} {files:o}: {refused:?}"
                );
            }
            other => println!("skipped: cannot run as nobody ({other:?})"),
        }
        if exists {
            for entry in fs::read_dir(dir.path()).unwrap() {
                mode(&entry.unwrap().path(), 0o600);
            }
            assert_eq!(child::ready(&child::consumer(&file(&dir))), ["old"]);
        } else {
            assert!(!file(&dir).exists());
        }
    }
}
