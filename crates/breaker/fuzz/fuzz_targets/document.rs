//! Any bytes for a document: no panic, a circuit that recovers, and a document that reads back as
//! it was written.
#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use breaker::{Breaker, Document, FakeClock, Kind, Rate, Rules, Store, StoreError, Time};
use libfuzzer_sys::fuzz_target;

struct Memory(Arc<Mutex<Document>>);

impl Store for Memory {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        let text = serde_json::to_vec(document).unwrap();
        assert_eq!(Document::parse(&text).as_ref(), Ok(document));
        *self.0.lock().unwrap() = document.clone();
        Ok(())
    }
}

fuzz_target!(|text: &[u8]| {
    let Ok(document) = Document::parse(text) else { return };
    let clock = Arc::new(FakeClock::at(Time::from_unix_seconds(1_764_000_000.0)));
    let rules = Rules::default().rate(Rate::over_time(Duration::from_secs(30)));
    let store = Memory(Arc::new(Mutex::new(document)));
    let breaker = Breaker::builder(rules).clock(Arc::clone(&clock)).open(store).unwrap();
    let _ = breaker.snapshot().outages.figures(Time::MAX);
    breaker.enable();
    if breaker.kind() == Kind::ForcedOpen {
        breaker.reset();
    }
    clock.advance(Duration::from_secs(60));
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
    breaker.try_acquire().unwrap().trip("again");
    assert!(breaker.try_acquire().is_err());
});
