//! Producers and consumers killed at random under load: what was acknowledged is stored or done,
//! nothing is done twice, the file is sound. The long form: `QUEUE_KILLS=1000`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use child::{Dice, say};
use queue::{DeadFilter, Error, NewJob, State};

const PRODUCERS: usize = 3;
const CONSUMERS: usize = 2;

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test crash` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    match part.split_once('-') {
        Some(("producer", slot)) => produce(&file, slot),
        _ => consume(&file),
    }
}

fn nanos() -> u64 {
    u64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos(),
    )
    .unwrap()
}

/// Enqueues for ever: jobs of their own, and ever newer versions of one job for each key.
fn produce(file: &Path, slot: &str) {
    let mut queue = child::producer(file);
    for n in 0u64.. {
        let payload = format!("{slot} {:020}", nanos());
        let going_on = match n % 4 {
            0 => {
                let key = format!("{slot}-{}", n % 3);
                let payload = format!("{key} {:020}", nanos());
                queue
                    .enqueue(NewJob::new(payload.clone()).key(key))
                    .unwrap();
                say(&format!("newest {payload}"))
            }
            1 => {
                let batch: Vec<String> = (0..5).map(|part| format!("{payload} {part}")).collect();
                queue.enqueue_all(batch.clone()).unwrap();
                batch
                    .iter()
                    .all(|payload| say(&format!("stored {payload}")))
            }
            _ => {
                queue.enqueue(payload.clone()).unwrap();
                say(&format!("stored {payload}"))
            }
        };
        if !going_on {
            break;
        }
    }
}

/// Works off for ever, in every way there is.
fn consume(file: &Path) {
    let mut queue = child::consumer(file);
    let mut dice = Dice(nanos());
    loop {
        for claim in queue.claim(3).unwrap() {
            let settled = match dice.roll(20) {
                0 => queue.retry_at(claim, SystemTime::now(), "Chance", "not this time"),
                1 => queue.defer(
                    claim,
                    SystemTime::now() + Duration::from_millis(20),
                    "not now",
                ),
                2 => queue.dead(claim, "Chance", "never"),
                3 => queue.release(claim),
                _ => queue.transaction(|tx| {
                    tx.sql().execute(
                        "INSERT INTO finished (payload) VALUES (?1)",
                        [claim.payload()],
                    )?;
                    tx.done(&claim)
                }),
            };
            match settled {
                Ok(()) | Err(Error::LeaseLost { .. }) => {}
                // Finished twice, above all.
                Err(error) => drop(say(&format!("fault {error:?}"))),
            }
        }
    }
}

struct Process {
    part: String,
    child: Child,
    reader: JoinHandle<Vec<u8>>,
}

impl Process {
    fn start(part: String, file: &Path) -> Self {
        let mut child = child::command(&part, file).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut said = Vec::new();
            out.read_to_end(&mut said).unwrap();
            said
        });
        Self {
            part,
            child,
            reader,
        }
    }

    /// Kills it without warning; what it had said.
    fn kill(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap()
    }
}

#[test]
fn killed_processes_lose_nothing_and_finish_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("q.db");
    child::consumer(&file)
        .migrate(
            "test",
            &["CREATE TABLE finished (payload TEXT PRIMARY KEY) STRICT"],
        )
        .unwrap();
    let seed = nanos();
    let mut dice = Dice(seed);
    let parts = (0..PRODUCERS)
        .map(|n| format!("producer-{n}"))
        .chain((0..CONSUMERS).map(|_| "consumer".to_owned()));
    let mut running: Vec<Process> = parts.map(|part| Process::start(part, &file)).collect();
    let kills = child::setting("QUEUE_KILLS", 40);
    let mut said = Vec::new();
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(5 + dice.roll(40)));
        let at = usize::try_from(dice.roll(running.len() as u64)).unwrap();
        let victim = running.swap_remove(at);
        let part = victim.part.clone();
        said.extend(victim.kill());
        running.push(Process::start(part, &file));
    }
    for process in running {
        said.extend(process.kill());
    }

    assert_eq!(
        child::said(&said, "fault"),
        Vec::<String>::new(),
        "seed {seed}"
    );
    let mut queue = child::consumer(&file);
    assert_eq!(queue.check().unwrap(), Vec::<String>::new(), "seed {seed}");
    // Opening finds every dead owner; nothing is left running.
    queue.claim(0).unwrap();
    let mut all: Vec<String> = queue
        .sql()
        .prepare("SELECT payload FROM finished")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let finished = all.len();
    let live = [State::Waiting, State::Ready, State::Running]
        .map(|state| queue.jobs(state, usize::MAX).unwrap());
    all.extend(
        live.iter()
            .flatten()
            .map(|job| serde_json::from_str::<String>(&job.payload).unwrap()),
    );
    let dead = queue.dead_letters(&DeadFilter::all()).unwrap();
    all.extend(
        dead.iter()
            .map(|dead| serde_json::from_str::<String>(&dead.payload).unwrap()),
    );
    all.sort_unstable();
    let twice: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(
        twice.is_empty(),
        "seed {seed}: in two places at once: {twice:?}"
    );

    let stored = child::said(&said, "stored");
    let lost: Vec<_> = stored
        .iter()
        .filter(|payload| all.binary_search(payload).is_err())
        .collect();
    assert!(
        lost.is_empty(),
        "seed {seed}: {} acknowledged jobs lost: {lost:?}",
        lost.len()
    );

    // Of each key, the newest version acknowledged, or a newer one, is there.
    let mut newest: HashMap<String, String> = HashMap::new();
    for payload in child::said(&said, "newest") {
        let key = payload.split_once(' ').unwrap().0.to_owned();
        let known = newest.entry(key).or_default();
        *known = payload.max(std::mem::take(known));
    }
    for (key, payload) in &newest {
        let there = all
            .iter()
            .rfind(|stored| stored.starts_with(&format!("{key} ")));
        assert!(
            there >= Some(payload),
            "seed {seed}: {key}: {payload} was acknowledged and {there:?} is there"
        );
    }
    println!(
        "{kills} kills, {} jobs acknowledged, {finished} finished, {} dead, 0 lost",
        stored.len(),
        dead.len()
    );
    assert!(!stored.is_empty() && finished > 0 && !newest.is_empty());
}

/// The first to create the file, and all others, find one sound queue.
#[test]
fn sixteen_processes_create_one_file() {
    for _ in 0..child::setting("QUEUE_RACES", 3) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("q.db");
        let children: Vec<Child> = (0..16)
            .map(|n| {
                child::command(&format!("producer-r{n}"), &file)
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut stored = Vec::new();
        for mut child in children {
            let mut out = child.stdout.take().unwrap();
            let mut said = Vec::new();
            // Each is killed as soon as it has stored a job.
            while child::said(&said, "stored").is_empty() {
                let mut some = [0; 4096];
                let n = out.read(&mut some).unwrap();
                assert!(
                    n > 0,
                    "a process ended without storing a job: {}",
                    String::from_utf8_lossy(&said)
                );
                said.extend_from_slice(&some[..n]);
            }
            child.kill().unwrap();
            out.read_to_end(&mut said).unwrap();
            child.wait().unwrap();
            stored.extend(child::said(&said, "stored"));
        }
        let queue = child::consumer(&file);
        assert_eq!(queue.check().unwrap(), Vec::<String>::new());
        let ready = queue.jobs(State::Ready, usize::MAX).unwrap();
        let mut payloads: Vec<String> = ready
            .iter()
            .map(|job| serde_json::from_str(&job.payload).unwrap())
            .collect();
        payloads.sort_unstable();
        assert!(stored.len() >= 16);
        assert!(
            stored
                .iter()
                .all(|payload| payloads.binary_search(payload).is_ok())
        );
    }
}
