//! What a plan is sent with, and what of it an item does not take.

use std::cell::Cell;

use scene_sync::{LastWritten, Part};
use tokio::sync::MutexGuard;

use crate::core::client_errors::may_pass;
use crate::sync::find::Target;
use crate::sync::syncer::Syncer;

/// What a plan is sent with.
pub struct Writer<'a> {
    pub syncer: &'a Syncer,
    pub target: &'a Target,
    /// As it was before.
    pub item: &'a plex::Item,
    /// What is on record of it.
    pub last: Option<&'a LastWritten>,
    /// Now, in milliseconds since 1970.
    pub at: i64,
    /// The place of the one who writes next, until the turn has come.
    pub next: Cell<Option<MutexGuard<'a, ()>>>,
    /// Whether the item is still the scene's; asked before each request that changes it.
    pub may_send: &'a dyn Fn() -> bool,
}

/// A part that the item does not take.
pub struct Refused {
    pub part: Part,
    pub version: String,
    /// The answer, in words.
    pub why: String,
    /// It may take the same later.
    pub passes: bool,
}

impl Refused {
    /// Of this version, with this answer.
    pub fn new(part: Part, version: String, why: &plex::Error) -> Self {
        Self {
            part,
            version,
            passes: may_pass(why),
            why: why.to_string(),
        }
    }
}
