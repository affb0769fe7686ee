//! The edits of several objects that were recorded as a whole, so that the hooks behind the first
//! one know at a glance that there is nothing left to do. They come by the thousand, and to open
//! the database is most of what they would cost.

use std::fs;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::core::change::Edit;
use crate::core::reconcile::unix;
use crate::storage::data_dir::{DataDir, replace_private};

/// As many people as may edit at once.
const KEPT: usize = 8;
/// The hooks of an edit follow each other without a pause; those of ten thousand scenes take half a
/// minute. Should an edit last longer than this, it is recorded once more.
const FRESH: u64 = 600;

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    print: u64,
    /// What the hook was about that recorded the edit. Another one about the same belongs to
    /// another edit like it.
    by: u64,
    /// Unix seconds.
    at: u64,
}

/// The last edits of several that were recorded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Noted(Vec<Entry>);

impl Noted {
    /// What is noted. A file that is not there, or that nobody can read, notes nothing: an edit is
    /// then recorded once more.
    pub fn read(dir: &DataDir) -> Self {
        let text = fs::read(dir.noted()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Whether the edit was recorded by a hook before this one, which is about `id`.
    pub fn has(&self, edit: &Edit, id: u64) -> bool {
        let now = now();
        let is_fresh = |at: u64| now.checked_sub(at).is_some_and(|ago| ago < FRESH);
        let mut its = self.0.iter().filter(|entry| entry.print == edit.print);
        its.any(|entry| is_fresh(entry.at) && entry.by != id)
    }

    /// Notes an edit that is on disk. Of two processes at once one may lose its note.
    pub fn add(mut self, dir: &DataDir, edit: &Edit, id: u64) {
        self.0.retain(|entry| entry.print != edit.print);
        self.0.push(Entry {
            print: edit.print,
            by: id,
            at: now(),
        });
        let old = self.0.len().saturating_sub(KEPT);
        self.0.drain(..old);
        replace_private(&dir.noted(), &self.0);
    }
}

fn now() -> u64 {
    unix(SystemTime::now()).cast_unsigned()
}
