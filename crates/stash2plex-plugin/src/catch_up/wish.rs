//! The wish for a look. A page of Stash expresses it, now and then and from each open tab, and so do a person's tasks; the
//! worker grants it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue::{Options, Queue};
use rusqlite::Connection;
use serde_json::{Value, json};
use stash::protocol::ServerConnection;

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::ledger;
use crate::spawn::{self, Start};

/// When somebody last wished for it, in Unix seconds. It stays there: a look that began later grants it.
const WANTED: &str = "catch_up_wanted";

/// Other tabs of the same browser ask at the same time.
const TOGETHER: Duration = Duration::from_secs(60);
/// A page waits for the answer, and will ask again.
const PATIENCE: Duration = Duration::from_secs(1);

/// When somebody last wished for it.
///
/// # Errors
/// The database cannot be read.
pub fn wanted(db: &Connection) -> rusqlite::Result<Option<SystemTime>> {
    let text = ledger::early_meta(db, WANTED)?;
    let seconds = text.and_then(|text| text.parse().ok());
    Ok(seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// Notes the wish and makes sure that a worker lives, unless the last one was just now. Never an error: nobody asked for
/// anything, so nothing is to stand in Stash's log.
pub fn want(connection: &ServerConnection) -> Value {
    let dir = DataDir::locate(&connection.dir);
    // Before the first change there is nothing to catch up with, and no worker is started for somebody who opened a page.
    if !dir.database().exists() {
        return json!({"catch_up": "nothing_yet"});
    }
    let wished = wish(&dir, TOGETHER).and_then(|is_new| {
        if is_new {
            spawn::ensure_worker(&dir, connection, Start::IfUseful)?;
        }
        Ok(is_new)
    });
    match wished {
        Ok(true) => json!({"catch_up": "wanted"}),
        Ok(false) => json!({"catch_up": "asked_already"}),
        Err(why) => json!({"catch_up": "failed", "why": why.to_string()}),
    }
}

/// Notes a person's wish for whatever worker there is. What cannot be noted now is granted with the next look, which comes
/// anyway.
pub fn note(dir: &DataDir) {
    let _ = wish(dir, Duration::from_secs(1));
}

/// Whether the last wish is longer ago than those that are granted together.
fn wish(dir: &DataDir, together: Duration) -> Result<bool, Box<dyn std::error::Error>> {
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
        ledger::create_meta(tx.sql())?;
        Ok(ledger::set_meta(tx.sql(), WANTED, &seconds)?)
    })?;
    Ok(true)
}
