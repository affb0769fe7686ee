//! The client identifier and its file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::HashSet, fs, sync::Barrier, thread};

use plex::client_identifier;

#[test]
fn it_is_a_version_4_uuid_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client-identifier");
    let first = client_identifier(&path, || [0xff; 16]).unwrap();
    assert_eq!(first, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(client_identifier(&path, || [0; 16]).unwrap(), first);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no leftovers"
    );
}

#[test]
fn a_damaged_file_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client-identifier");
    for damage in [
        &b""[..],
        b"fffffff",
        &[0xff; 36],
        b"gfffffff-ffff-4fff-bfff-ffffffffffff",
    ] {
        fs::write(&path, damage).unwrap();
        let made = client_identifier(&path, || [1; 16]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), made);
    }
}

#[test]
fn all_that_make_it_at_once_get_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(format!("identifier-{round}"));
        let barrier = Barrier::new(8);
        let made: HashSet<String> = thread::scope(|scope| {
            let make = |n| {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    client_identifier(path, || [n; 16]).unwrap()
                })
            };
            let threads: Vec<_> = (0..8).map(make).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(made.len(), 1, "{made:?}");
    }
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/client-identifier");
    assert!(client_identifier(&path, || [0; 16]).is_err());
}
