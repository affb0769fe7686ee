//! Counts, kept in the transaction that changes them: written once, when it commits.

use rusqlite::{Connection, params_from_iter};

use crate::error::Result;
use crate::job::State;
use crate::schema::VERSION;

/// By how much a transaction changes each count, and the last id it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    /// By [`State`].
    live: [i64; 3],
    pub(crate) dead: i64,
    pub(crate) done: i64,
    pub(crate) deferred: i64,
    pub(crate) lost: i64,
    pub(crate) superseded: i64,
    pub(crate) last_id: Option<i64>,
}

impl Counters {
    /// A job comes into a state, out of one, or from one to another.
    pub(crate) fn moves(&mut self, from: Option<State>, to: Option<State>) {
        for (state, by) in [(from, -1), (to, 1)] {
            if let Some(state) = state {
                self.live[state as usize] += by;
            }
        }
    }

    /// Many jobs go out of a state at once.
    pub(crate) fn removed(&mut self, from: State, jobs: i64) {
        self.live[from as usize] -= jobs;
    }

    /// Whether there was something to write, in a file that this program may write.
    pub(crate) fn write(&self, connection: &Connection) -> Result<bool> {
        if *self == Self::default() {
            return Ok(false);
        }
        let (statement, values) = self.statement();
        let mut update = connection.prepare_cached(&statement)?;
        Ok(update.execute(params_from_iter(values))? > 0)
    }

    /// Names only what changes: a short-lived process compiles it each time.
    pub(crate) fn statement(&self) -> (String, Vec<i64>) {
        let [waiting, ready, running] = self.live;
        let changes = [
            ("waiting = waiting + ?", waiting),
            ("ready = ready + ?", ready),
            ("running = running + ?", running),
            ("dead = dead + ?", self.dead),
            ("done = done + ?", self.done),
            ("deferred = deferred + ?", self.deferred),
            ("lost = lost + ?", self.lost),
            ("superseded = superseded + ?", self.superseded),
        ];
        let changes = changes.into_iter().filter(|(_, by)| *by != 0);
        let last_id = self.last_id.map(|id| ("last_id = ?", id));
        let (sets, values): (Vec<&str>, _) = changes.chain(last_id).unzip();
        // A row that is named needs no copy of its page, to which a statement of many rows goes
        // back.
        let statement = format!(
            "UPDATE queue_meta SET {} WHERE id = 1 AND min_version <= {VERSION}",
            sets.join(", ")
        );
        (statement, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_there_and_back_counts_nothing() {
        let mut tally = Counters::default();
        for state in [State::Waiting, State::Ready, State::Running] {
            tally.moves(None, Some(state));
            tally.moves(Some(state), Some(State::Running));
            tally.moves(Some(State::Running), None);
        }
        assert_eq!(tally, Counters::default());
    }

    #[test]
    fn only_what_changes_is_written() {
        let mut tally = Counters::default();
        tally.moves(None, Some(State::Ready));
        tally.last_id = Some(7);
        let (statement, values) = tally.statement();
        let sql = "UPDATE queue_meta SET ready = ready + ?, last_id = ? WHERE id = 1 AND";
        assert!(statement.starts_with(sql), "{statement}");
        assert_eq!(values, [1, 7]);
    }
}
