//! The breaker as a `tower` layer.
#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use breaker::tower::BreakerLayer;
use breaker::{Breaker, CallError, Kind, Outcome, Rules};
use tower::{Layer, Service, ServiceExt, service_fn};

fn breaker() -> Arc<Breaker> {
    Arc::new(Breaker::new(Rules::default().consecutive_failures(2)))
}

#[tokio::test]
async fn clones_share_one_circuit() {
    let breaker = breaker();
    let service =
        BreakerLayer::new(Arc::clone(&breaker)).layer(service_fn(async |ok: bool| match ok {
            true => Ok("pong"),
            false => Err("refused"),
        }));
    assert_eq!(service.clone().oneshot(true).await, Ok("pong"));
    assert_eq!(
        service.clone().oneshot(false).await,
        Err(CallError::Failed("refused"))
    );
    assert_eq!(
        service.clone().oneshot(false).await,
        Err(CallError::Failed("refused"))
    );
    assert!(matches!(
        service.clone().oneshot(true).await,
        Err(CallError::Rejected(_))
    ));
    assert_eq!(breaker.snapshot().counts.rejected, 1);
}

#[tokio::test]
async fn a_classifier_reads_the_answer() {
    let breaker = breaker();
    let classify = |answer: &Result<u16, Infallible>| match answer {
        Ok(401) => Outcome::Trip("unauthorized".into()),
        _ => Outcome::Success,
    };
    let layer = BreakerLayer::classified(Arc::clone(&breaker), classify);
    let service = layer.layer(service_fn(async |status: u16| Ok::<_, Infallible>(status)));
    assert_eq!(service.clone().oneshot(404).await, Ok(404));
    assert_eq!(breaker.kind(), Kind::Closed);
    assert_eq!(service.oneshot(401).await, Ok(401));
    assert_eq!(breaker.explain().reason.unwrap().as_str(), "unauthorized");
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let breaker = breaker();
    let mut service = BreakerLayer::new(Arc::clone(&breaker))
        .layer(service_fn(|()| pending::<Result<(), Infallible>>()));
    service.ready().await.unwrap();
    drop(service.call(()));
    assert_eq!(breaker.snapshot().counts.cancelled, 1);
}

#[tokio::test]
async fn readiness_takes_no_permit() {
    let breaker = breaker();
    let mut service = BreakerLayer::new(Arc::clone(&breaker))
        .layer(service_fn(async |()| Ok::<_, Infallible>(())));
    for _ in 0..3 {
        service.ready().await.unwrap();
    }
    assert_eq!(breaker.snapshot().counts, breaker::Counts::default());
}
