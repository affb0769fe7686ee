//! A store that writes on a thread of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use breaker::{Breaker, Document, Kind, Rules, Store, StoreError, WriteBehind};

/// Writes when it is allowed to, or fails.
struct Slow {
    allowed: Mutex<Receiver<bool>>,
    begun: Mutex<Sender<u32>>,
    written: Written,
}

impl Store for Slow {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        Ok(None)
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        let failures = document.failure_count;
        self.begun.lock().unwrap().send(failures).unwrap();
        // The test may have ended, and allows all.
        if self.allowed.lock().unwrap().recv().unwrap_or(true) {
            self.written.lock().unwrap().push(failures);
            return Ok(());
        }
        Err(StoreError::InUse {
            path: "slow.json".into(),
        })
    }
}

/// What a store has written.
type Written = Arc<Mutex<Vec<u32>>>;

fn slow() -> (Slow, Sender<bool>, Receiver<u32>, Written) {
    let ((allow, allowed), (begin, begun)) = (channel(), channel());
    let written = Written::default();
    let store = Slow {
        allowed: Mutex::new(allowed),
        begun: Mutex::new(begin),
        written: Arc::clone(&written),
    };
    (store, allow, begun, written)
}

#[test]
fn a_call_waits_for_no_write_and_the_newest_document_is_written() {
    let (store, allow, begun, written) = slow();
    let store = WriteBehind::new(store).unwrap();
    let breaker = Breaker::builder(Rules::default()).open(store).unwrap();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(begun.recv(), Ok(1), "the thread hangs in its write");
    for _ in 2..=4 {
        breaker.try_acquire().unwrap().failure(); // would hang too
    }
    assert_eq!(breaker.explain().failures_in_a_row, 4);
    drop(allow);
    drop(breaker); // writes what is left
    assert_eq!(*written.lock().unwrap(), [1, 4]);
}

#[test]
fn a_write_that_failed_is_told_at_the_next_event_and_made_up_for() {
    let (store, allow, begun, written) = slow();
    let store = Arc::new(WriteBehind::new(store).unwrap());
    let breaker = Breaker::builder(Rules::default())
        .open(Kept(Arc::clone(&store)))
        .unwrap();
    allow.send(false).unwrap();
    breaker.try_acquire().unwrap().failure();
    store.flush();
    assert_eq!(breaker.snapshot().store_error, None, "nobody asked yet");
    allow.send(true).unwrap();
    breaker.try_acquire().unwrap().failure();
    let why = breaker.snapshot().store_error.unwrap();
    assert!(why.contains("in use"), "{why}");
    store.flush();
    assert_eq!(*written.lock().unwrap(), [2]);

    allow.send(true).unwrap();
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.snapshot().store_error, None);
    store.flush();
    assert_eq!(
        (breaker.kind(), begun.iter().take(3).collect()),
        (Kind::Closed, vec![1, 2, 0])
    );
}

/// The test keeps a hand on the store.
struct Kept(Arc<WriteBehind<Slow>>);

impl Store for Kept {
    fn load(&self) -> Result<Option<Document>, StoreError> {
        self.0.load()
    }

    fn save(&self, document: &Document) -> Result<(), StoreError> {
        self.0.save(document)
    }
}
