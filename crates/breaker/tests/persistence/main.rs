//! What a breaker keeps in its file, and what it makes of what it finds there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damaged;
mod failing;
mod folder;
mod sharers;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use breaker::machine::Kind;
use breaker::{
    Breaker, Control, Document, FakeClock, FileStore, Rate, Report, Rules, SharedFileStore, Store,
    StoreError, Time,
};
use tempfile::TempDir;

const START: Time = Time::from_unix_micros(1_764_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);

struct Place {
    clock: Arc<FakeClock>,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            clock: Arc::new(FakeClock::at(START)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn with(text: &str) -> Self {
        let place = Self::new();
        fs::write(place.path(), text).unwrap();
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("circuit_breaker.json")
    }

    fn owned(&self, rules: Rules) -> Breaker {
        let store = FileStore::open(self.path()).unwrap();
        Breaker::builder(rules)
            .clock(Arc::clone(&self.clock))
            .open(store)
            .unwrap()
    }

    fn shared(&self, rules: Rules) -> Breaker {
        let store = SharedFileStore::open(self.path()).unwrap();
        Breaker::builder(rules)
            .clock(Arc::clone(&self.clock))
            .open_shared(store)
            .unwrap()
    }

    fn document(&self) -> Document {
        match Report::read(&self.path()) {
            Report::Known(document) => *document,
            other => panic!("{other:?}"),
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path()).unwrap()).unwrap()
    }
}

fn trip(breaker: &Breaker) {
    breaker.try_acquire().unwrap().trip("test");
}

#[test]
fn the_four_keys_are_the_contract() {
    let place = Place::new();
    let breaker = place.owned(Rules::default().successes_to_close(2));
    assert_eq!(Report::read(&place.path()), Report::Missing);
    breaker.try_acquire().unwrap().failure();
    let closed = place.json();
    assert_eq!(
        (&closed["state"], &closed["failure_count"]),
        (&"closed".into(), &1.into())
    );
    assert_eq!(
        (&closed["success_count"], &closed["opened_at"]),
        (&0.into(), &serde_json::Value::Null)
    );

    place.clock.advance(Duration::from_millis(250));
    trip(&breaker);
    let open = place.json();
    assert_eq!(
        (&open["state"], &open["opened_at"]),
        (&"open".into(), &1_764_000_000.25.into())
    );
    assert_eq!(open["retry_at"], 1_764_000_060.25);

    place.clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    let half_open = place.json();
    assert_eq!(
        (&half_open["state"], &half_open["success_count"]),
        (&"half_open".into(), &1.into())
    );
    assert_eq!(half_open["opened_at"], 1_764_000_000.25);
}

#[test]
fn it_writes_only_on_change() {
    let place = Place::new();
    let breaker = place.owned(Rules::default());
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    assert_eq!(Report::read(&place.path()), Report::Missing);

    trip(&breaker);
    fs::remove_file(place.path()).unwrap();
    assert!(breaker.try_acquire().is_err());
    breaker.count_affected(0);
    let _ = breaker.suggest_trial();
    breaker.enable();
    drop(breaker);
    assert_eq!(Report::read(&place.path()), Report::Missing);
}

#[test]
fn a_restart_goes_on_where_it_stopped() {
    let place = Place::new();
    let rules = || Rules::default().consecutive_failures(3);
    let breaker = place.owned(rules());
    breaker.try_acquire().unwrap().failure();
    drop(breaker);

    // Two more failures open it, since one was kept.
    let breaker = place.owned(rules());
    breaker.try_acquire().unwrap().failure();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.kind(), Kind::Open);
    breaker.count_affected(7);
    drop(breaker);

    // Open stays open, for the remaining time.
    place.clock.advance(20 * SECOND);
    let breaker = place.owned(rules());
    assert_eq!(breaker.ready_in(), Some(40 * SECOND));
    assert_eq!(
        breaker.explain().reason.unwrap().as_str(),
        "consecutive_failures"
    );
    place.clock.advance(40 * SECOND);
    std::mem::forget(breaker.try_acquire().unwrap());
    assert_eq!(place.document().trials.len(), 1);
    drop(breaker);

    // The trial died with its process: its place is free at once.
    let breaker = place.owned(rules());
    assert_eq!(
        (breaker.kind(), breaker.ready_in()),
        (Kind::HalfOpen, Some(Duration::ZERO))
    );
    breaker.try_acquire().unwrap().success();
    let recovered_at = START + 60 * SECOND;
    assert_eq!(breaker.snapshot().recovered_at, Some(recovered_at));
    drop(breaker);

    // When the last outage ended is kept, for a ramp to resume.
    place.clock.advance(5 * SECOND);
    let snapshot = place.owned(rules()).snapshot();
    assert_eq!(
        (snapshot.explanation.kind, snapshot.recovered_at),
        (Kind::Closed, Some(recovered_at))
    );
    let outages: Vec<_> = snapshot.outages.outages().collect();
    assert_eq!((outages.len(), outages[0].jobs_affected), (1, 7));
    assert_eq!(
        (outages[0].started, outages[0].ended),
        (START, Some(recovered_at))
    );
}

#[test]
fn what_a_person_ordered_outlives_a_restart() {
    let place = Place::new();
    place.owned(Rules::default()).force_open("maintenance");
    let document = place.document();
    assert_eq!(
        (document.state, document.control, document.retry_at),
        (Kind::Open, Control::ForcedOpen, None)
    );
    assert_eq!(document.kind_at(Time::MAX), Kind::ForcedOpen);

    place.clock.advance(1000 * SECOND);
    let breaker = place.owned(Rules::default());
    assert_eq!(breaker.kind(), Kind::ForcedOpen);
    assert_eq!(breaker.explain().reason.unwrap().as_str(), "maintenance");
    breaker.disable();
    drop(breaker);
    assert_eq!(place.document().control, Control::Disabled);
    let breaker = place.owned(Rules::default());
    trip(&breaker);
    assert!(breaker.try_acquire().is_ok());
    assert!(breaker.explain().state.is_shadow());
}

#[test]
fn a_document_of_four_keys_is_taken_over() {
    let place = Place::with(
        r#"{"state": "open", "failure_count": 5, "success_count": 0, "opened_at": 1763999990.0}"#,
    );
    let breaker = place.owned(Rules::default());
    assert_eq!(breaker.ready_in(), Some(50 * SECOND));
    assert_eq!(
        breaker.snapshot().outages.ongoing().unwrap().started,
        Time::from_unix_seconds(1_763_999_990.0)
    );

    let place = Place::with(
        r#"{"state": "closed", "failure_count": 4, "success_count": 0, "opened_at": null}"#,
    );
    let breaker = place.owned(Rules::default());
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.kind(), Kind::Open);

    let place = Place::with(
        r#"{"state": "half_open", "failure_count": 5, "success_count": 1, "opened_at": null}"#,
    );
    let breaker = place.owned(Rules::default().successes_to_close(2));
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
}

#[test]
fn a_reader_knows_when_the_interval_is_over() {
    let place = Place::new();
    let breaker = place.owned(Rules::default());
    trip(&breaker);
    let until = START + 60 * SECOND;
    let almost = Time::from_unix_micros(until.unix_micros() - 1);
    assert_eq!(place.document().kind_at(almost), Kind::Open);
    assert_eq!(place.document().kind_at(until), Kind::HalfOpen);
    breaker.reset();
    assert_eq!(place.document().kind_at(until), Kind::Closed);
}

#[test]
fn unknown_keys_survive() {
    let text = r#"{"state": "closed", "failure_count": 0, "opened_at": null, "note": {"by": ["someone", 1.7555555555555557e72]}}"#;
    for shared in [false, true] {
        let place = Place::with(text);
        let breaker = if shared {
            place.shared(Rules::default())
        } else {
            place.owned(Rules::default())
        };
        breaker.try_acquire().unwrap().failure();
        assert_eq!(place.json()["failure_count"], 1);
        assert_eq!(place.json()["note"]["by"][0], "someone");
        assert_eq!(place.json()["note"]["by"][1], 1.755_555_555_555_555_7e72);
    }
}

const NONSENSE: [(&str, &str); 9] = [
    ("", "EOF"),
    ("{\"state\": \"open\", \"fail", "EOF"),
    ("not json", "expected"),
    ("[]", "invalid"),
    ("{}", "missing field `state`"),
    ("{\"state\": \"ajar\"}", "ajar"),
    ("{\"state\": \"forced_open\"}", "state is none of"),
    (
        "{\"state\": \"open\", \"opened_at\": null}",
        "opened_at is null",
    ),
    (
        "{\"state\": \"closed\", \"failure_count\": \"five\"}",
        "failure_count",
    ),
];

#[test]
fn an_owner_does_not_notice_steps_of_the_wall_clock() {
    for step in [
        START + 86_400 * SECOND,
        Time::from_unix_micros(START.unix_micros() / 2),
    ] {
        let place = Place::new();
        let breaker = place.owned(Rules::default());
        trip(&breaker);
        place.clock.set_wall(step);
        assert_eq!(breaker.ready_in(), Some(60 * SECOND));
        place.clock.advance(59 * SECOND);
        assert!(breaker.try_acquire().is_err());
        place.clock.advance(SECOND);
        // What is written now is written by the new wall clock, and a restart goes on by it.
        drop(breaker.try_acquire().unwrap());
        assert_eq!(place.document().opened_at, Some(step));
        breaker.try_acquire().unwrap().failure();
        assert_eq!(place.document().retry_at, Some(step + 120 * SECOND));
        drop(breaker);
        assert_eq!(place.owned(Rules::default()).ready_in(), Some(60 * SECOND));
    }
}

#[test]
fn a_window_is_kept_and_cut_to_new_rules() {
    let place = Place::new();
    let rules = |calls| Rules::default().rate(Rate::over_calls(calls).failures(100));
    let breaker = place.owned(rules(10));
    for _ in 0..6 {
        breaker.try_acquire().unwrap().success();
    }
    // Saved along with the first change.
    breaker.try_acquire().unwrap().failure();
    drop(breaker);
    for (calls, kept) in [(10, 7), (4, 4)] {
        let window = place.owned(rules(calls)).explain().window.unwrap();
        assert_eq!((window.calls, window.failures), (kept, 1));
    }
    assert_eq!(place.owned(Rules::default()).explain().window, None);
}

#[test]
fn readers_see_whole_documents_while_it_is_written() {
    let place = Place::new();
    let breaker = place.owned(Rules::default().consecutive_failures(1_000_000));
    breaker.try_acquire().unwrap().failure();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut last = 0;
                    while !done.load(Ordering::SeqCst) {
                        let failures = place.document().failure_count;
                        assert!(failures >= last, "{failures} after {last}");
                        last = failures;
                    }
                    last
                })
            })
            .collect();
        for _ in 0..300 {
            breaker.try_acquire().unwrap().failure();
        }
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(reader.join().unwrap() > 1);
        }
    });
}
