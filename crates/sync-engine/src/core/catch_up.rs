//! Looking for changes of which Stash told no plugin: a merge of scenes, an auto tag, a generated
//! cover.
//!
//! Stash is asked for the scenes whose `updated_at` is about as new as the last look, and each that
//! is not what it was when it was read is queued. What `updated_at` does not show, a reconciliation
//! finds by content.

use std::time::SystemTime;

use crate::core::reconcile::unix;

/// Stash's clock may be behind ours, by a wrong time zone too, so that a change after the last look
/// seems to be from before it.
const OVERLAP: i64 = 26 * 3600;
/// Stash counts whole seconds, and its clock and ours are read at two moments.
const SAME_TIME: u64 = 2;

/// What a scene was when it was read: its `updated_at`, unless it may have changed again within the
/// same second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(Option<i64>);

impl Stamp {
    /// Of a scene with this `updated_at` in Unix seconds, for which Stash was asked at this time.
    pub fn new(updated_at: i64, asked: SystemTime) -> Self {
        Self(Some(updated_at).filter(|at| at.abs_diff(unix(asked)) >= SAME_TIME))
    }

    /// Whether a scene with this `updated_at` is what it was.
    pub fn is_same(self, updated_at: i64) -> bool {
        self.0 == Some(updated_at)
    }

    /// From what was stored.
    pub fn stored(number: i64) -> Self {
        Self(Some(number).filter(|number| *number != 0))
    }

    /// As it is stored.
    pub fn to_store(self) -> i64 {
        self.0.unwrap_or_default()
    }
}

/// From when on changes are to be looked at, in Unix seconds, if the last complete look began then;
/// `None` for all of them.
pub fn since(last: i64, now: SystemTime) -> Option<i64> {
    // A look from the future was before the clock was set back.
    Some(last.min(unix(now)) - OVERLAP).filter(|_| last > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reconcile::time;

    #[test]
    fn a_scene_read_in_the_second_of_its_change_may_have_changed_again() {
        for (updated_at, asked, sure) in [
            (1000, 1000, false),
            (1000, 1001, false),
            (1001, 1000, false),
            (1000, 1002, true),
            // The clocks differ.
            (1002, 1000, true),
        ] {
            let stamp = Stamp::new(updated_at, time(asked));
            assert_eq!(stamp.is_same(updated_at), sure, "{updated_at} at {asked}");
            assert_eq!(Stamp::stored(stamp.to_store()), stamp);
            assert!(!stamp.is_same(updated_at + 1));
        }
    }

    #[test]
    fn looks_overlap() {
        assert_eq!(since(0, time(500_000)), None);
        assert_eq!(since(400_000, time(500_000)), Some(400_000 - OVERLAP));
        // The clock was set back.
        assert_eq!(since(600_000, time(500_000)), Some(500_000 - OVERLAP));
    }
}
