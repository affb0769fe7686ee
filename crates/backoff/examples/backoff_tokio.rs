//! An async call with retries under tokio: a request that fails twice, with a budget shared by all
//! tasks.
//!
//! `cargo run --example backoff_tokio --features outlast-backoff/tokio`
use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use backoff::{Budget, Env, Hint, Policy, Retry};

static BUDGET: Budget = Budget::token_bucket(500);
static REQUESTS: AtomicU32 = AtomicU32::new(0);

const RETRY: Retry = Retry::new(Policy::exponential(
    Duration::from_millis(50),
    Duration::from_secs(1),
));

async fn request() -> Result<&'static str, io::Error> {
    match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => Err(io::ErrorKind::ConnectionRefused.into()),
        1 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok("200 OK"),
    }
}

fn hint(result: &io::Result<&str>) -> Hint {
    match result.as_ref().map_err(io::Error::kind) {
        Err(io::ErrorKind::ConnectionRefused) => Hint::Transient,
        Err(io::ErrorKind::TimedOut) => Hint::Timeout,
        Ok(_) | Err(_) => Hint::Final,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let call = RETRY
        .call_async(Env::tokio(), request)
        .hint(hint)
        .notify(|retrying| println!("{retrying}; {} tokens left", BUDGET.tokens()))
        .budget(&BUDGET);
    println!(
        "{}, {} tokens left",
        call.run_async().await?,
        BUDGET.tokens()
    );
    Ok(())
}
