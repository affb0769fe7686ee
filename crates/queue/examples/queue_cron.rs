//! Periodic jobs by cron text, in UTC or the zone you say: `cargo run --example queue_cron
//! --features tokio -- "0 3 * * *" Europe/Berlin`. Without arguments, every other second, three
//! times.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use croner::Cron;
use jiff::{Timestamp, tz::TimeZone};
use queue::{Delivery, Failure, NewJob, Options, Periodic, Queue, Runner};
use tokio::sync::Semaphore;

/// Jobs at the times of a cron text. After what was missed it runs once.
fn cron(text: &str, zone: TimeZone, payload: &str) -> Result<Periodic<String>, Box<dyn Error>> {
    let (cron, payload): (Cron, _) = (text.parse()?, payload.to_owned());
    let next = move |now: SystemTime| -> Result<SystemTime, Box<dyn Error>> {
        let now = Timestamp::try_from(now)?.to_zoned(zone.clone());
        Ok(cron.find_next_occurrence(&now, false)?.timestamp().into())
    };
    next(SystemTime::now())?;
    // A text that was found to have a next time has one after that; should the calendar end, a day
    // is as good as any.
    let next = move |_, now| next(now).unwrap_or(now + std::time::Duration::from_secs(86_400));
    Ok(Periodic::new(text, next, move |_| {
        NewJob::new(payload.clone())
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or("*/2 * * * * *".to_owned());
    let zone = match arguments.next() {
        Some(name) => TimeZone::get(&name)?,
        None => TimeZone::UTC,
    };
    let dir = tempfile::tempdir()?;
    let queue = Queue::open(dir.path().join("jobs.db"), Options::consumer())?;
    let runs = Arc::new(Semaphore::new(0));
    let three = runs.clone();
    let handler = move |job: Delivery<String>| {
        println!("{}: {}", Timestamp::now(), job.payload);
        runs.add_permits(1);
        async { Ok::<_, Failure>(()) }
    };
    Runner::new(queue)
        .periodic(cron(&text, zone, "report")?)
        .run(async { drop(three.acquire_many(3).await) }, handler)
        .await?;
    Ok(())
}
