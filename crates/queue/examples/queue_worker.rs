//! A worker's loop: settle each outcome in its own way, sleep until there is something to do.
//! `cargo run --example queue_worker`
#![allow(clippy::print_stdout)]

use std::time::{Duration, SystemTime};

use queue::{Claim, NewJob, Options, Queue, Result, Wake};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum Job {
    Mail { to: String },
    Sum { of: Vec<u64> },
}

fn main() -> Result<()> {
    let path = std::env::temp_dir().join(format!("queue_worker-{}.db", std::process::id()));
    let mut queue: Queue<Job> = Queue::open(&path, Options::consumer())?;
    queue.migrate(
        "example",
        &["CREATE TABLE sums (job INTEGER PRIMARY KEY, sum INTEGER NOT NULL) STRICT"],
    )?;
    queue.enqueue(Job::Sum { of: vec![1, 2, 3] })?;
    queue.enqueue(
        NewJob::new(Job::Mail { to: "Ann".into() })
            .key("mail:Ann")
            .due_in(Duration::from_millis(200)),
    )?;

    loop {
        for claim in queue.claim(10)? {
            work(&mut queue, claim)?;
        }
        if queue.counts()?.live() == 0 {
            println!("nothing left: {:?}", queue.counts()?);
            return Ok(());
        }
        if queue.wait(Duration::from_secs(5))? == Wake::TimedOut {
            println!("still waiting");
        }
    }
}

fn work(queue: &mut Queue<Job>, claim: Claim<Job>) -> Result<()> {
    match claim.payload() {
        // The result and the end of the job are one step.
        Job::Sum { of } => queue.transaction(|tx| {
            tx.done(&claim)?;
            tx.sql().execute(
                "INSERT OR REPLACE INTO sums VALUES (?1, ?2)",
                (claim.job(), of.iter().sum::<u64>().cast_signed()),
            )?;
            Ok(())
        }),
        Job::Mail { to } if claim.attempt() < 3 => {
            println!("attempt {}: no answer from {to}'s server", claim.attempt());
            let delay = Duration::from_millis(100) * claim.attempt();
            queue.retry_at(
                claim,
                SystemTime::now() + delay,
                "Timeout",
                "no answer within 100 ms",
            )
        }
        Job::Mail { .. } => queue.dead(claim, "Timeout", "no answer, three times"),
    }
}
