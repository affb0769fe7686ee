use serde_json::Map;

use super::*;

type End = Outcome<()>;

fn settings() -> Settings {
    Settings::read(&Map::new(), |_| None).0
}

/// The fate with the whole delay instead of a random part of it.
fn fate(end: &End, tries: u32, settings: &Settings) -> Fate {
    super::fate(end, tries, settings, |base, cap, n| {
        cap.min(base.saturating_mul(2_u32.saturating_pow(n)))
    })
}

fn failed(whose: Whose) -> End {
    Err(Failure::new(whose, "why"))
}

fn fault(kind: FaultKind) -> Fault {
    Fault {
        kind,
        retry_after: None,
        personal: false,
    }
}

fn failing(retry_after: Option<u64>) -> End {
    failed(Whose::Request(Fault {
        retry_after: retry_after.map(Duration::from_secs),
        ..fault(FaultKind::Failing)
    }))
}

fn dead(kind: ErrorKind) -> Fate {
    let message = "why".to_owned();
    Fate::Dead { kind, message }
}

fn seconds(seconds: u64) -> Fate {
    Fate::Retry(Duration::from_secs(seconds))
}

const HELD: [Whose; 6] = [
    Whose::Plex(Trouble::Unauthorized),
    Whose::Plex(Trouble::NoLibrary),
    Whose::Plex(Trouble::WrongServer),
    Whose::Plex(Trouble::Unreachable),
    Whose::Plex(Trouble::Starting),
    Whose::Stash,
];

/// Every row of the table in docs/architecture.md, at the first try.
#[test]
fn the_outcome_table() {
    use FaultKind::{Failing, Refused, Rejected as NotTaken};
    use SceneFault::{Ambiguous, Invalid, NotInPlex, Rejected, Unreadable};
    let trip = Signal::Trip;
    let rows: [(End, Fate, Signal); 18] = [
        (Ok(Done::Synced(())), Fate::Done, Signal::Success),
        (
            Ok(Done::Skipped(String::new())),
            Fate::Done,
            Signal::Neutral,
        ),
        (Ok(Done::GoneFromStash), Fate::Forget, Signal::Neutral),
        (
            failed(Whose::Scene(Invalid)),
            dead(ErrorKind::InvalidScene),
            Signal::Neutral,
        ),
        (
            failed(Whose::Scene(NotInPlex)),
            seconds(30),
            Signal::Success,
        ),
        (
            failed(Whose::Scene(Ambiguous)),
            dead(ErrorKind::LowConfidence),
            Signal::Success,
        ),
        (
            failed(Whose::Scene(Rejected)),
            dead(ErrorKind::PlexRefused),
            Signal::Success,
        ),
        (
            failed(Whose::Scene(Unreadable)),
            dead(ErrorKind::UnreadableItem),
            Signal::Success,
        ),
        (failed(HELD[0]), Fate::Hold, trip(TripReason::Unauthorized)),
        (failed(HELD[1]), Fate::Hold, trip(TripReason::NoLibrary)),
        (failed(HELD[2]), Fate::Hold, trip(TripReason::WrongServer)),
        (failed(HELD[3]), Fate::Hold, Signal::Failure),
        (failed(HELD[4]), Fate::Hold, trip(TripReason::Starting)),
        (failed(HELD[5]), Fate::Hold, Signal::Neutral),
        (
            failed(Whose::Request(fault(Failing))),
            seconds(5),
            Signal::Failure,
        ),
        (
            failed(Whose::Request(fault(Refused))),
            seconds(5),
            Signal::Failure,
        ),
        (
            failed(Whose::Request(fault(NotTaken))),
            seconds(5),
            Signal::Failure,
        ),
        (
            failed(Whose::Request(Fault {
                personal: true,
                ..fault(NotTaken)
            })),
            dead(ErrorKind::PlexRefused),
            Signal::Success,
        ),
    ];
    for (end, job, breaker) in rows {
        assert_eq!(fate(&end, 1, &settings()), job, "{end:?}");
        assert_eq!(signal(&end, || true), breaker, "{end:?}");
    }
}

#[test]
fn one_job_that_fails_again_and_again_says_nothing_about_plex() {
    for kind in [FaultKind::Failing, FaultKind::Refused] {
        let end = failed(Whose::Request(fault(kind)));
        assert_eq!(signal(&end, || false), Signal::Neutral);
    }
    // Nor do any number of jobs whose words a filter refuses.
    let personal = failed(Whose::Doubtful(fault(FaultKind::Refused)))
        .map_err(|failure| failure.of_personal_request().judged(Ok(())));
    assert_eq!(signal(&personal, || panic!("not asked")), Signal::Neutral);
}

#[test]
fn the_probe_tells_whose_fault_it_is() {
    let doubtful = Failure::new(Whose::Doubtful(fault(FaultKind::Refused)), "HTTP 403");
    let server = Failure::new(Whose::Plex(Trouble::Unauthorized), "HTTP 401");
    assert_eq!(doubtful.clone().judged(Err(server.clone())), server);
    let own = doubtful.judged(Ok(()));
    assert_eq!(own.whose, Whose::Request(fault(FaultKind::Refused)));
    // What is certain stays so.
    assert_eq!(own.clone().judged(Err(server)), own);
}

#[test]
fn a_request_that_is_refused_by_its_own_fault_is_tried_three_times() {
    let end = failed(Whose::Request(fault(FaultKind::Refused)));
    let fates: Vec<_> = (1..=3)
        .map(|tries| fate(&end, tries, &settings()))
        .collect();
    assert_eq!(
        fates,
        [seconds(5), seconds(10), dead(ErrorKind::PlexRefused)]
    );
}

#[test]
fn missing_items_are_tried_twelve_times_with_growing_waits() {
    let end = failed(Whose::Scene(SceneFault::NotInPlex));
    let waits: Vec<_> = (1..=12)
        .map(|tries| fate(&end, tries, &settings()))
        .collect();
    for (n, wait) in waits[..11].iter().enumerate() {
        assert_eq!(*wait, seconds((30 << n).min(600)));
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
    let dead = dead(ErrorKind::PlexFailing);
    assert_eq!(waits, [seconds(5), seconds(10), seconds(20), dead]);
    assert_eq!(fate(&failing(Some(50)), 1, &four), seconds(50));
    let floor = fate(&failing(Some(1)), 1, &four);
    assert_eq!(floor, seconds(5), "a floor, not the wait");
    assert_eq!(fate(&failing(Some(u64::MAX)), 1, &four), seconds(3600));
}

/// An outage of any length spends nothing: what is held is held at the thousandth delivery too.
#[test]
fn held_jobs_are_held_for_ever() {
    for whose in HELD {
        let fate = super::fate(&failed(whose), 1000, &settings(), |_, _, _| {
            panic!("no wait is drawn")
        });
        assert_eq!(fate, Fate::Hold);
    }
}
