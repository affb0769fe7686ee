//! What a person has done of a first run, beside the settings.

use std::time::Duration;

use queue::{Options, Queue};
use rusqlite::{Connection, Result};

use crate::core::first_run::Done;
use crate::core::job::Job;
use crate::storage::data_dir::DataDir;
use crate::storage::ledger::{self, Total};
use crate::storage::notices::{self, Topic};
use crate::storage::{meta, plex_server};

const PATHS_AGREE: &str = "first_run_paths_agree";
const COMPARED: &str = "first_run_compared";

/// A task that somebody waits for does not wait long to note that it was run.
const PATIENCE: Duration = Duration::from_secs(2);

/// A task that was run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Find Path Map, with nothing to propose or something.
    ForPaths {
        /// Nothing.
        agree: bool,
    },
    /// Compare Only.
    AtAll,
}

/// What was done so far.
///
/// # Errors
/// The database cannot be read.
pub fn done(db: &Connection) -> Result<Done> {
    let is_set = |key| Ok::<_, rusqlite::Error>(meta::get_early(db, key)?.as_deref() == Some("1"));
    let (agree, compared) = (is_set(PATHS_AGREE)?, is_set(COMPARED)?);
    let (mut found, mut consent) = (false, false);
    if ledger::is_made(db)? {
        found = ledger::total(db, Total::Synced)? > 0 && ledger::path_hints(db)?.is_empty();
        if let Some(server) = plex_server::last(db)? {
            consent = ledger::has_consent(db, ledger::on_record(db, &server)?)?;
        }
    }
    Ok(Done {
        paths_agree: agree || found,
        compared,
        consent,
    })
}

/// Whether no worker has ever begun here.
///
/// # Errors
/// The database cannot be read.
pub fn is_untouched(db: &Connection) -> Result<bool> {
    Ok(!ledger::is_made(db)?)
}

/// Notes that a task was run. What cannot be noted costs a person the advice to run it again.
pub fn note(dir: &DataDir, looked: Looked) {
    let options = Options::producer().busy_timeout(PATIENCE);
    let Ok(mut queue) = Queue::<Job>::open(dir.database(), options) else {
        return;
    };
    let _ = queue.transaction(|tx| -> queue::Result<_> {
        let db = tx.sql();
        meta::create(db)?;
        match looked {
            Looked::ForPaths { agree: true } => meta::set(db, PATHS_AGREE, "1"),
            Looked::ForPaths { agree: false } => meta::set(db, PATHS_AGREE, "0"),
            Looked::AtAll => meta::set(db, COMPARED, "1"),
        }?;
        // What the worker said of the step before is no longer so.
        Ok(notices::clear(db, Topic::NextStep)?)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_was_done_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let dir = DataDir::create(dir.path()).unwrap();
        let read = || {
            let queue = Queue::<Job>::open(dir.database(), Options::inspector()).unwrap();
            done(queue.sql()).unwrap()
        };
        let mut known = Done::default();
        note(&dir, Looked::ForPaths { agree: false });
        assert_eq!(read(), known, "before any worker");
        note(&dir, Looked::ForPaths { agree: true });
        known.paths_agree = true;
        assert_eq!(read(), known);
        note(&dir, Looked::AtAll);
        known.compared = true;
        assert_eq!(read(), known);
        note(&dir, Looked::ForPaths { agree: false });
        known.paths_agree = false;

        let queue = Queue::<Job>::open(dir.database(), Options::producer()).unwrap();
        let db = queue.sql();
        assert!(is_untouched(db).unwrap());
        ledger::create(db).unwrap();
        assert!(!is_untouched(db).unwrap());
        assert_eq!(read(), known);
        // A scene was found by its path; one that was found without it shows that a rule is
        // missing.
        ledger::count(db, Total::Synced).unwrap();
        known.paths_agree = true;
        assert_eq!(read(), known);
        ledger::hint_path(db, 1, Some("/a=>/b")).unwrap();
        known.paths_agree = false;
        assert_eq!(read(), known);
        // Consent is given for one server.
        plex_server::recognise(db, "http://a", "one").unwrap();
        assert_eq!(read(), known);
        ledger::consent(db, ledger::server(db, "one").unwrap()).unwrap();
        known.consent = true;
        assert_eq!(read(), known);
        plex_server::recognise(db, "http://a", "two").unwrap();
        known.consent = false;
        assert_eq!(read(), known);
    }
}
