//! What one short-lived process costs: two syncs, no change to the schema, nothing moved or removed
//! when it ends; and how far the log may grow when no consumer is there to empty it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::fs;
use std::path::Path;
use std::process::Command;

use child::{file, ready, say};
use queue::NewJob;

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test lone` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    child::producer(&file).enqueue("lone".to_owned()).unwrap();
    say("stored lone");
}

/// The calls a lone process makes that change or sync files of this name. None, with a message,
/// when there is no strace.
fn traced(folder: &Path, file: &Path) -> Option<Vec<String>> {
    let trace = folder.join("trace");
    let calls =
        "trace=fsync,fdatasync,pwrite64,ftruncate,unlink,unlinkat,rename,renameat,renameat2";
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "0", "-e", calls, "-o"]);
    strace
        .arg(&trace)
        .arg("--")
        .arg(std::env::current_exe().unwrap());
    match child::under(strace, "lone", file).output() {
        Ok(output) if output.status.success() => {
            assert_eq!(child::said(&output.stdout, "stored"), ["lone"]);
        }
        other => {
            println!("skipped: strace cannot trace here ({other:?}); apt-get install strace");
            return None;
        }
    }
    let folder = fs::canonicalize(folder).unwrap();
    let trace = fs::read_to_string(trace).unwrap();
    let ours = trace
        .lines()
        .filter(|line| line.contains(folder.to_str().unwrap()));
    Some(ours.map(str::to_owned).collect())
}

/// Its commit, and the log's folder; and the log's header when it has to begin one.
#[test]
fn a_lone_process_syncs_twice_and_leaves_the_rest_to_the_consumer() {
    for (log, consumer, wanted) in [(true, false, 2), (true, true, 2), (false, false, 3)] {
        let dir = tempfile::tempdir().unwrap();
        drop(child::consumer(&file(&dir)));
        if log {
            child::producer(&file(&dir))
                .enqueue("first".to_owned())
                .unwrap();
        }
        let open = consumer.then(|| child::consumer(&file(&dir)));
        let Some(calls) = traced(dir.path(), &file(&dir)) else {
            return;
        };
        let count = |what: &str| calls.iter().filter(|call| call.contains(what)).count();
        let syncs = count(" fsync(") + count(" fdatasync(");
        assert_eq!(syncs, wanted, "log {log}, consumer {consumer}: {calls:#?}");
        assert_eq!(count("unlink") + count("rename"), 0, "{calls:#?}");
        assert_eq!(count("/q.db>"), 0, "the file itself waits: {calls:#?}");
        drop(open);
        let queue = child::producer(&file(&dir));
        let schema = "PRAGMA schema_version";
        let changes: i64 = queue.sql().query_row(schema, [], |row| row.get(0)).unwrap();
        let unused = child::producer(&dir.path().join("new.db"));
        let fresh: i64 = unused
            .sql()
            .query_row(schema, [], |row| row.get(0))
            .unwrap();
        assert_eq!(changes, fresh, "no DDL since the file was made");
        assert!(ready(&queue).contains(&"lone".to_owned()));
    }
}

/// The valve of one that goes on for long.
#[test]
fn a_producer_without_a_consumer_keeps_its_log_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::producer(&file(&dir));
    for n in 0..25 {
        let batch = (0..100).map(|part| format!("{n} {part} {}", "x".repeat(10_000)));
        queue.enqueue_all(batch).unwrap();
        let log = fs::metadata(dir.path().join("q.db-wal")).unwrap().len();
        // 4,000 pages and one batch.
        assert!(log < 20 << 20, "{log} bytes after {n} MB");
    }
    assert_eq!(queue.counts().unwrap().ready, 2_500);
}

#[test]
fn a_busy_consumer_keeps_its_log_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::consumer(&file(&dir));
    let mut most = 0;
    for n in 0..120 {
        let batch = (0..10).map(|part| NewJob::new(format!("{n} {part} {}", "x".repeat(10_000))));
        queue.enqueue_all(batch).unwrap();
        for claim in queue.claim(10).unwrap() {
            queue.done(claim).unwrap();
        }
        most = most.max(fs::metadata(dir.path().join("q.db-wal")).unwrap().len());
    }
    assert!(
        most < 6 << 20,
        "{most} bytes after 12 MB, never asked to tidy up"
    );
    let data = fs::metadata(file(&dir)).unwrap().len();
    assert!(data < 2 << 20, "{data} bytes: freed pages are used again");
}
