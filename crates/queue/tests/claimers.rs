//! Several worker processes on one queue: each job goes to one of them, in batches as large as asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use child::{file, say};

const WORKERS: usize = 4;
const BATCH: usize = 5;
const JOBS: usize = 400 * BATCH + 3;

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p queue --test claimers` runs it"]
fn plays() {
    let Some((_, file)) = child::part() else {
        return;
    };
    let mut queue = child::consumer(&file);
    say("here");
    while queue.counts().unwrap().done < JOBS as u64 {
        let claims = queue.claim(BATCH).unwrap();
        if claims.is_empty() {
            std::thread::yield_now();
            continue;
        }
        say(&format!("batch {}", claims.len()));
        for claim in claims {
            say(&format!("claimed {}", claim.payload()));
            queue.done(claim).unwrap();
        }
    }
}

#[test]
fn each_job_goes_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::producer(&file(&dir));
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|_| child::command("worker", &file(&dir)).spawn().unwrap())
        .collect();
    let mut outs: Vec<_> = workers
        .iter_mut()
        .map(|worker| BufReader::new(worker.stdout.take().unwrap()))
        .collect();
    for out in &mut outs {
        let mut line = String::new();
        while line.trim() != "here" {
            line.clear();
            assert!(
                out.read_line(&mut line).unwrap() > 0,
                "a worker ended early"
            );
        }
    }
    queue.enqueue_all((0..JOBS).map(|n| n.to_string())).unwrap();
    let said: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let read = |mut out: BufReader<_>| {
            let mut said = Vec::new();
            out.read_to_end(&mut said).unwrap();
            said
        };
        let readers: Vec<_> = outs
            .into_iter()
            .map(|out| scope.spawn(move || read(out)))
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let mut claimed: BTreeMap<String, usize> = BTreeMap::new();
    let mut short = Vec::new();
    for said in &said {
        for payload in child::said(said, "claimed") {
            *claimed.entry(payload).or_default() += 1;
        }
        let batches = child::said(said, "batch");
        assert!(!batches.is_empty(), "each took a part");
        short.extend(batches.into_iter().filter(|n| *n != BATCH.to_string()));
    }
    assert_eq!(claimed.len(), JOBS);
    assert!(claimed.values().all(|times| *times == 1), "{claimed:?}");
    assert_eq!(short, ["3"], "all batches are full but the last");
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
}
