//! The life of a circuit: it opens, rejects, tries and closes, and says so.
//!
//! `cargo run --example breaker_call`

use std::time::Duration;

use breaker::{Breaker, CallError, Outcome, Rules};

fn main() {
    let rules = Rules::default()
        .consecutive_failures(3)
        .open_for(Duration::from_millis(500));
    let breaker = Breaker::builder(rules)
        .on_transition(|transition| println!("   {transition}"))
        .build();

    // "Not found" is an answer: it proves that the server works.
    let classify = |result: &Result<&str, u16>| match result {
        Ok(_) | Err(404) => Outcome::Success,
        Err(_) => Outcome::Failure,
    };
    for status in [200, 404, 500, 502, 503, 200, 200] {
        let result = breaker.call_if(classify, || {
            if status == 200 {
                Ok("hello")
            } else {
                Err(status)
            }
        });
        match result {
            Ok(text) => println!("{status}: {text}"),
            Err(CallError::Failed(status)) => println!("{status}: failed"),
            Err(CallError::Rejected(rejection)) => println!("{status}: not sent: {rejection}"),
        }
    }

    if let Some(wait) = breaker.ready_in() {
        println!("... {wait:?} until a trial may run");
        std::thread::sleep(wait);
    }
    let trial = breaker.call_if(classify, || Ok("back again"));
    println!("200: {trial:?}");
    println!("{}", breaker.explain());
    println!("{:?}", breaker.snapshot().counts);
}
