//! A handle that a forked child inherits: the child writes nothing with it, and says why.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use breaker::{
    Breaker, Document, FakeClock, FileStore, Kind, Rules, SharedFileStore, SharedStore, Store,
    StoreError, Time,
};
use fork::Fork;

/// Runs `child` in a forked process.
fn forked(child: impl FnOnce()) {
    match fork::fork().unwrap() {
        Fork::Parent(child) => assert_eq!(fork::waitpid(child).unwrap(), 0, "see its panic above"),
        Fork::Child => {
            let failed = catch_unwind(AssertUnwindSafe(child)).is_err();
            std::process::exit(failed.into());
        }
    }
}

/// One test, so that the process that forks has no other threads at work.
#[test]
fn a_forked_child_writes_nothing_with_its_parents_handle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("owned.json");
    let store = FileStore::open(&path).unwrap();
    owner_goes_on(&path, |clock| {
        Breaker::builder(Rules::default())
            .clock(clock)
            .open(store)
            .unwrap()
    });
    let path = folder.path().join("shared.json");
    let store = SharedFileStore::open(&path).unwrap();
    owner_goes_on(&path, |clock| {
        Breaker::builder(Rules::default())
            .clock(clock)
            .open_shared(store)
            .unwrap()
    });
    the_error_is_typed(folder.path());
}

fn owner_goes_on(path: &Path, open: impl FnOnce(Arc<FakeClock>) -> Breaker) {
    let clock = Arc::new(FakeClock::at(Time::from_unix_seconds(1_764_000_000.0)));
    let breaker = open(Arc::clone(&clock));
    breaker.try_acquire().unwrap().trip("down");
    clock.advance(Duration::from_secs(60));
    let mut trial = Some(breaker.try_acquire().unwrap());
    let written = fs::read_to_string(path).unwrap();
    forked(|| {
        drop(trial.take()); // as the end of a child's main does
        breaker.force_open("by the child");
        let why = breaker.snapshot().store_error.unwrap();
        assert!(why.contains("another process"), "{why}");
    });
    assert_eq!(fs::read_to_string(path).unwrap(), written);
    trial.take().unwrap().success();
    assert_eq!(breaker.kind(), Kind::Closed);
    let document = Document::parse(&fs::read(path).unwrap()).unwrap();
    assert_eq!(document.state, Kind::Closed);
}

fn the_error_is_typed(folder: &Path) {
    let owned = FileStore::open(folder.join("a.json")).unwrap();
    let shared = SharedFileStore::open(folder.join("b.json")).unwrap();
    let document = Document::parse(br#"{"state": "closed"}"#).unwrap();
    forked(|| {
        let saved = owned.save(&document);
        assert!(matches!(saved, Err(StoreError::Forked { .. })), "{saved:?}");
        let updated = shared.update(&mut |_| Some(document.clone()));
        assert!(
            matches!(updated, Err(StoreError::Forked { .. })),
            "{updated:?}"
        );
        // What it opens itself is its own.
        let own = SharedFileStore::open(folder.join("b.json")).unwrap();
        own.update(&mut |_| Some(document.clone())).unwrap();
    });
    assert!(!folder.join("a.json").exists());
    owned.save(&document).unwrap();
}
