//! The program of `circuit_breaker`, with `failsafe`.

use std::{io::Error, io::ErrorKind::NotFound, time::Duration};

use failsafe::{Config, Instrument, backoff, failure_policy, futures::CircuitBreaker};

struct Log;

impl Instrument for Log {
    fn on_call_rejected(&self) {}
    fn on_open(&self) {
        eprintln!("circuit open");
    }
    fn on_half_open(&self) {
        eprintln!("circuit half-open");
    }
    fn on_closed(&self) {
        eprintln!("circuit closed");
    }
}

async fn fetch() -> Result<String, Error> {
    std::fs::read_to_string("/no/such/file")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let interval = backoff::constant(Duration::from_secs(30));
    let policy = failure_policy::consecutive_failures(3, interval);
    let breaker = Config::new().failure_policy(policy).instrument(Log).build();
    let is_failure = |error: &Error| error.kind() != NotFound;
    match breaker.call_with(is_failure, fetch()).await {
        Ok(answer) => println!("{answer}"),
        Err(failsafe::Error::Rejected) => eprintln!("the circuit is open"),
        Err(failsafe::Error::Inner(error)) => eprintln!("{error}"),
    }
}
