//! Counts, kept in the transaction that changes them: written once, when it commits.

use rusqlite::{Connection, named_params};

use crate::error::Result;
use crate::job::State;
use crate::statements as sql;

/// By how much a transaction changes each count, and the last id it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    waiting: i64,
    ready: i64,
    running: i64,
    pub(crate) dead: i64,
    pub(crate) done: i64,
    pub(crate) deferred: i64,
    pub(crate) lost: i64,
    pub(crate) superseded: i64,
    pub(crate) last_id: Option<i64>,
}

impl Tally {
    /// A job comes into a state, out of one, or from one to another.
    pub(crate) fn moves(&mut self, from: Option<State>, to: Option<State>) {
        for (state, by) in [(from, -1), (to, 1)] {
            match state {
                Some(State::Waiting) => self.waiting += by,
                Some(State::Ready) => self.ready += by,
                Some(State::Running) => self.running += by,
                None => {}
            }
        }
    }

    /// Many jobs go out of a state at once.
    pub(crate) fn removed(&mut self, from: State, jobs: i64) {
        match from {
            State::Waiting => self.waiting -= jobs,
            State::Ready => self.ready -= jobs,
            State::Running => self.running -= jobs,
        }
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<()> {
        if *self == Self::default() {
            return Ok(());
        }
        connection.prepare_cached(sql::COUNT)?.execute(named_params! {
            ":waiting": self.waiting, ":ready": self.ready, ":running": self.running, ":dead": self.dead, ":done": self.done,
            ":deferred": self.deferred, ":lost": self.lost, ":superseded": self.superseded, ":last_id": self.last_id,
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_there_and_back_counts_nothing() {
        let mut tally = Tally::default();
        for state in [State::Waiting, State::Ready, State::Running] {
            tally.moves(None, Some(state));
            tally.moves(Some(state), Some(State::Running));
            tally.moves(Some(State::Running), None);
        }
        assert_eq!(tally, Tally::default());
    }
}
