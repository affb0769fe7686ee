//! The right to run one call.

use std::borrow::Borrow;

use crate::breaker::Breaker;
use crate::machine::{Outcome, Ticket};
use crate::reason::Reason;
use crate::time::Time;

/// The right to run one call, and the duty to say how it ended.
///
/// Dropped without a word it counts as cancelled, or as panicked while the thread unwinds. What it
/// says is fenced: it counts only in the generation of the circuit that admitted it and, for a
/// trial, within its lease.
#[must_use = "a permit dropped at once counts as a cancelled call"]
pub struct Permit<B: Borrow<Breaker>> {
    breaker: B,
    ticket: Ticket,
    /// Whether the outcome is still to be reported. Beside the ticket rather than around it: so it
    /// stays in registers.
    owed: bool,
    started: Option<Time>,
}

impl<B: Borrow<Breaker>> Permit<B> {
    #[inline]
    pub(crate) fn new(breaker: B, ticket: Ticket, started: Option<Time>) -> Self {
        Self {
            breaker,
            ticket,
            owed: true,
            started,
        }
    }

    /// The dependency answered.
    #[inline]
    pub fn success(self) {
        self.finish(Outcome::Success);
    }

    /// The dependency failed.
    pub fn failure(self) {
        self.finish(Outcome::Failure);
    }

    /// The call says nothing about the dependency.
    pub fn ignore(self) {
        self.finish(Outcome::Ignored);
    }

    /// The dependency failed so that the circuit should open at once, for this reason.
    pub fn trip(self, reason: impl Into<Reason>) {
        self.finish(Outcome::Trip(reason.into()));
    }

    /// Reports any outcome.
    #[inline]
    pub fn finish(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    /// What the call was admitted with.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    #[inline]
    pub(crate) fn report(&mut self, outcome: Outcome) {
        if std::mem::take(&mut self.owed) {
            self.breaker
                .borrow()
                .finish(self.ticket, &outcome, self.started);
        }
    }
}

impl<B: Borrow<Breaker>> std::fmt::Debug for Permit<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}

impl<B: Borrow<Breaker>> Drop for Permit<B> {
    #[inline]
    fn drop(&mut self) {
        if self.owed {
            self.report(if std::thread::panicking() {
                Outcome::Panicked
            } else {
                Outcome::Cancelled
            });
        }
    }
}
