//! The part of the state that decides most calls, in one atomic word.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::machine::{Circuit, State};
use crate::rules::Rules;
use crate::time::Time;

/// The last published [`Hint`]. One word, so a reader can never see one state's name with another's
/// data.
pub(crate) struct FastPath(AtomicU64);

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
        match state.circuit() {
            Some(Circuit::Closed { failures: 0, .. }) if rules.rate.is_none() => {
                Self::Quiet(generation)
            }
            Some(Circuit::Closed { .. }) => Self::Counting(generation),
            Some(Circuit::Open { until, .. }) if !state.is_shadow() => Self::Open(*until),
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

impl FastPath {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::{Event, Outcome, Reply, Role, Ticket, step};
    use crate::rate::Rate;

    #[test]
    fn a_hint_survives_its_word() {
        let hints = [
            Hint::Ask,
            Hint::Quiet(0),
            Hint::Quiet(5),
            Hint::Counting(0),
            Hint::Counting(5),
            Hint::Open(Time::ZERO),
            Hint::Open(Time::MAX),
        ];
        for hint in hints {
            assert_eq!(FastPath::new(hint).hint(), hint);
        }
    }

    /// A hint must not promise what the machine does not keep, in any of its states.
    #[test]
    fn hints_agree_with_the_machine() {
        let now = Time::from_unix_seconds(1000.0);
        let plain = Rules::default().consecutive_failures(2);
        let rated = plain.clone().rate(Rate::over_calls(5));
        let after = |rules: &Rules, state: State, outcome| {
            let ticket = Ticket {
                generation: state.generation,
                role: Role::Call,
            };
            let took = Duration::ZERO;
            step(
                rules,
                state,
                Event::Finish {
                    ticket,
                    outcome,
                    took,
                },
                now,
            )
            .state
        };
        let order = |state: &State, event| step(&plain, state.clone(), event, now).state;

        let fresh = State::default();
        assert_eq!(Hint::of(&fresh, &plain), Hint::Quiet(0));
        for outcome in [Outcome::Success, Outcome::Ignored, Outcome::Cancelled] {
            assert_eq!(after(&plain, fresh.clone(), outcome), fresh);
        }
        assert_eq!(
            Hint::of(&order(&fresh, Event::Disable), &plain),
            Hint::Quiet(0)
        );
        assert_eq!(Hint::of(&fresh, &rated), Hint::Counting(0));

        let failed = after(&plain, fresh, Outcome::Failure);
        assert_eq!(Hint::of(&failed, &plain), Hint::Counting(0));
        assert_ne!(after(&plain, failed.clone(), Outcome::Success), failed);

        let open = after(&plain, failed, Outcome::Failure);
        let until = now + Duration::from_secs(60);
        assert_eq!(Hint::of(&open, &plain), Hint::Open(until));
        let Reply::Rejected(rejection) = step(&plain, open.clone(), Event::Acquire, now).reply
        else {
            panic!("an open circuit rejects")
        };
        assert_eq!(rejection.retry_at, Some(until));

        let shadow = order(&open, Event::Disable);
        let forced = order(&open, Event::ForceOpen("x".into()));
        let half_open = step(&plain, open, Event::Acquire, until).state;
        for state in [shadow, forced, half_open] {
            assert_eq!(Hint::of(&state, &plain), Hint::Ask);
        }
    }
}
