//! A page of Stash asks for a look at what changed.

use std::time::Duration;

use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::start::{self, Start};
use crate::storage::catch_up;
use crate::storage::data_dir::DataDir;

/// Other tabs of the same browser ask at the same time.
const TOGETHER: Duration = Duration::from_secs(60);

/// Notes the wish and makes sure that a worker lives, unless the last one was just now. Never an
/// error: nobody asked for anything, so nothing is to stand in Stash's log.
pub fn want(connection: &ServerConnection) -> Value {
    let dir = DataDir::locate(&connection.dir);
    // Before the first change there is nothing to catch up with, and no worker is started for
    // somebody who opened a page.
    if !dir.database().exists() {
        return json!({"catch_up": "nothing_yet"});
    }
    let wished = catch_up::wish(&dir, TOGETHER).and_then(|is_new| {
        match is_new {
            true => start::ensure_worker(&dir, connection, Start::IfUseful).map(drop)?,
            false => start::ensure_work_goes_on(&dir, connection)?,
        }
        Ok(is_new)
    });
    match wished {
        Ok(true) => json!({"catch_up": "wanted"}),
        Ok(false) => json!({"catch_up": "asked_already"}),
        Err(why) => json!({"catch_up": "failed", "why": why.to_string()}),
    }
}
