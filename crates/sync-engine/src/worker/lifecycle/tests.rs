use std::sync::Arc;

use queue::{ManualClock, NewJob};
use serde_json::json;

use super::*;
use crate::core::scheduler::IN_FLIGHT;
use crate::core::settings::Settings;

/// With the longest timeout there is, and every answer just within it.
#[test]
fn a_claim_outlasts_the_slowest_job() {
    let map = json!({"read_timeout": 1e9});
    let (settings, _) = Settings::read(map.as_object().unwrap(), |_| None);
    // An edit, a rating, two pictures, and three lists that are mended one by one; one write at a
    // time.
    let last_of_many = settings.read_timeout * 7 * IN_FLIGHT as u32;
    // A hundred thousand items, five hundred on a page.
    let listing = settings.read_timeout * 200;
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let open = || {
        let options = Options::consumer().lease(LEASE).clock(clock.clone());
        Queue::<Job>::open(folder.path().join("queue.db"), options).unwrap()
    };
    let (mut queue, mut other) = (open(), open());
    for slow in [last_of_many, listing] {
        let job = Job::Scene {
            id: 1,
            force: false,
        };
        queue.enqueue(NewJob::new(job)).unwrap();
        let claim = queue.claim(1).unwrap().pop().unwrap();
        clock.advance(slow);
        assert!(other.claim(1).unwrap().is_empty(), "done twice: {slow:?}");
        queue.done(claim).unwrap();
    }
}
