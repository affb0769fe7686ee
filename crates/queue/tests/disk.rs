//! Full disks, failing disks, and how much of a disk a queue takes: a typed error that says whether
//! anything was written, nothing lost, space given back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::process::Command;

use child::{file, ready, say};
use queue::{Error, NewJob, Options, Queue, Written};

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test disk` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    if part == "open and store" {
        // SQLite calls damaged what cannot be read: a second look must find that it is not.
        let stored = Queue::open_or_salvage(&file, Options::producer()).and_then(|opened| {
            let (mut queue, salvage) = opened;
            assert_eq!(salvage, None, "a sound file is not set aside");
            queue.enqueue("new".to_owned())
        });
        match stored {
            Ok(_) => say("stored new"),
            Err(error) => say(&format!("refused {:?} {error:?}", error.written())),
        };
        return;
    }
    let mut queue = child::producer(&file);
    for n in 0..200 {
        match queue.enqueue(format!("{n}")) {
            Ok(_) => say(&format!("stored {n}")),
            Err(error) => say(&format!("refused {:?} {error:?}", error.written())),
        };
    }
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    let pages: i64 = queue
        .sql()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    queue
        .sql()
        .query_row(
            &format!("PRAGMA max_page_count = {}", pages + 3),
            [],
            |_| Ok(()),
        )
        .unwrap();
    let mut stored = 0;
    let error = loop {
        match queue.enqueue("x".repeat(1000)) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::DiskFull(_)), "{error:?}");
    assert_eq!(error.written(), Written::No);
    assert_eq!(
        (queue.counts().unwrap().ready, ready(&queue).len()),
        (stored, usize::try_from(stored).unwrap())
    );
    // Draining works, and makes room.
    for claim in queue.claim(100).unwrap() {
        queue.done(claim).unwrap();
    }
    queue.enqueue("room again".to_owned()).unwrap();
    assert!(queue.check().unwrap().is_empty());
}

/// What a child with a failing disk was told, and what it left.
struct Told {
    stored: Vec<String>,
    refused: Vec<String>,
    queue: Queue<String>,
    _dir: tempfile::TempDir,
}

/// Runs a child whose disk fails in a way. None, with a message, when there is no strace.
fn with_failing_disk(fault: &str) -> Option<Told> {
    let dir = tempfile::tempdir().unwrap();
    drop(child::producer(&file(&dir)));
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-o", "/dev/null", "-e", fault, "--"])
        .arg(std::env::current_exe().unwrap());
    let output = match child::under(strace, "until refused", &file(&dir)).output() {
        Ok(output) if output.status.success() => output.stdout,
        other => {
            println!("skipped: strace cannot trace here ({other:?}); apt-get install strace");
            return None;
        }
    };
    let queue = child::consumer(&file(&dir));
    let (stored, refused) = (
        child::said(&output, "stored"),
        child::said(&output, "refused"),
    );
    Some(Told {
        stored,
        refused,
        queue,
        _dir: dir,
    })
}

#[test]
fn a_disk_that_fails_to_write_is_told_and_loses_nothing() {
    for (fault, name) in [
        ("inject=pwrite64:error=ENOSPC:when=100..150", "DiskFull"),
        ("inject=pwrite64:error=EIO:when=100..150", "Io"),
        ("inject=pwrite64:error=EIO:when=101..400+7", "Io"),
    ] {
        let Some(Told {
            stored,
            refused,
            queue,
            _dir,
        }) = with_failing_disk(fault)
        else {
            return;
        };
        assert!(!stored.is_empty() && !refused.is_empty(), "{fault}");
        let ready = ready(&queue);
        assert!(
            stored.iter().all(|job| ready.contains(job)),
            "{fault}: acknowledged jobs are there"
        );
        assert!(
            refused
                .iter()
                .all(|error| error.contains(name) || error.starts_with("Unknown")),
            "{fault}: {refused:?}"
        );
        let unknown = refused
            .iter()
            .filter(|error| error.starts_with("Unknown"))
            .count();
        assert!(
            ready.len() <= stored.len() + unknown,
            "{fault}: what was not written is not there"
        );
        assert_eq!(queue.check().unwrap(), Vec::<String>::new(), "{fault}");
    }
}

#[test]
fn a_disk_that_fails_to_sync_leaves_the_outcome_unknown() {
    let Some(Told {
        stored,
        refused,
        queue,
        _dir,
    }) = with_failing_disk("inject=fsync,fdatasync:error=EIO:when=20..30")
    else {
        return;
    };
    assert!(!stored.is_empty() && !refused.is_empty());
    let ready = ready(&queue);
    assert!(stored.iter().all(|job| ready.contains(job)));
    assert!(
        refused
            .iter()
            .all(|error| error.starts_with("Unknown CommitUnknown")),
        "{refused:?}"
    );
    assert!(queue.check().unwrap().is_empty());
}

/// The first, the second, … call of a kind fails, in a process that opens the queue (or creates it)
/// and stores one job.
#[test]
fn each_call_that_fails_once_while_opening_is_told_and_loses_nothing() {
    for (call, error, exists) in [
        ("pwrite64", "EIO", true),
        ("pwrite64", "ENOSPC", false),
        ("fdatasync", "EIO", true),
        ("fdatasync", "EIO", false),
        ("ftruncate", "EIO", true),
        ("pread64", "EIO", true),
        ("pread64", "EIO", false),
    ] {
        let mut refusals = 0;
        for nth in 1.. {
            let what = format!("{call} {nth} {error}, exists: {exists}");
            let dir = tempfile::tempdir().unwrap();
            let path = fs::canonicalize(dir.path()).unwrap().join("q.db");
            if exists {
                child::producer(&path).enqueue("old".to_owned()).unwrap();
            }
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o"]).arg(dir.path().join("trace"));
            for suffix in ["", "-wal", "-shm", "-journal"] {
                strace
                    .arg("-P")
                    .arg(dir.path().join(format!("q.db{suffix}")));
            }
            let inject = format!("inject={call}:error={error}:when={nth}");
            strace
                .args(["-e", &inject, "--"])
                .arg(std::env::current_exe().unwrap());
            let output = match child::under(strace, "open and store", &path).output() {
                Ok(output) if output.status.success() => output.stdout,
                other => {
                    println!(
                        "skipped: strace cannot trace here ({other:?}); apt-get install strace"
                    );
                    return;
                }
            };
            let trace = fs::read_to_string(dir.path().join("trace")).unwrap();
            let refused = child::said(&output, "refused");
            let stored = child::said(&output, "stored");
            assert_eq!(stored.len() + refused.len(), 1, "{what}");
            refusals += refused.len();
            let mut queue = child::consumer(&path);
            let mut ready = ready(&queue);
            assert_eq!(exists, ready.iter().any(|job| job == "old"), "{what}");
            ready.retain(|job| job == "new");
            match refused.first() {
                None => assert_eq!(ready, ["new"], "{what}"),
                Some(told) if told.starts_with("No ") => {
                    assert!(ready.is_empty(), "{what}: {told}");
                    let typed = ["Io(", "DiskFull(", "Open {", "Corrupt("]
                        .iter()
                        .any(|kind| told[3..].starts_with(kind));
                    assert!(typed, "{what}: {told}");
                }
                Some(told) => {
                    assert!(told.starts_with("Unknown CommitUnknown("), "{what}: {told}")
                }
            }
            queue.enqueue("later".to_owned()).unwrap();
            assert_eq!(queue.check().unwrap(), Vec::<String>::new(), "{what}");
            if !trace.contains("INJECTED") {
                break;
            }
        }
        println!("{call} {error}, exists {exists}: {refusals} refused");
    }
}

#[test]
fn the_disk_limit_refuses_and_makes_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let limit = 1 << 20;
    let mut queue: Queue<String> =
        Queue::open(file(&dir), Options::consumer().disk_limit(limit)).unwrap();
    let error = loop {
        if let Err(error) = queue.enqueue("x".repeat(10_000)) {
            break error;
        }
    };
    assert!(
        matches!(error, Error::OverDiskLimit { used, limit: of } if used >= of && of == limit),
        "{error:?}"
    );
    assert_eq!(error.written(), Written::No);
    for claim in queue.claim(1000).unwrap() {
        queue.done(claim).unwrap();
    }
    let upkeep = queue.maintain().unwrap();
    assert!(
        upkeep.freed_pages > 50 && upkeep.log_bytes == 0,
        "{upkeep:?}"
    );
    queue.enqueue("room again".to_owned()).unwrap();
}

#[test]
fn space_is_given_back_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    queue.maintain().unwrap();
    let empty = fs::metadata(file(&dir)).unwrap().len();
    queue
        .enqueue_all((0..3000).map(|n| format!("{n} {}", "x".repeat(1000))))
        .unwrap();
    queue.maintain().unwrap();
    assert!(fs::metadata(file(&dir)).unwrap().len() > 3_000_000);
    let claims = queue.claim(3000).unwrap();
    queue
        .transaction(|tx| claims.iter().try_for_each(|claim| tx.done(claim)))
        .unwrap();
    queue.maintain().unwrap();
    assert_eq!(fs::metadata(file(&dir)).unwrap().len(), empty);
}

#[test]
fn a_thousand_short_lived_processes_leave_bounded_disk() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..1000 {
        child::producer(&file(&dir))
            .enqueue(NewJob::new(format!("version {n}")).key("same"))
            .unwrap();
    }
    let files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let bytes: u64 = files
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    // Each closes alone, without any consumer: the valve opens at 128 KiB of log.
    assert!(bytes < 512 << 10, "{bytes} bytes in {} files", files.len());
    let mut queue = child::consumer(&file(&dir));
    queue.maintain().unwrap();
    assert_eq!(ready(&queue), ["version 999"]);
    drop(queue);
    assert!(fs::metadata(file(&dir)).unwrap().len() < 200_000);
}
