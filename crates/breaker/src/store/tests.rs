//! Processes that share a breaker's file, or own it in turn, are killed: from outside at any
//! moment, and by themselves at each step of a write. `BREAKER_KILLS=500 cargo test -p
//! outlast-breaker store::tests` runs the full form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::machine::Role;
use crate::{
    Breaker, Clock, FileStore, Kind, Outcome, Report, Rules, SharedFileStore, SystemClock, Time,
};

const STEPS: [&str; 6] = [
    "locked",
    "created",
    "written",
    "synced",
    "renamed",
    "folder synced",
];
const OPEN_FOR: Duration = Duration::from_millis(10);
const LEASE: Duration = Duration::from_millis(40);
const OUTAGES: usize = 100_000;

fn rules() -> Rules {
    Rules::default()
        .consecutive_failures(2)
        .open_for(OPEN_FOR)
        .trial_lease(LEASE)
}

/// Ends the process at the step that `BREAKER_CRASH` names, at the visit that it counts.
pub(super) fn crash_point(step: &str) {
    static PLAN: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let plan = PLAN.get_or_init(|| {
        let plan = std::env::var("BREAKER_CRASH").ok()?;
        let (step, visits) = plan.split_once(':')?;
        Some((step.to_owned(), AtomicU32::new(visits.parse().ok()?)))
    });
    if let Some((planned, visits)) = plan
        && planned == step
        && visits.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Small, seeded, and good enough to choose a moment.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// The life of a killed process; no test of its own, so it ends at once when no parent asks for it.
#[test]
fn child() {
    let Ok(folder) = std::env::var("BREAKER_KILL_FOLDER").map(PathBuf::from) else {
        return;
    };
    let mut dice = Dice(u64::from(std::process::id()) * 2_654_435_761 + 1);
    let journal = folder.join(format!("journal-{}", std::process::id()));
    let journal = Arc::new(
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(journal)
            .unwrap(),
    );
    let note = move |line: String| (&*journal).write_all(line.as_bytes()).unwrap();

    let transitions = note.clone();
    let builder = Breaker::builder(rules())
        .outage_capacity(OUTAGES)
        .on_transition(move |transition| {
            let at = transition.at.unix_micros();
            transitions(format!(
                "{} {:?} {:?} {at}\n",
                transition.generation, transition.from, transition.to
            ));
        });
    let path = folder.join("breaker.json");
    let breaker = match std::env::var("BREAKER_KILL_OWNED") {
        Ok(_) => builder.open(FileStore::open(path).unwrap()).unwrap(),
        Err(_) => builder
            .open_shared(SharedFileStore::open(path).unwrap())
            .unwrap(),
    };
    loop {
        let permit = match breaker.try_acquire() {
            Ok(permit) => permit,
            Err(rejection) => {
                std::thread::sleep(
                    rejection
                        .retry_after()
                        .unwrap()
                        .min(Duration::from_millis(2)),
                );
                continue;
            }
        };
        let ticket = permit.ticket();
        let trial = match ticket.role {
            Role::Trial(id) => Some((ticket.generation, id)),
            Role::Call | Role::Shadow => None,
        };
        std::thread::sleep(Duration::from_micros(dice.roll(4000)));
        if let Some((generation, id)) = trial {
            let now = SystemClock::new().wall().unix_micros();
            note(format!("{generation} trial {id} {now}\n"));
        }
        permit.finish(match dice.roll(10) {
            0..5 => Outcome::Success,
            5..8 => Outcome::Failure,
            8 => Outcome::Ignored,
            _ => Outcome::Cancelled,
        });
    }
}

fn spawn(folder: &Path, owned: bool, crash: Option<String>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "store::tests::child"])
        .env("BREAKER_KILL_FOLDER", folder);
    if owned {
        command.env("BREAKER_KILL_OWNED", "1");
    }
    if let Some(crash) = crash {
        command.env("BREAKER_CRASH", crash);
    }
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Fewer outages prove nothing.
const ENOUGH: usize = 10;

/// Whether the children came to something before they died: on a busy machine many do not.
fn proves_something(path: &Path) -> bool {
    matches!(Report::read(path), Report::Known(document) if document.outages.len() > ENOUGH + 1)
}

/// Kills children until `kills` have died, and more while they prove nothing, keeping `alive` of
/// them running, and checks the file after each death.
fn kill_many(owned: bool, alive: usize, kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breaker.json");
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut children: Vec<(Child, bool)> = Vec::new();
    let mut deaths = BTreeMap::<&str, usize>::new();
    let mut died = 0;
    while died < kills || (died < 20 * kills && !proves_something(&path)) {
        while children.len() < alive {
            let step = STEPS[(died + children.len()) % STEPS.len()];
            let by_itself = dice.roll(2) == 0 && !(owned && step == "locked");
            let crash = by_itself.then(|| format!("{step}:{}", 1 + dice.roll(6)));
            children.push((spawn(folder.path(), owned, crash), by_itself));
        }
        let (mut child, by_itself) = children.swap_remove(dice.roll(alive as u64) as usize);
        if by_itself {
            let start = Instant::now();
            while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
        } else {
            // One process alone needs longer to get somewhere.
            std::thread::sleep(Duration::from_micros(dice.roll(160_000 / alive as u64)));
        }
        // Those that ended themselves are dead already; the others die here, by SIGKILL.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(
            !status.success() && status.code().is_none(),
            "a child failed instead of being killed: {status}"
        );
        *deaths
            .entry(if by_itself { "at a step" } else { "at random" })
            .or_default() += 1;
        died += 1;
        match Report::read(&path) {
            Report::Missing => {}
            Report::Known(document) => {
                let latest = SystemClock::new().wall() + LEASE;
                assert!(document.trials.len() <= 1, "{document:?}");
                assert!(
                    document
                        .trials
                        .iter()
                        .all(|trial| trial.expires_at <= latest),
                    "{document:?}"
                );
                assert_eq!(
                    document.outage_log(latest).ongoing().is_some(),
                    document.state != Kind::Closed
                );
                assert_eq!(
                    document
                        .outages
                        .last()
                        .is_some_and(|last| last.ended.is_none()),
                    document.state != Kind::Closed
                );
            }
            Report::Corrupted(why) => panic!("after {died} deaths: {why}"),
        }
    }
    for (child, _) in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("deaths: {deaths:?}");
    compare_with_journals(folder.path(), died + children.len());
    recovers(&path, owned);
}

/// The outage log against what the processes said about their transitions while they could.
fn compare_with_journals(folder: &Path, deaths: usize) {
    let Report::Known(document) = Report::read(&folder.join("breaker.json")) else {
        panic!("no document")
    };
    let mut generations = BTreeSet::new();
    let (mut told_starts, mut told_ends) = (BTreeSet::new(), BTreeSet::new());
    let mut trials = BTreeMap::<u64, Vec<(u64, u64)>>::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if !path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("journal-")
        {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |word: &str| word.parse::<u64>().unwrap();
            let generation = number(words[0]);
            match words[1..] {
                ["trial", id, done] => trials
                    .entry(generation)
                    .or_default()
                    .push((number(id), number(done))),
                [from, to, at] => {
                    assert!(
                        generations.insert(generation),
                        "transition {generation} was told twice"
                    );
                    match (from, to) {
                        ("Closed", _) => {
                            assert!(told_starts.insert(Time::from_unix_micros(number(at))))
                        }
                        (_, "Closed") => {
                            assert!(told_ends.insert(Time::from_unix_micros(number(at))))
                        }
                        _ => {}
                    }
                }
                _ => panic!("{line}"),
            }
        }
    }

    let starts: BTreeSet<Time> = document
        .outages
        .iter()
        .map(|outage| outage.started)
        .collect();
    let ends: BTreeSet<Time> = document
        .outages
        .iter()
        .filter_map(|outage| outage.ended)
        .collect();
    assert!(
        starts.len() > ENOUGH,
        "only {} outages: the test does not test",
        starts.len()
    );
    // None twice, none lost; none invented but by the dead, who changed the file and could tell no
    // more.
    assert_eq!(starts.len(), document.outages.len());
    assert!(
        told_starts.is_subset(&starts),
        "lost: {:?}",
        told_starts.difference(&starts)
    );
    assert!(
        told_ends.is_subset(&ends),
        "lost: {:?}",
        told_ends.difference(&ends)
    );
    let untold = (starts.len() - told_starts.len()) + (ends.len() - told_ends.len());
    assert!(
        untold <= deaths,
        "{untold} untold transitions of {deaths} dead"
    );
    // Each ends before the next starts.
    for pair in document.outages.windows(2) {
        assert!(pair[0].ended.unwrap() <= pair[1].started, "{pair:?}");
    }
    // A trial's number is when it was granted: within one generation the next is granted when the
    // one before was reported (noted just before it was) or its lease was over.
    for trials in trials.values_mut() {
        trials.sort_unstable();
        for pair in trials.windows(2) {
            let ((one, reported), (next, _)) = (pair[0], pair[1]);
            assert!(
                next >= reported || next >= one + LEASE.as_micros() as u64,
                "{pair:?}"
            );
        }
    }
    println!(
        "{} outages, {} transitions, {untold} untold",
        starts.len(),
        generations.len()
    );
}

/// Whatever the dead left behind, a new process brings the circuit to closed within an interval and
/// a lease.
fn recovers(path: &Path, owned: bool) {
    std::thread::sleep(OPEN_FOR + LEASE);
    // Its own trial has all the time that a busy machine may need for two writes.
    let rules = rules().trial_lease(Duration::from_secs(60));
    let builder = Breaker::builder(rules).outage_capacity(OUTAGES);
    let breaker = if owned {
        builder.open(FileStore::open(path).unwrap()).unwrap()
    } else {
        builder
            .open_shared(SharedFileStore::open(path).unwrap())
            .unwrap()
    };
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

fn kills(share: usize) -> usize {
    let kills = std::env::var("BREAKER_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok());
    kills.unwrap_or(60) / share
}

#[test]
fn killed_processes_that_share_a_file() {
    kill_many(false, 4, kills(1));
}

#[test]
fn killed_processes_that_own_a_file_in_turn() {
    kill_many(true, 1, kills(2));
}
