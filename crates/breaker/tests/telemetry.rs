//! What a breaker tells `tracing` and `metrics`.
#![cfg(all(feature = "metrics", feature = "tracing"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use breaker::{Breaker, Builder, FakeClock, Rules, Time};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A call that trips, a rejection, a trial that closes.
fn outage(with: impl FnOnce(Builder) -> Builder) -> Breaker {
    let clock = Arc::new(FakeClock::at(Time::from_unix_seconds(1000.0)));
    let breaker = with(Breaker::builder(Rules::default()))
        .clock(Arc::clone(&clock))
        .build();
    breaker.try_acquire().unwrap().trip("down");
    assert!(breaker.try_acquire().is_err());
    clock.advance(Duration::from_secs(60));
    breaker.try_acquire().unwrap().success();
    breaker
}

#[test]
fn metrics_have_the_transitions_and_on_request_the_counts() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        outage(|builder| builder.metered("mail")).publish_counts("mail");
    });
    let mut seen: Vec<_> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels: Vec<_> = key
                .key()
                .labels()
                .map(|label| label.value().to_owned())
                .collect();
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(_) => unreachable!("there is none"),
            };
            (format!("{} {}", key.key().name(), labels.join(" ")), value)
        })
        .filter(|(_, value)| *value != 0.0)
        .collect();
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("breaker_calls_total mail failure", 1.0),
        ("breaker_calls_total mail rejected", 1.0),
        ("breaker_calls_total mail success", 1.0),
        ("breaker_transitions_total mail CLOSED", 1.0),
        ("breaker_transitions_total mail HALF_OPEN", 1.0),
        ("breaker_transitions_total mail OPEN", 1.0),
    ];
    assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

#[test]
fn tracing_has_an_event_for_each_transition() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        outage(|builder| builder.traced("mail"));
    });
    assert_eq!(
        *log.0.lock().unwrap(),
        [
            r#"WARN message=the circuit is OPEN breaker="mail" from=CLOSED to=OPEN reason="down" generation=1"#,
            r#"INFO message=the circuit is HALF_OPEN breaker="mail" from=OPEN to=HALF_OPEN reason="interval_over" generation=2"#,
            r#"INFO message=the circuit is CLOSED breaker="mail" from=HALF_OPEN to=CLOSED reason="recovered" generation=3"#,
        ]
    );
}
