//! Documents that are damaged, out of range or dated in the future.

use super::*;

#[test]
fn nonsense_is_reported_set_aside_and_started_over() {
    for (text, why) in NONSENSE {
        let place = Place::with(text);
        match Report::read(&place.path()) {
            // serde names the value, not the key.
            Report::Corrupted(told) => assert!(
                told.contains(why) || why == "failure_count",
                "{text}: {told}"
            ),
            other => panic!("{text}: {other:?}"),
        }
        fs::write(
            format!("{}.corrupt-1", place.path().display()),
            "an earlier one",
        )
        .unwrap();
        let store = FileStore::open(place.path()).unwrap();
        let aside = store.set_aside().unwrap().to_owned();
        assert_eq!(fs::read_to_string(&aside).unwrap(), text);
        assert!(aside.to_str().unwrap().ends_with(".corrupt-2"));
        let breaker = Breaker::builder(Rules::default()).open(store).unwrap();
        assert_eq!(breaker.kind(), Kind::Closed);

        let place = Place::with(text);
        let breaker = place.shared(Rules::default());
        assert_eq!(breaker.kind(), Kind::Closed);
        trip(&breaker);
        assert_eq!(
            (place.document().state, breaker.snapshot().store_error),
            (Kind::Open, None)
        );
        let aside = format!("{}.corrupt-1", place.path().display());
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
    }
}

#[test]
fn a_folder_in_its_place_is_set_aside_too() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    assert!(matches!(Report::read(&place.path()), Report::Corrupted(_)));
    let breaker = place.owned(Rules::default());
    trip(&breaker);
    assert_eq!(place.document().state, Kind::Open);
}

#[test]
fn numbers_out_of_range_are_bounded() {
    let text = r#"{"state": "open", "opened_at": 1e300, "retry_at": 1e308, "openings": 4294967295,
        "generation": 18446744073709551615, "last_trial": 18446744073709551615}"#;
    let place = Place::with(text);
    let breaker = place.owned(Rules::default());
    assert!(breaker.ready_in().unwrap() <= 60 * SECOND);
    place.clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);

    let place = Place::with(r#"{"state": "open", "opened_at": -5.0, "retry_at": -1e9}"#);
    assert_eq!(
        place.owned(Rules::default()).ready_in(),
        Some(Duration::ZERO)
    );
}

#[test]
fn a_future_dated_opening_waits_at_most_one_interval() {
    let text = r#"{"state": "open", "opened_at": 1764009999.0, "retry_at": 1764010059.0}"#;
    for shared in [false, true] {
        let place = Place::with(text);
        let breaker = if shared {
            place.shared(Rules::default())
        } else {
            place.owned(Rules::default())
        };
        assert!(breaker.try_acquire().is_err());
        place.clock.advance(59 * SECOND);
        assert!(breaker.try_acquire().is_err(), "shared: {shared}");
        place.clock.advance(SECOND);
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.kind(), Kind::Closed);
    }
}

#[test]
fn future_dated_outages_are_bounded() {
    let text = r#"{"state": "closed", "opened_at": null, "recovered_at": 2e12, "outages_since": 1e12,
        "outages": [{"started": 1763999900.0, "ended": 1e12, "reason": "x"},
                    {"started": 1e12, "ended": null, "reason": "y"}]}"#;
    let log = Place::with(text).owned(Rules::default()).snapshot().outages;
    let times: Vec<_> = log
        .outages()
        .map(|outage| (outage.started, outage.ended))
        .collect();
    let hundred_seconds_ago = Time::from_unix_seconds(1_763_999_900.0);
    assert_eq!(
        times,
        [(hundred_seconds_ago, Some(START)), (START, Some(START))]
    );
    assert_eq!(
        (log.since(), log.figures(START).downtime),
        (START, 100 * SECOND)
    );
}
