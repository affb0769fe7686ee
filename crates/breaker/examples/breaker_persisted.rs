//! A breaker that is killed goes on where it stopped; anyone may read its file meanwhile.
//!
//! `cargo run --example breaker_persisted`, and once more within a minute.

use std::error::Error;
use std::path::Path;
use std::time::SystemTime;

use breaker::{Breaker, FileStore, Report, Rules, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join("breaker_persisted.json");
    report(&path);

    let breaker = Breaker::builder(Rules::default()).open(FileStore::open(&path)?)?;
    match breaker.try_acquire() {
        Ok(permit) => {
            println!("a call ran, and the token was refused");
            permit.trip("unauthorized");
        }
        Err(rejection) => {
            println!("no call: {rejection}");
            breaker.count_affected(1);
        }
    }
    // No destructor runs, as if the process were killed.
    std::process::exit(0);
}

/// What a health check would say. It takes no lock and changes nothing.
fn report(path: &Path) {
    match Report::read(path) {
        Report::Missing => println!("{}: missing, so closed", path.display()),
        Report::Corrupted(why) => println!("{}: unknown: {why}", path.display()),
        Report::Known(document) => {
            let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            let now = Time::ZERO + since_epoch;
            println!("{}: {}", path.display(), document.kind_at(now));
            if let Some(opened_at) = document.opened_at {
                println!("  opened {:.0?} ago", now - opened_at);
            }
            let log = document.outage_log(now);
            for outage in log.outages() {
                let jobs = outage.jobs_affected;
                println!(
                    "  outage of {:.0?} ({}), {jobs} jobs affected",
                    outage.duration(now),
                    outage.reason
                );
            }
            println!("  {:?}", log.figures(now));
        }
    }
}
