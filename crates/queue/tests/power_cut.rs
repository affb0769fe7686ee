//! Power cuts: every write and sync of a process is recorded, then files are rebuilt as a cut at a
//! random point would leave them (only what was synced; or that and a random part of the rest, torn
//! at sectors), opened, and compared with what the process had been told was stored. Needs
//! `strace`; the long form: `QUEUE_CUTS=300`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use child::{Dice, say};
use queue::{DeadFilter, NewJob, Options, Queue, State};
use recorded::{Disk, Op, record};

#[test]
#[ignore = "a part that the other tests play in child processes: `cargo test -p outlast-queue --test power_cut` runs it"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    match part.as_str() {
        "worker" => work(&file),
        "operator" => operate(&file),
        "unsynced" => {
            let mut queue = child::producer(&file);
            queue
                .sql()
                .execute_batch("PRAGMA synchronous = OFF")
                .unwrap();
            for n in 0..200 {
                queue.enqueue(format!("{n}")).unwrap();
                say(&format!("stored {n}"));
            }
        }
        other => panic!("{other}"),
    }
}

/// Every operation that promises to survive, mixed with those that do not, and upkeep.
fn work(file: &Path) {
    let mut queue = child::consumer(file);
    queue
        .migrate(
            "test",
            &["CREATE TABLE ledger (payload TEXT PRIMARY KEY) STRICT"],
        )
        .unwrap();
    for n in 0..150 {
        let payload = format!("{n}:{}", "x".repeat(n * 37 % 3000));
        if n % 10 == 0 {
            queue
                .enqueue_all((0..20).map(|part| NewJob::new(format!("{n}.{part}"))))
                .unwrap();
            for part in 0..20 {
                say(&format!("stored {n}.{part}"));
            }
        }
        queue.enqueue(payload.clone()).unwrap();
        say(&format!("stored {payload}"));
        for claim in queue.claim(2).unwrap() {
            let payload = claim.payload().clone();
            match n % 4 {
                0 => queue
                    .retry_at(claim, SystemTime::now(), "Chance", "again")
                    .unwrap(),
                1 => {
                    queue.dead(claim, "Chance", "never").unwrap();
                    say(&format!("dead {payload}"));
                }
                _ => {
                    queue
                        .transaction(|tx| {
                            tx.sql()
                                .execute("INSERT INTO ledger VALUES (?1)", [&payload])?;
                            tx.done(&claim)
                        })
                        .unwrap();
                    say(&format!("ledger {payload}"));
                }
            }
        }
        if n % 40 == 39 {
            queue.maintain().unwrap();
        }
    }
}

/// What is done by hand, while a worker extends its lease, which promises nothing and is not
/// synced.
fn operate(file: &Path) {
    let mut queue = child::consumer(file);
    let all = DeadFilter::all;
    queue.enqueue("held".to_owned()).unwrap();
    let mut held = queue.claim(1).unwrap().pop().unwrap();
    let mut time_passes = |queue: &mut Queue<String>| {
        for _ in 0..4 {
            queue.extend(&mut held, Duration::from_secs(999)).unwrap();
        }
    };
    // What is being changed is certain again when the change has returned.
    let unsure = |what: &str| say(&format!("unsure {what}"));
    for n in 0..24 {
        let job = format!("job {n}");
        unsure(&job);
        queue.enqueue(NewJob::new(job.clone()).key(&job)).unwrap();
        say(&format!("live {job}"));
        time_passes(&mut queue);
        unsure(&job);
        let kept = match n % 4 {
            0 => {
                queue.cancel(&job).unwrap();
                "gone"
            }
            1 | 2 => {
                for claim in queue.claim(99).unwrap() {
                    if claim.payload() == &job {
                        queue.dead(claim, "Chance", "never").unwrap();
                    } else {
                        queue.release(claim).unwrap();
                    }
                }
                if n % 4 == 1 {
                    assert_eq!(queue.redrive(&all()).unwrap().jobs, 1);
                    "live"
                } else {
                    assert_eq!(queue.purge(&all()).unwrap(), 1);
                    "gone"
                }
            }
            _ => {
                let redriven = format!("job {}", n - 2);
                unsure(&redriven);
                assert_eq!(queue.clear().unwrap(), 2);
                say(&format!("gone {redriven}"));
                "gone"
            }
        };
        say(&format!("{kept} {job}"));
        time_passes(&mut queue);
        unsure("paused");
        queue.pause().unwrap();
        say("live paused");
        time_passes(&mut queue);
        unsure("paused");
        queue.resume().unwrap();
        say("gone paused");
        time_passes(&mut queue);
    }
}

/// What is wrong after a cut before this step; how much was lost.
fn lost_by_cut(ops: &[Op], at: usize, dice: Option<&mut Dice>) -> Vec<String> {
    let mut disk = Disk::default();
    let mut said = Vec::new();
    for op in &ops[..at] {
        match op {
            Op::Said(line) => said.push(line.as_str()),
            op => disk.run(op),
        }
    }
    // In memory where that can be: this disk need not be a disk.
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
    .unwrap();
    for (name, content) in disk.cut(dice) {
        fs::write(dir.path().join(name), content).unwrap();
    }
    let files = fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect::<Vec<_>>();
    let queue: Queue<String> = Queue::open(dir.path().join("q.db"), Options::consumer())
        .unwrap_or_else(|error| panic!("cut at {at}: {error} ({files:?})"));
    assert_eq!(queue.check().unwrap(), Vec::<String>::new(), "cut at {at}");
    let text = |json: &str| serde_json::from_str::<String>(json).unwrap();
    let live = [State::Waiting, State::Ready, State::Running]
        .map(|state| queue.jobs(state, usize::MAX).unwrap());
    let live: BTreeSet<String> = live
        .iter()
        .flatten()
        .map(|job| text(&job.payload))
        .collect();
    let dead: BTreeSet<String> = queue
        .dead_letters(&DeadFilter::all())
        .unwrap()
        .iter()
        .map(|dead| text(&dead.payload))
        .collect();
    // No such table before its creation was promised.
    let ledger: BTreeSet<String> = queue
        .sql()
        .prepare("SELECT payload FROM ledger")
        .map(|mut select| {
            select
                .query_map([], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap()
        })
        .unwrap_or_default();
    let promised = |word: &str, kept: &dyn Fn(&str) -> bool| -> Vec<String> {
        let lines = said.iter().filter_map(|line| line.strip_prefix(word));
        lines
            .filter(|payload| !kept(payload))
            .map(|payload| format!("{word}{payload:.20}"))
            .collect()
    };
    let mut lost = promised("stored ", &|job| {
        live.contains(job) || dead.contains(job) || ledger.contains(job)
    });
    lost.extend(promised("dead ", &|job| dead.contains(job)));
    lost.extend(promised("ledger ", &|job| {
        ledger.contains(job) && !live.contains(job)
    }));
    let paused = queue.is_paused().unwrap();
    lost.extend(certain(&said).into_iter().filter_map(|(what, is)| {
        let there = match what {
            "paused" => paused,
            job => live.contains(job) || !is && dead.contains(job),
        };
        (there != is).then(|| format!("{what}: {there}"))
    }));
    lost
}

/// What is there and what is not, as far as the operator was told.
fn certain<'a>(said: &[&'a str]) -> BTreeMap<&'a str, bool> {
    let mut certain = BTreeMap::new();
    for line in said {
        match line.split_once(' ') {
            Some(("live", what)) => drop(certain.insert(what, true)),
            Some(("gone", what)) => drop(certain.insert(what, false)),
            Some(("unsure", what)) => drop(certain.remove(what)),
            _ => {}
        }
    }
    certain
}

/// At random; every fifth while the file is being created.
fn cut_points(ops: usize, cuts: usize, dice: &mut Dice) -> Vec<usize> {
    let among = |n| if n % 5 == 0 { ops.min(150) } else { ops };
    (0..cuts)
        .map(|n| usize::try_from(dice.roll(among(n) as u64 + 1)).unwrap())
        .collect()
}

#[test]
fn a_power_cut_loses_nothing_that_was_promised() {
    cuts_lose_nothing("worker");
}

#[test]
fn a_power_cut_undoes_nothing_done_by_hand() {
    cuts_lose_nothing("operator");
}

fn cuts_lose_nothing(part: &str) {
    let dir = tempfile::tempdir().unwrap();
    let Some(ops) = record(part, dir.path()) else {
        return;
    };
    let seed = u64::from(std::process::id());
    let mut dice = Dice(seed);
    let cuts = child::setting("QUEUE_CUTS", 40);
    for (n, at) in cut_points(ops.len(), cuts, &mut dice)
        .into_iter()
        .enumerate()
    {
        let lost = lost_by_cut(&ops, at, (n % 2 == 1).then_some(&mut dice));
        assert!(
            lost.is_empty(),
            "seed {seed}, cut at {at} of {}: {lost:?}",
            ops.len()
        );
    }
    // Right after each promise that is seldom made.
    let by_hand = |op: &Op| matches!(op, Op::Said(line) if line.starts_with("live ") || line.starts_with("gone "));
    let promised = (0..ops.len()).filter(|at| by_hand(&ops[*at]));
    for at in promised {
        let lost = lost_by_cut(&ops, at + 1, None);
        assert!(lost.is_empty(), "after {:?}: {lost:?}", ops[at]);
    }
    let syncs = ops
        .iter()
        .filter(|op| matches!(op, Op::Sync { .. }))
        .count();
    println!(
        "{cuts} cuts of {} steps with {syncs} syncs: nothing lost",
        ops.len()
    );
}

/// The test can fail: without syncs, the same cuts lose acknowledged jobs.
#[test]
fn without_syncs_power_cuts_lose_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let Some(ops) = record("unsynced", dir.path()) else {
        return;
    };
    let cuts = child::setting("QUEUE_CUTS", 40);
    let losing = cut_points(ops.len(), cuts, &mut Dice(1))
        .into_iter()
        .filter(|at| !lost_by_cut(&ops, *at, None).is_empty());
    let losing = losing.count();
    println!("{losing} of {cuts} cuts lost jobs");
    assert!(losing * 2 > cuts, "{losing} of {cuts}");
}
