//! The wish for a look at what changed. A page of Stash expresses it, now and then and from each
//! open tab, and so do a person's tasks; the worker grants it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue::{Options, Queue};
use rusqlite::Connection;

use crate::core::job::Job;
use crate::storage::data_dir::DataDir;
use crate::storage::meta;

/// When somebody last wished for it, in Unix seconds. It stays there: a look that began later
/// grants it.
const WANTED: &str = "catch_up_wanted";

/// A page waits for the answer, and will ask again.
const PATIENCE: Duration = Duration::from_secs(1);

/// When somebody last wished for it.
///
/// # Errors
/// The database cannot be read.
pub fn wanted(db: &Connection) -> rusqlite::Result<Option<SystemTime>> {
    let text = meta::get_early(db, WANTED)?;
    let seconds = text.and_then(|text| text.parse().ok());
    Ok(seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// Notes a person's wish for whatever worker there is. What cannot be noted now is granted with the
/// next look, which comes anyway.
pub fn note(dir: &DataDir) {
    let _ = wish(dir, Duration::from_secs(1));
}

/// Whether the last wish is longer ago than those that are granted together.
pub fn wish(dir: &DataDir, together: Duration) -> Result<bool, Box<dyn std::error::Error>> {
    let options = Options::producer().busy_timeout(PATIENCE);
    let mut queue = Queue::<Job>::open(dir.database(), options)?;
    let now = SystemTime::now();
    let is_new = |last: SystemTime| now.duration_since(last).is_ok_and(|ago| ago >= together);
    // A wish from the future was made before the clock was set back.
    if wanted(queue.sql())?.is_some_and(|last| !is_new(last) && last <= now) {
        return Ok(false);
    }
    let seconds = now.duration_since(UNIX_EPOCH)?.as_secs().to_string();
    queue.transaction(|tx| -> queue::Result<_> {
        meta::create(tx.sql())?;
        Ok(meta::set(tx.sql(), WANTED, &seconds)?)
    })?;
    Ok(true)
}
