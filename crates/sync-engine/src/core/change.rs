//! What somebody changed in Stash.

use crate::core::job::Job;

/// What is to be recorded of one changed object.
pub struct Change {
    /// The object's id.
    pub id: u64,
    /// What is to be done about it.
    pub job: Job,
    /// The edit of several that it is one of.
    pub edit: Option<Edit>,
}

/// An edit of several objects at once. Stash commits it, then tells of each object, one after the
/// other, and of none any more once the browser has gone away: the first word of it may be the
/// last.
pub struct Edit {
    /// Tells it from other edits; the same for each of its objects.
    pub print: u64,
    /// The jobs of all its objects, asked for only when they are needed.
    pub jobs: Box<dyn Fn() -> Vec<Job>>,
}
