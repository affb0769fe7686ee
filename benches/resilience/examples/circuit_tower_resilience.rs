//! The program of `circuit_breaker`, with `tower-resilience-circuitbreaker`.
#![allow(clippy::unwrap_used)]

use std::{io::Error, io::ErrorKind::NotFound, time::Duration};

use tower::{Layer, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};

async fn fetch(_: ()) -> Result<String, Error> {
    std::fs::read_to_string("/no/such/file")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let layer = CircuitBreakerLayer::builder()
        .consecutive_failures(3)
        .wait_duration_in_open(Duration::from_secs(30))
        .permitted_calls_in_half_open(1)
        .failure_classifier(|result: &Result<String, Error>| {
            matches!(result, Err(error) if error.kind() != NotFound)
        })
        .on_state_transition(|from, to| eprintln!("circuit {from:?} -> {to:?}"))
        .build()
        .unwrap();
    let service = layer.layer(service_fn(fetch));
    match service.oneshot(()).await {
        Ok(answer) => println!("{answer}"),
        Err(CircuitBreakerError::OpenCircuit) => eprintln!("the circuit is open"),
        Err(CircuitBreakerError::Inner(error)) => eprintln!("{error}"),
    }
}
