//! A file named without its folder. Alone in its program, since it changes the working directory.
#![allow(clippy::unwrap_used)]

use breaker::{Breaker, FileStore, Report, Rules, SharedFileStore, machine::Kind};

#[test]
fn a_name_without_a_folder_is_a_file_here() {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let rules = || Rules::default().consecutive_failures(1);
    let owned = Breaker::builder(rules()).open(FileStore::open("owned.json").unwrap());
    let shared =
        Breaker::builder(rules()).open_shared(SharedFileStore::open("shared.json").unwrap());
    for (breaker, name) in [
        (owned.unwrap(), "owned.json"),
        (shared.unwrap(), "shared.json"),
    ] {
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.snapshot().store_error, None);
        let Report::Known(document) = Report::read(&folder.path().join(name)) else {
            unreachable!("{name} was written");
        };
        assert_eq!(document.state, Kind::Open);
    }
    // Windows does not remove a folder one is in.
    std::env::set_current_dir(std::env::temp_dir()).unwrap();
}
