//! Power cuts: every write and sync of a process is recorded, then files are rebuilt as a cut at a random point would leave
//! them (only what was synced; or that and a random part of the rest, torn at sectors), opened, and compared with what the
//! process had been told was stored. Needs `strace`; the long form: `QUEUE_CUTS=300`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use child::{Dice, say};
use queue::{DeadFilter, NewJob, Options, Queue, State};

const SECTOR: usize = 512;

#[test]
#[ignore = "played by a child process"]
fn plays() {
    let Some((part, file)) = child::part() else {
        return;
    };
    match part.as_str() {
        "worker" => work(&file),
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

/// One recorded step.
#[derive(Debug)]
enum Op {
    Write {
        file: String,
        offset: usize,
        data: Vec<u8>,
    },
    Truncate {
        file: String,
        len: usize,
    },
    Sync {
        file: String,
    },
    Unlink {
        file: String,
    },
    Said(String),
}

/// Runs a part under strace. None, with a message, when there is no strace.
fn record(part: &str, dir: &Path) -> Option<Vec<Op>> {
    let trace = dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-y",
        "-xx",
        "-s",
        "100000",
        "-e",
        "trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat",
        "-o",
    ]);
    strace
        .arg(&trace)
        .arg("--")
        .arg(std::env::current_exe().unwrap());
    let output = match child::under(strace, part, &dir.join("q.db")).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            println!("skipped: strace cannot trace here ({})", output.status);
            return None;
        }
        Err(error) => {
            println!("skipped: strace cannot be run ({error}); apt-get install strace");
            return None;
        }
    };
    assert!(!child::said(&output.stdout, "stored").is_empty());
    let folder = fs::canonicalize(dir).unwrap();
    let trace = fs::read_to_string(trace).unwrap();
    Some(
        trace
            .lines()
            .filter_map(|line| parse(line, &folder))
            .collect(),
    )
}

/// `1234 pwrite64(5</tmp/q.db-wal>, "\x37…", 4096, 32) = 4096`; with `-xx` every string and path is in hex.
fn parse(line: &str, folder: &Path) -> Option<Op> {
    let (_, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let path = || {
        let path =
            String::from_utf8(unhex(arguments.split_once('<')?.1.split_once('>')?.0)).ok()?;
        ours(&path, folder)
    };
    let text = || Some(unhex(arguments.split_once('"')?.1.split_once('"')?.0));
    let last = || {
        arguments
            .trim_end_matches(')')
            .rsplit(", ")
            .next()?
            .parse()
            .ok()
    };
    match name {
        "pwrite64" => {
            let data = text()?;
            assert_eq!(
                data.len(),
                result.split(' ').next()?.parse::<usize>().ok()?,
                "a write is recorded whole"
            );
            Some(Op::Write {
                file: path()?,
                offset: last()?,
                data,
            })
        }
        "ftruncate" => Some(Op::Truncate {
            file: path()?,
            len: last()?,
        }),
        "fsync" | "fdatasync" => Some(Op::Sync { file: path()? }),
        "unlink" | "unlinkat" => Some(Op::Unlink {
            file: ours(&String::from_utf8(text()?).ok()?, folder)?,
        }),
        "write" if arguments.starts_with("1<") => {
            Some(Op::Said(String::from_utf8(text()?).ok()?.trim().to_owned()))
        }
        _ => None,
    }
}

/// The database and its logs, and their folder, whose name is empty. Shared memory does not outlive the machine.
fn ours(path: &str, folder: &Path) -> Option<String> {
    let name = Path::new(path).strip_prefix(folder).ok()?.to_str()?;
    ["", "q.db", "q.db-wal", "q.db-journal"]
        .contains(&name)
        .then(|| name.to_owned())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap())
        .collect();
    if text.starts_with("\\x") {
        digits
    } else {
        text.as_bytes().to_vec()
    }
}

/// What is on the disk, and what is only on its way.
#[derive(Default)]
struct Disk<'a> {
    synced: BTreeMap<String, Vec<u8>>,
    pending: Vec<&'a Op>,
}

impl<'a> Disk<'a> {
    fn run(&mut self, op: &'a Op) {
        let Op::Sync { file: synced } = op else {
            return self.pending.push(op);
        };
        let reached = |op: &&Op| match op {
            // That a file is gone is written in its folder.
            Op::Unlink { .. } => synced.is_empty(),
            op => file_of(op) == Some(synced),
        };
        let (done, left) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(reached);
        self.pending = left;
        for op in done {
            apply(&mut self.synced, op, None);
        }
    }

    /// The files after a cut: with only what was synced, or with a part of the rest.
    fn cut(mut self, dice: Option<&mut Dice>) -> BTreeMap<String, Vec<u8>> {
        if let Some(dice) = dice {
            for op in std::mem::take(&mut self.pending) {
                if dice.roll(2) == 0 {
                    apply(&mut self.synced, op, Some(dice));
                }
            }
        }
        self.synced
    }
}

fn file_of(op: &Op) -> Option<&String> {
    match op {
        Op::Write { file, .. }
        | Op::Truncate { file, .. }
        | Op::Sync { file }
        | Op::Unlink { file } => Some(file),
        Op::Said(_) => None,
    }
}

/// With dice, some sectors of a write do not arrive.
fn apply(files: &mut BTreeMap<String, Vec<u8>>, op: &Op, mut dice: Option<&mut Dice>) {
    match op {
        Op::Write { file, offset, data } => {
            let content = files.entry(file.clone()).or_default();
            let torn = dice.as_mut().is_some_and(|dice| dice.roll(4) == 0);
            for (n, sector) in data.chunks(SECTOR).enumerate() {
                if torn && dice.as_mut().is_some_and(|dice| dice.roll(2) == 0) {
                    continue;
                }
                let start = offset + n * SECTOR;
                content.resize(content.len().max(start + sector.len()), 0);
                content[start..start + sector.len()].copy_from_slice(sector);
            }
        }
        Op::Truncate { file, len } => files.entry(file.clone()).or_default().resize(*len, 0),
        Op::Unlink { file } => drop(files.remove(file)),
        Op::Sync { .. } | Op::Said(_) => {}
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
    lost
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
    let dir = tempfile::tempdir().unwrap();
    let Some(ops) = record("worker", dir.path()) else {
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
