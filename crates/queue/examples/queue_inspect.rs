//! `cargo run --example queue_inspect -- FILE`: what is in a queue, without touching it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use queue::{Counts, DeadFilter, Error, Options, Queue, Result, State};

/// Rows shown of each kind.
const SHOWN: usize = 20;
/// Characters shown of a payload or message.
const WIDTH: usize = 100;

/// Any payload is JSON.
type Any = Queue<serde_json::Value>;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1).map(PathBuf::from) else {
        println!("usage: cargo run --example queue_inspect -- FILE");
        return ExitCode::SUCCESS;
    };
    match Any::open(&path, Options::inspector()) {
        Ok(queue) => inspect(&queue),
        Err(error) => {
            eprintln!("{}: {}", path.display(), advice(&error));
            ExitCode::FAILURE
        }
    }
}

/// What cannot be read is said in its place, and the rest is shown.
fn inspect(queue: &Any) -> ExitCode {
    println!("{}", queue.path().display());
    let counts = queue.counts();
    let total = |state| counts.as_ref().map_or(0, |counts| count(counts, state));
    let mut parts = vec![overview(queue)];
    for state in [State::Running, State::Ready, State::Waiting] {
        parts.push(jobs(queue, state, total(state)));
    }
    parts.push(summary(queue));
    parts.push(dead_letters(queue));
    let mut code = ExitCode::SUCCESS;
    for error in parts.into_iter().filter_map(Result::err) {
        eprintln!("\nSome of it cannot be read: {}", advice(&error));
        code = ExitCode::FAILURE;
    }
    code
}

fn overview(queue: &Any) -> Result<()> {
    if queue.is_paused()? {
        println!("paused: nothing is claimed until it is resumed");
    }
    let counts = queue.counts()?;
    println!(
        "waiting {}  ready {}  running {}  dead {}",
        counts.waiting, counts.ready, counts.running, counts.dead
    );
    println!(
        "so far: done {}  deferred {}  lost {}  superseded {}",
        counts.done, counts.deferred, counts.lost, counts.superseded
    );
    if let Some(due) = queue.next_due()? {
        println!("next due {}", from_now(due));
    }
    Ok(())
}

fn count(counts: &Counts, state: State) -> u64 {
    match state {
        State::Waiting => counts.waiting,
        State::Ready => counts.ready,
        State::Running => counts.running,
    }
}

fn jobs(queue: &Any, state: State, total: u64) -> Result<()> {
    let jobs = queue.jobs(state, SHOWN)?;
    if !jobs.is_empty() {
        println!("\n{state:?}");
    }
    for job in &jobs {
        let key = job.key.as_deref().unwrap_or("-");
        let lease = job
            .lease_until
            .map(|end| format!("  lease ends {}", from_now(end)))
            .unwrap_or_default();
        let follow_up = if job.follow_up {
            "  follow-up marked"
        } else {
            ""
        };
        println!(
            "  {:>6}  {key}  due {}  priority {}  attempts {}  deferred {}  lost {}{lease}{follow_up}  {}",
            job.id,
            from_now(job.due),
            job.priority,
            job.attempts,
            job.deferred,
            job.lost,
            cut(&job.payload)
        );
    }
    more(total, jobs.len());
    Ok(())
}

fn more(total: u64, shown: usize) {
    let left = total.saturating_sub(shown as u64);
    if left > 0 {
        println!("          and {left} more");
    }
}

fn summary(queue: &Any) -> Result<()> {
    let summary = queue.dead_summary()?;
    if !summary.is_empty() {
        println!("\nDead");
    }
    for dead in summary {
        println!(
            "  {:>6} × {}  last {}",
            dead.count,
            dead.error_type,
            from_now(dead.newest)
        );
    }
    Ok(())
}

fn dead_letters(queue: &Any) -> Result<()> {
    let letters = queue.dead_letters(&DeadFilter::all().limit(SHOWN as u64))?;
    for dead in &letters {
        let key = dead.key.as_deref().unwrap_or("-");
        println!(
            "  {:>6}  {key}  {}  attempts {}  {}: {}  {}",
            dead.id,
            from_now(dead.died),
            dead.attempts,
            dead.error_type,
            cut(&dead.message),
            cut(&dead.payload)
        );
        for event in queue.history(dead.id)? {
            let message = event.message.unwrap_or_default();
            println!(
                "            {:?} × {}  {}  {}",
                event.kind,
                event.times,
                from_now(event.last),
                cut(&message)
            );
        }
    }
    more(queue.counts()?.dead, letters.len());
    Ok(())
}

/// The library's advice is for programs; this is for who looks.
fn advice(error: &Error) -> String {
    match error {
        Error::Corrupt(cause) => format!(
            "the file is damaged ({cause}): the program that owns it sets it aside and rescues what can be read when it \
             opens the file with open_or_salvage"
        ),
        Error::ReadOnly(_) => {
            "looking needs a folder that can be written: copy the file, and its -wal, to one"
                .to_owned()
        }
        error => error.to_string(),
    }
}

fn from_now(time: SystemTime) -> String {
    let now = SystemTime::now();
    match time.duration_since(now) {
        Ok(left) => format!("in {}", about(left.as_secs())),
        Err(past) => match past.duration().as_secs() {
            0 => "now".to_owned(),
            ago => format!("{} ago", about(ago)),
        },
    }
}

fn about(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The beginning, on one line.
fn cut(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WIDTH)
        .collect();
    if text.chars().count() > WIDTH {
        line + "…"
    } else {
        line
    }
}
