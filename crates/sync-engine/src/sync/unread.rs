//! Items of Plex that cannot be read: a worker tells of each once, goes on without them, and takes
//! none for gone.

use std::cell::RefCell;
use std::collections::BTreeSet;

use plex::{FoundItems, Item, RatingKey, Skipped};

use crate::core::words;

/// Those met so far, as a person is told of them.
#[derive(Default)]
pub struct Unread(RefCell<Met>);

#[derive(Default)]
struct Met {
    all: BTreeSet<String>,
    untold: Vec<String>,
}

impl Unread {
    /// Takes note of what an answer holds.
    pub fn note(&self, skipped: &[Skipped]) {
        let mut met = self.0.borrow_mut();
        for name in skipped.iter().map(ToString::to_string) {
            if met.all.insert(name.clone()) {
                met.untold.push(name);
            }
        }
    }

    /// The items of an answer that can be read.
    pub fn readable(&self, found: FoundItems) -> Vec<Item> {
        self.note(&found.skipped);
        found.items
    }

    /// One that may be the item that was not found.
    pub fn any(&self) -> Option<String> {
        self.0.borrow().all.first().cloned()
    }

    /// What was not told yet.
    pub fn news(&self) -> Vec<String> {
        let untold = std::mem::take(&mut self.0.borrow_mut().untold);
        untold.iter().map(|name| words::unreadable(name)).collect()
    }
}

/// Whether an item that was asked for is certainly not in the answer.
pub fn is_gone(found: &FoundItems, item: &str) -> bool {
    let is_other = |key: &RatingKey| key.as_str() != item;
    let mut skipped = found.skipped.iter().map(|one| one.key.as_ref());
    found.items.iter().all(|one| is_other(&one.key)) && skipped.all(|key| key.is_some_and(is_other))
}
