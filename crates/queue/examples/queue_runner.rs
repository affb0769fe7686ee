//! What `queue_worker` does by hand, by a runner: `cargo run --example queue_runner --features
//! tokio`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use queue::{Delivery, Failure, NewJob, Options, Queue, Result, Runner, Then};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Job {
    Mail { to: String },
    Sum { of: Vec<u64> },
}

async fn work(job: Delivery<Job>) -> Result<Then<Job>, Failure> {
    match job.payload {
        // The result and the end of the job are one step.
        Job::Sum { of } => Ok(Then::write(move |tx| {
            let sum = of.iter().sum::<u64>().cast_signed();
            tx.sql()
                .execute("INSERT INTO sums VALUES (?1, ?2)", (job.job, sum))?;
            Ok(())
        })),
        Job::Mail { to } => {
            println!("attempt {}: no answer from {to}'s server", job.attempt);
            Err(Failure::retry("Timeout", "no answer within 100 ms"))
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().map_err(|cause| queue::Error::File {
        path: std::env::temp_dir(),
        cause,
    })?;
    let path = dir.path().join("jobs.db");
    let mut queue: Queue<Job> = Queue::open(&path, Options::consumer())?;
    queue.migrate(
        "example",
        &["CREATE TABLE sums (job INTEGER PRIMARY KEY, sum INTEGER NOT NULL) STRICT"],
    )?;
    queue.enqueue(Job::Sum { of: vec![1, 2, 3] })?;
    queue.enqueue(NewJob::new(Job::Mail { to: "Ann".into() }).key("mail:Ann"))?;

    // In earnest until a signal: tokio::signal::ctrl_c().
    let looking: Queue<Job> = Queue::open(&path, Options::inspector())?;
    let nothing_left = async {
        while looking.counts().is_ok_and(|counts| counts.live() > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    Runner::new(queue)
        .concurrency(4)
        .retry(|attempt| (attempt < 3).then(|| Duration::from_millis(100) * attempt))
        .run(nothing_left, work)
        .await?;
    println!("nothing left: {:?}", looking.counts()?);
    Ok(())
}
