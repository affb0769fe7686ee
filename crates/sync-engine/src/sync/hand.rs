//! What becomes of a scene's plans.

use std::cell::RefCell;
use std::collections::HashMap;

/// What becomes of a scene's plans.
#[derive(Clone, Copy)]
pub enum Hand<'a> {
    /// They are carried out, and the ledger follows.
    Writes,
    /// They are only told of. Neither Plex nor the ledger changes.
    Compares(&'a Taken),
}

/// Which items the scenes would own that were compared so far: some hundred bytes for each.
#[derive(Default)]
pub struct Taken(RefCell<HashMap<String, u64>>);

impl Taken {
    /// The scene that would own the item by now.
    pub fn owner(&self, item: &str) -> Option<u64> {
        self.0.borrow().get(item).copied()
    }

    /// Has a scene take an item, unless its owner is another by now than when the scene looked.
    pub fn take(&self, item: &str, scene: u64, before: Option<u64>) -> bool {
        let mut owners = self.0.borrow_mut();
        if owners.get(item).copied() != before {
            return false;
        }
        owners.insert(item.to_owned(), scene);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looked_before_another_took_it_looks_again() {
        let taken = Taken::default();
        let before = taken.owner("7");
        assert!(taken.take("7", 1, before));
        assert!(!taken.take("7", 2, before));
        assert_eq!(taken.owner("7"), Some(1));
        // One that beats the owner, or the owner itself.
        assert!(taken.take("7", 2, Some(1)));
        assert!(taken.take("7", 2, Some(2)));
    }
}
