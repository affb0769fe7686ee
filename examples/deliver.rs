//! Deliver to a service that may be away: `cargo run --example deliver`. What these crates are for,
//! in one program that runs for a few seconds: messages go into a queue on disk, and a runner
//! delivers them. While the service is away the breaker is open and nothing is claimed; a probe at
//! growing intervals finds out when it is back, and asks the breaker for an early trial. No message
//! is lost, none uses up its attempts for an outage, and one that the service refuses becomes a
//! dead letter.
#![allow(clippy::print_stdout)]

#[path = "deliver/service.rs"]
mod service;

use std::error::Error;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use backoff::{Policy, Unseeded};
use breaker::{Breaker, CallError, Kind, Outcome, Rules};
use plex_health::Schedule;
use queue::{DeadFilter, Delivery, Failure, NewJob, Options, Queue, Runner};
use service::{Answer, Service};
use tokio::time::sleep;

const MESSAGES: u32 = 60;
const MILLISECOND: Duration = Duration::from_millis(1);
/// Between attempts, and between probes: shorter than in a real program.
const WAIT: Policy = Policy::exponential(Duration::from_millis(100), Duration::from_millis(800));

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    say("the service is there");
    let mut service = Service::start().await?;
    let address = service.address();

    let rules = Rules::default()
        .consecutive_failures(3)
        .early_trial_after(200 * MILLISECOND);
    let told = |change: &breaker::machine::Transition| {
        say(format!("circuit {}: {}", change.to, change.reason))
    };
    let breaker = Arc::new(Breaker::builder(rules).on_transition(told).build());

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("messages.db");
    let (gate, calls) = (breaker.clone(), breaker.clone());
    let runner = Runner::new(Queue::open(&path, Options::consumer())?)
        .concurrency(4)
        .retry(|attempt| (attempt < 5).then(|| WAIT.delay(attempt, &mut Unseeded)))
        .gate(move || gate.ready_in());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let handler = move |message| deliver(calls.clone(), address, message);
    let runner = tokio::spawn(runner.run(stopped, handler));
    let probe = tokio::spawn(probe(breaker.clone(), address));

    // The producer could be any number of other processes.
    let mut messages: Queue<String> = Queue::open(&path, Options::producer())?;
    for n in 0..MESSAGES {
        let text = if n == 7 {
            "refuse me".to_owned()
        } else {
            format!("message {n}")
        };
        messages.enqueue(NewJob::new(text).key(format!("message:{n}")))?;
        match n {
            20 => service.leave(),
            50 => service.come_back().await?,
            _ => {}
        }
        if n % 10 == 0 {
            let counts = messages.counts()?;
            say(format!(
                "{} sent off, {} delivered, {} wait",
                n + 1,
                counts.done,
                counts.live()
            ));
        }
        sleep(40 * MILLISECOND).await;
    }
    while messages.counts()?.live() > 0 {
        sleep(20 * MILLISECOND).await;
    }
    drop(stop);
    runner.await??;
    probe.abort();

    let counts = messages.counts()?;
    say(format!(
        "{} delivered, {} deferred, {} dead",
        counts.done, counts.deferred, counts.dead
    ));
    for letter in messages.dead_letters(&DeadFilter::all())? {
        say(format!(
            "dead letter {}: {}: {}",
            letter.payload, letter.error_type, letter.message
        ));
    }
    let outages = breaker.snapshot().outages;
    say(format!("outages: {}", outages.outages().count()));
    assert_eq!((counts.done, counts.dead), (u64::from(MESSAGES) - 1, 1));
    Ok(())
}

/// What an answer means: for the message, and for the service.
async fn deliver(
    breaker: Arc<Breaker>,
    address: std::net::SocketAddr,
    message: Delivery<String>,
) -> Result<(), Failure> {
    // Whatever it answers, a service that answers is there.
    let is_there = |answer: &Result<Answer, std::io::Error>| match answer {
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Failure,
    };
    let later = WAIT.delay(message.deferred, &mut Unseeded);
    let call = || service::send(address, &message.payload);
    match breaker.call_async_if(is_there, call).await {
        Ok(Answer::Taken) => Ok(()),
        Ok(Answer::Busy) => Err(Failure::retry("Busy", "it has too much to do")),
        Ok(Answer::Refused) => Err(Failure::dead("Refused", "it does not take this message")),
        // No fault of the message: no attempt is used up. The gate says when the next is claimed.
        Err(CallError::Rejected(why)) => Err(Failure::defer(later, why)),
        Err(CallError::Failed(error)) => Err(Failure::defer(later, error)),
    }
}

/// Looks after the service while the circuit is open. It changes nothing: it asks the breaker,
/// which decides.
async fn probe(breaker: Arc<Breaker>, address: std::net::SocketAddr) {
    let mut schedule = Schedule::default();
    loop {
        sleep(20 * MILLISECOND).await;
        let now = SystemTime::now();
        if breaker.kind() != Kind::Open {
            schedule = Schedule::default();
        } else if schedule.due(now) {
            if service::is_there(address).await {
                let answer = breaker.suggest_trial();
                say(format!(
                    "probe: it answers; may a trial run? {}",
                    if answer.is_ok() { "yes" } else { "not yet" }
                ));
                schedule.failed(now, |_| 100 * MILLISECOND);
            } else {
                let wait = schedule.failed(now, |failures| WAIT.delay(failures, &mut Unseeded));
                say(format!(
                    "probe: no answer; the next in {} ms",
                    wait.as_millis()
                ));
            }
        }
    }
}

fn say(what: impl std::fmt::Display) {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:5.2} s  {what}", STARTED.elapsed().as_secs_f64());
}
