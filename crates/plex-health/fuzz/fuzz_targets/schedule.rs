//! Any file as a schedule.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use plex_health::Schedule;

fuzz_target!(|json: &[u8]| {
    let Ok(mut schedule) = serde_json::from_slice::<Schedule>(json) else {
        return;
    };
    let now = SystemTime::now();
    assert_eq!(schedule.due(now), schedule.next_at(now) == now);
    schedule.failed(now, |exponent| Duration::from_secs(exponent.into()));
    schedule.passed(now);
    assert!(!schedule.due(now));
});
