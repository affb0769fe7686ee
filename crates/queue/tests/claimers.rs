//! Several worker processes on one queue: each job goes to one of them, in batches as large as asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use child::{file, say};
use queue::Claim;

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
    let tell = |claims: &[Claim<String>]| {
        for claim in claims {
            say(&format!("claimed {}", claim.payload()));
        }
        say(&format!("batch {}", claims.len()));
    };
    // All hold their first batch at once, so that none of them finds nothing left.
    let mut first = Vec::new();
    while first.is_empty() {
        first = queue.claim(BATCH).unwrap();
        std::thread::yield_now();
    }
    tell(&first);
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for claim in first {
        queue.done(claim).unwrap();
    }
    while queue.counts().unwrap().done < JOBS as u64 {
        let claims = queue.claim(BATCH).unwrap();
        if claims.is_empty() {
            std::thread::yield_now();
            continue;
        }
        tell(&claims);
        for claim in claims {
            queue.done(claim).unwrap();
        }
    }
}

#[test]
fn each_job_goes_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = child::producer(&file(&dir));
    let numbers = |range: std::ops::Range<usize>| range.map(|n| n.to_string());
    queue.enqueue_all(numbers(0..WORKERS * BATCH)).unwrap();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let mut worker = child::command("worker", &file(&dir));
            worker.stdin(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut outs: Vec<_> = workers
        .iter_mut()
        .map(|worker| BufReader::new(worker.stdout.take().unwrap()))
        .collect();
    let mut said: Vec<String> = vec![String::new(); WORKERS];
    for (out, said) in outs.iter_mut().zip(&mut said) {
        while !said.ends_with(&format!("batch {BATCH}\n")) {
            assert!(out.read_line(said).unwrap() > 0, "a worker ended early");
        }
    }
    queue.enqueue_all(numbers(WORKERS * BATCH..JOBS)).unwrap();
    for worker in &mut workers {
        let mut go = worker.stdin.take().unwrap();
        writeln!(go, "go on").unwrap();
    }
    std::thread::scope(|scope| {
        for (out, said) in outs.iter_mut().zip(&mut said) {
            scope.spawn(move || out.read_to_string(said).unwrap());
        }
    });
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let mut claimed: BTreeMap<String, usize> = BTreeMap::new();
    let mut short = Vec::new();
    for said in &said {
        for payload in child::said(said.as_bytes(), "claimed") {
            *claimed.entry(payload).or_default() += 1;
        }
        let batches = child::said(said.as_bytes(), "batch");
        short.extend(batches.into_iter().filter(|n| *n != BATCH.to_string()));
    }
    assert_eq!(claimed.len(), JOBS);
    assert!(claimed.values().all(|times| *times == 1), "{claimed:?}");
    assert_eq!(short, ["3"], "all batches are full but the last");
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
}
