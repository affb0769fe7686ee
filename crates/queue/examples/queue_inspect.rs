//! `cargo run --example queue_inspect -- FILE`: what is in a queue, without touching it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use queue::{DeadFilter, Options, Queue, State};

/// Rows shown of each kind.
const SHOWN: usize = 20;
/// Characters shown of a payload or message.
const WIDTH: usize = 100;

fn main() -> ExitCode {
    match inspect() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn inspect() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args().nth(1) else {
        println!("usage: cargo run --example queue_inspect -- FILE");
        return Ok(());
    };
    // Any payload is JSON.
    let queue: Queue<serde_json::Value> = Queue::open(path, Options::inspector())?;
    let counts = queue.counts()?;
    println!(
        "{}{}",
        queue.path().display(),
        if queue.is_paused()? { " (paused)" } else { "" }
    );
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

    for state in [State::Running, State::Ready, State::Waiting] {
        let jobs = queue.jobs(state, SHOWN)?;
        if !jobs.is_empty() {
            println!("\n{state:?}");
        }
        for job in jobs {
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
                "  {:>6}  {key}  due {}  attempts {}  deferred {}  lost {}{lease}{follow_up}  {}",
                job.id,
                from_now(job.due),
                job.attempts,
                job.deferred,
                job.lost,
                cut(&job.payload)
            );
        }
    }

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
    for dead in queue.dead_letters(&DeadFilter::all().limit(SHOWN as u64))? {
        let key = dead.key.as_deref().unwrap_or("-");
        println!(
            "  {:>6}  {key}  {}  {}: {}",
            dead.id,
            from_now(dead.died),
            dead.error_type,
            cut(&dead.message)
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
    Ok(())
}

fn from_now(time: SystemTime) -> String {
    let now = SystemTime::now();
    match time.duration_since(now) {
        Ok(left) => format!("in {} s", left.as_secs()),
        Err(_) => format!(
            "{} s ago",
            now.duration_since(time).unwrap_or_default().as_secs()
        ),
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
