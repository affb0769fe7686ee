use std::cell::Cell;

use serde_json::Map;

use super::*;

type End = Outcome<()>;

fn settings() -> Settings {
    Settings::read(&Map::new(), |_| None).0
}

/// The fate with the whole delay instead of a random part of it.
fn fate(end: &End, tries: u32, settings: &Settings) -> Fate {
    end.fate(tries, settings, |base, cap, n| {
        cap.min(base.saturating_mul(2_u32.saturating_pow(n)))
    })
}

fn why() -> String {
    "why".to_owned()
}

fn failing(retry_after: Option<u64>) -> End {
    Outcome::Failing {
        why: why(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

fn dead(kind: ErrorKind) -> Fate {
    Fate::Dead {
        kind,
        message: why(),
    }
}

/// Every row of the table in docs/architecture.md, at the first try.
#[test]
fn the_outcome_table() {
    let retry = |seconds| Fate::Retry(Duration::from_secs(seconds));
    let rows: [(End, Fate, Signal); 14] = [
        (Outcome::Synced(()), Fate::Done, Signal::Success),
        (Outcome::Skipped(why()), Fate::Done, Signal::Neutral),
        (Outcome::GoneFromStash, Fate::Forget, Signal::Neutral),
        (
            Outcome::Invalid(why()),
            dead(ErrorKind::InvalidScene),
            Signal::Neutral,
        ),
        (Outcome::NotInPlex(why()), retry(30), Signal::Success),
        (
            Outcome::Ambiguous(why()),
            dead(ErrorKind::LowConfidence),
            Signal::Success,
        ),
        (
            Outcome::Refused(why()),
            dead(ErrorKind::PlexRefused),
            Signal::Success,
        ),
        (
            Outcome::Unauthorized(why()),
            Fate::Hold,
            Signal::Trip(TripReason::Unauthorized),
        ),
        (
            Outcome::WrongServer(why()),
            Fate::Hold,
            Signal::Trip(TripReason::WrongServer),
        ),
        (
            Outcome::NoLibrary(why()),
            Fate::Hold,
            Signal::Trip(TripReason::NoLibrary),
        ),
        (Outcome::Unreachable(why()), Fate::Hold, Signal::Failure),
        (
            Outcome::Starting(why()),
            Fate::Hold,
            Signal::Trip(TripReason::Starting),
        ),
        (failing(None), retry(5), Signal::Failure),
        (Outcome::StashAway(why()), Fate::Hold, Signal::Neutral),
    ];
    for (end, job, breaker) in rows {
        assert_eq!(fate(&end, 1, &settings()), job, "{end:?}");
        assert_eq!(end.signal(), breaker, "{end:?}");
    }
}

#[test]
fn missing_items_are_tried_twelve_times_with_growing_waits() {
    let end: End = Outcome::NotInPlex(why());
    let waits: Vec<_> = (1..=12)
        .map(|tries| fate(&end, tries, &settings()))
        .collect();
    for (n, wait) in waits[..11].iter().enumerate() {
        let seconds = (30 << n).min(600);
        assert_eq!(*wait, Fate::Retry(Duration::from_secs(seconds)));
    }
    assert_eq!(waits[11], dead(ErrorKind::NotInPlex));
    let skipping = Settings {
        skip_not_found: true,
        ..settings()
    };
    assert_eq!(fate(&end, 1, &skipping), Fate::Done);
}

#[test]
fn passing_failures_end_after_max_retries_and_heed_retry_after_within_bounds() {
    let four = Settings {
        max_retries: 4,
        ..settings()
    };
    let waits: Vec<_> = (1..=4)
        .map(|tries| fate(&failing(None), tries, &four))
        .collect();
    let seconds = |s| Fate::Retry(Duration::from_secs(s));
    assert_eq!(
        waits,
        [
            seconds(5),
            seconds(10),
            seconds(20),
            dead(ErrorKind::PlexFailing)
        ]
    );
    assert_eq!(fate(&failing(Some(50)), 1, &four), seconds(50));
    assert_eq!(
        fate(&failing(Some(1)), 1, &four),
        seconds(5),
        "a floor, not the wait"
    );
    assert_eq!(fate(&failing(Some(u64::MAX)), 1, &four), seconds(3600));
}

/// An outage of any length spends nothing: what is held is held at the thousandth delivery too.
#[test]
fn held_jobs_are_held_for_ever() {
    let held: [End; 6] = [
        Outcome::Unauthorized(why()),
        Outcome::NoLibrary(why()),
        Outcome::WrongServer(why()),
        Outcome::Unreachable(why()),
        Outcome::Starting(why()),
        Outcome::StashAway(why()),
    ];
    let drawn = Cell::new(0);
    for end in held {
        let fate = end.fate(1000, &settings(), |_, _, _| {
            drawn.set(drawn.get() + 1);
            Duration::ZERO
        });
        assert_eq!(fate, Fate::Hold);
    }
    assert_eq!(drawn.get(), 0);
}
