//! One call behind a circuit breaker that opens after 3 failures in a row, for 30 s. What is not
//! found is no failure, and each change of the circuit is told. With `outlast-breaker`.

use std::{io::Error, io::ErrorKind::NotFound, time::Duration};

use breaker::{Breaker, CallError, Outcome, Rules};

async fn fetch() -> Result<String, Error> {
    std::fs::read_to_string("/no/such/file")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rules = Rules::default().consecutive_failures(3);
    let breaker = Breaker::builder(rules.open_for(Duration::from_secs(30)))
        .on_transition(|change| eprintln!("circuit {}: {}", change.to, change.reason))
        .build();
    let meaning = |result: &Result<_, Error>| {
        Outcome::failure_if(matches!(result, Err(error) if error.kind() != NotFound))
    };
    match breaker.call_async_if(meaning, fetch).await {
        Ok(answer) => println!("{answer}"),
        Err(CallError::Rejected(rejection)) => eprintln!("{rejection}"),
        Err(CallError::Failed(error)) => eprintln!("{error}"),
    }
}
