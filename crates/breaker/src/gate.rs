//! The part of the state that decides most calls, in one atomic word.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::machine::{Circuit, Mode, State};
use crate::rules::Rules;
use crate::time::Time;

/// The last published [`Hint`]. One word, so a reader can never see one state's name with another's data.
pub(crate) struct Gate(AtomicU64);

/// What can be decided without the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Take the lock.
    Ask,
    /// Closed: calls run with a ticket of this generation, and a success changes nothing.
    Quiet(u64),
    /// Closed: calls run with a ticket of this generation; how they end matters.
    Counting(u64),
    /// Open until then.
    Open(Time),
}

impl Hint {
    pub(crate) fn of(state: &State, rules: &Rules) -> Self {
        let generation = state.generation;
        match &state.mode {
            Mode::Enforced(Circuit::Closed { failures: 0, .. })
            | Mode::Shadow(Circuit::Closed { failures: 0, .. })
                if rules.rate.is_none() =>
            {
                Self::Quiet(generation)
            }
            Mode::Enforced(Circuit::Closed { .. }) | Mode::Shadow(Circuit::Closed { .. }) => {
                Self::Counting(generation)
            }
            Mode::Enforced(Circuit::Open { until, .. }) => Self::Open(*until),
            _ => Self::Ask,
        }
    }

    fn pack(self) -> u64 {
        match self {
            Self::Ask => 0,
            Self::Quiet(generation) => generation << 2 | 1,
            Self::Counting(generation) => generation << 2 | 2,
            Self::Open(until) => until.unix_micros() << 2 | 3,
        }
    }

    #[inline]
    fn unpack(word: u64) -> Self {
        match word & 3 {
            0 => Self::Ask,
            1 => Self::Quiet(word >> 2),
            2 => Self::Counting(word >> 2),
            _ => Self::Open(Time::from_unix_micros(word >> 2)),
        }
    }
}

impl Gate {
    pub(crate) fn new(hint: Hint) -> Self {
        Self(AtomicU64::new(hint.pack()))
    }

    #[inline]
    pub(crate) fn hint(&self) -> Hint {
        Hint::unpack(self.0.load(Ordering::Acquire))
    }

    /// Only while the state is locked.
    pub(crate) fn publish(&self, hint: Hint) {
        self.0.store(hint.pack(), Ordering::Release);
    }
}
