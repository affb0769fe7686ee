//! Breakers that share a file, as processes would: one trips, all reject; one trial at a time runs
//! among them.
//!
//! `cargo run --example breaker_shared`

use std::error::Error;
use std::time::Duration;

use breaker::{Breaker, Rules, SharedFileStore};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("breaker_shared-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let open = || {
        let rules = Rules::default()
            .consecutive_failures(3)
            .open_for(Duration::from_millis(300));
        Breaker::builder(rules).open_shared(SharedFileStore::open(folder.join("breaker.json"))?)
    };
    let breakers = [open()?, open()?, open()?];

    for (number, breaker) in breakers.iter().enumerate() {
        breaker.try_acquire()?.failure();
        println!("breaker {number} saw one failure: {}", breaker.explain());
    }
    std::thread::sleep(Duration::from_millis(300));

    let trial = breakers[0].try_acquire()?;
    println!("breaker 0 tries");
    if let Err(rejection) = breakers[1].try_acquire() {
        println!("breaker 1 may not: {rejection}");
    }
    trial.success();
    println!("breaker 2 knows: {}", breakers[2].explain());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
