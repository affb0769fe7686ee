//! A disk that does not take what it is given.

use super::*;

/// A store that fails when told to.
struct Flaky {
    fails: Arc<AtomicBool>,
    store: FileStore,
}

impl Store for Flaky {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        self.store.load()
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        match self.fails.load(Ordering::SeqCst) {
            true => Err(StoreError::InUse {
                path: "full disk".into(),
            }),
            false => self.store.save(document),
        }
    }
}

#[test]
fn a_store_that_fails_loses_nothing_but_durability() {
    let place = Place::new();
    let fails = Arc::new(AtomicBool::new(true));
    let store = Flaky {
        fails: Arc::clone(&fails),
        store: FileStore::open(place.path()).unwrap(),
    };
    let breaker = Breaker::builder(Rules::default()).open(store).unwrap();
    trip(&breaker);
    assert_eq!(breaker.kind(), Kind::Open);
    assert!(
        breaker
            .snapshot()
            .store_error
            .unwrap()
            .contains("full disk")
    );

    // The next event saves what is missing, though it changes nothing itself.
    fails.store(false, Ordering::SeqCst);
    breaker.enable();
    assert_eq!(breaker.snapshot().store_error, None);
    assert_eq!(place.document().state, Kind::Open);
}
