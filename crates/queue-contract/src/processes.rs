//! The contract between processes: the test's own program, started again to play parts, and killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Stdio};

use super::{Settle, Shared, Subject, child, job, one, payloads};

const WORKERS: usize = 4;
const BATCH: usize = 5;
const JOBS: usize = 400 * BATCH + 3;

/// Plays the part this process was started for.
pub fn plays<S: Shared>() {
    let Some((part, address)) = child::part() else {
        return;
    };
    let mut queue = S::reach(&address).open();
    child::say("here");
    match part.as_str() {
        "worker" => share::<S>(&mut queue),
        "holder" => {
            let claims = queue.claim(BATCH);
            child::say(&format!("claimed {}", claims.len()));
            hang();
        }
        "producer" => {
            for n in 0.. {
                queue.enqueue(job(&n.to_string())).unwrap();
                child::say(&format!("stored {n}"));
            }
        }
        other => panic!("no such part: {other}"),
    }
}

/// Until it is killed.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

fn share<S: Shared>(queue: &mut S::Subject) {
    // All hold their first batch at once, so that none of them finds nothing left.
    let mut first = Vec::new();
    while first.is_empty() {
        first = queue.claim(BATCH);
        std::thread::yield_now();
    }
    tell::<S>(&first);
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for claim in first {
        queue.settle(claim, Settle::Done).unwrap();
    }
    while queue.counts().done < JOBS as u64 {
        let claims = queue.claim(BATCH);
        if claims.is_empty() {
            std::thread::yield_now();
            continue;
        }
        tell::<S>(&claims);
        for claim in claims {
            queue.settle(claim, Settle::Done).unwrap();
        }
    }
}

fn tell<S: Shared>(claims: &[<S::Subject as Subject>::Claim]) {
    for payload in payloads::<S::Subject>(claims) {
        child::say(&format!("claimed {payload}"));
    }
    child::say(&format!("batch {}", claims.len()));
}

/// A process that plays a part, and what it says.
struct Player {
    process: Child,
    out: BufReader<std::process::ChildStdout>,
    said: String,
}

impl Player {
    /// Returns when it has the queue open.
    fn start(part: &str, address: &Path) -> Self {
        let mut process = child::command(part, address);
        let mut process = process.stdin(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let said = String::new();
        let mut player = Self { process, out, said };
        player.hear("here");
        player
    }

    /// Waits until it says this.
    fn hear(&mut self, line: &str) {
        while self.said.lines().next_back() != Some(line) {
            let read = self.out.read_line(&mut self.said).unwrap();
            assert!(read > 0, "a process ended early");
        }
    }

    fn tell_to_go_on(&mut self) {
        let stdin = self.process.stdin.as_mut().unwrap();
        writeln!(stdin, "go on").unwrap();
    }

    /// All it said until it ended; and whether it ended well.
    fn rest(mut self) -> (String, bool) {
        self.out.read_to_string(&mut self.said).unwrap();
        (self.said, self.process.wait().unwrap().success())
    }

    fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.rest().0
    }
}

pub fn each_job_goes_to_one_process<S: Shared>(store: &S) {
    let mut queue = store.open();
    let numbers = |range: Range<usize>| range.map(|n| job(&n.to_string())).collect();
    queue.enqueue_all(numbers(0..WORKERS * BATCH)).unwrap();
    let mut workers: Vec<Player> = (0..WORKERS)
        .map(|_| Player::start("worker", &store.address()))
        .collect();
    for worker in &mut workers {
        worker.hear(&format!("batch {BATCH}"));
    }
    queue.enqueue_all(numbers(WORKERS * BATCH..JOBS)).unwrap();
    for worker in &mut workers {
        worker.tell_to_go_on();
    }
    let said: Vec<String> = std::thread::scope(|scope| {
        let rest = |worker: Player| {
            let (said, ended_well) = worker.rest();
            assert!(ended_well);
            said
        };
        let start = |worker| scope.spawn(move || rest(worker));
        let readers: Vec<_> = workers.into_iter().map(start).collect();
        let said = readers.into_iter().map(|reader| reader.join().unwrap());
        said.collect()
    });
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
}

pub fn a_killed_process_gives_its_jobs_back_at_once<S: Shared>(store: &S) {
    let mut queue = store.open();
    queue.enqueue_all(["a", "b"].map(job).into()).unwrap();
    let mut holder = Player::start("holder", &store.address());
    holder.hear("claimed 2");
    assert!(queue.claim(9).is_empty(), "as long as it lives");
    holder.kill();
    // The clock stands still: not by the lease.
    for payload in ["a", "b"] {
        let claim = one(&mut queue);
        let shown = S::Subject::show(&claim);
        assert_eq!((shown.payload.as_str(), shown.lost), (payload, 1));
        queue.settle(claim, Settle::Done).unwrap();
    }
}

pub fn what_a_killed_process_was_told_is_stored_is_there<S: Shared>(store: &S) {
    for _ in 0..3 {
        let mut producer = Player::start("producer", &store.address());
        producer.hear("stored 3");
        let said = producer.kill();
        let stored = child::said(said.as_bytes(), "stored").len();
        let mut queue = store.open();
        let claims = queue.claim(usize::MAX);
        let order: Vec<String> = (0..claims.len()).map(|n| n.to_string()).collect();
        assert_eq!(payloads::<S::Subject>(&claims), order);
        // One more may be stored whose word did not come through.
        assert!((stored..=stored + 1).contains(&claims.len()));
        for claim in claims {
            queue.settle(claim, Settle::Done).unwrap();
        }
    }
}

/// Makes a test of each point of the contract between processes; `plays` is the part of the others.
#[macro_export]
macro_rules! processes {
    ($store:ty) => {
        #[test]
        #[ignore = "a part that the tests beside it play in child processes: `cargo test -p outlast-queue --test conformance` runs it"]
        fn plays() {
            $crate::processes::plays::<$store>();
        }
        $crate::checks! { $store: processes::{
            each_job_goes_to_one_process,
            a_killed_process_gives_its_jobs_back_at_once,
            what_a_killed_process_was_told_is_stored_is_there,
        } }
    };
}
