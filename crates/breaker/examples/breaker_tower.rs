//! The breaker as a `tower` layer.
//!
//! `cargo run -p outlast-breaker --example breaker_tower --features tower`

use std::sync::Arc;

use breaker::tower::BreakerLayer;
use breaker::{Breaker, Outcome, Rules};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let breaker = Arc::new(Breaker::new(Rules::default().consecutive_failures(2)));
    let classify = |result: &Result<u16, String>| match result {
        Ok(status) if *status < 500 => Outcome::Success,
        _ => Outcome::Failure,
    };
    let layer = BreakerLayer::classified(Arc::clone(&breaker), classify);
    let service = layer.layer(service_fn(async |status: u16| Ok::<_, String>(status)));
    for status in [200, 503, 503, 200] {
        println!("{status}: {:?}", service.clone().oneshot(status).await);
    }
    println!("{}", breaker.explain());
}
