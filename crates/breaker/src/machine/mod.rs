//! The circuit breaker as a pure, total function: `(state, event, now) -> (state, reply,
//! transition?)`.
//!
//! No clock, lock, thread or file is involved, so every decision can be replayed, and the tests
//! explore every state that a few callers can reach.
//!
//! ```
//! use std::time::Duration;
//! use breaker::machine::{Event, Kind, Outcome, Reply, State, step};
//! use breaker::{Rules, Time};
//!
//! let rules = Rules::default().consecutive_failures(1);
//! let now = Time::from_unix_seconds(1000.0);
//!
//! let admitted = step(&rules, State::default(), Event::Acquire, now);
//! let Reply::Admitted(ticket) = admitted.reply else { unreachable!() };
//! let failed = Event::Finish { ticket, outcome: Outcome::Failure, took: Duration::ZERO };
//! let tripped = step(&rules, admitted.state, failed, now);
//!
//! assert_eq!(tripped.state.kind(), Kind::Open);
//! assert_eq!(tripped.transition.unwrap().to, Kind::Open);
//! ```

mod rejection;
mod state;
mod transitions;
mod trials;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use rejection::{Rejection, Why};
pub use state::{Circuit, Kind, Mode, State};
pub(crate) use transitions::Told;
pub use trials::{Trial, Trials};
pub use window::{Tally, Window};

use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::Time;

/// Something that happens to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A caller asks whether a call may run.
    Acquire,
    /// A call that was admitted has ended.
    Finish {
        /// What it was admitted with.
        ticket: Ticket,
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// Someone has seen the dependency answer and asks for a trial before the interval is over.
    SuggestTrial,
    /// A person opens the circuit until a person says otherwise.
    ForceOpen(Reason),
    /// A person lets every call run; the circuit only watches.
    Disable,
    /// A person ends [`Event::Disable`].
    Enable,
    /// A person closes the circuit and clears its counts.
    Reset,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The dependency answered.
    Success,
    /// The dependency failed.
    Failure,
    /// The dependency failed in a way that needs no second sample: open at once, and say why.
    Trip(Reason),
    /// Says nothing about the dependency. A trial that ends so gives its place to another call.
    Ignored,
    /// The call was dropped before it ended; counted as [`Outcome::Ignored`] is.
    Cancelled,
    /// The call panicked; counted as [`Outcome::Failure`] is.
    Panicked,
}

impl Outcome {
    /// [`Outcome::Failure`] if so, otherwise [`Outcome::Success`].
    ///
    /// ```
    /// # use std::io::ErrorKind::NotFound;
    /// use breaker::{Breaker, Outcome, Rules};
    ///
    /// let breaker = Breaker::new(Rules::default());
    /// let read = || std::fs::read_to_string("/no/such/file");
    /// let _ = breaker.call_if(
    ///     |result| Outcome::failure_if(matches!(result, Err(error) if error.kind() != NotFound)),
    ///     read,
    /// );
    /// assert_eq!(breaker.counts().successes, 1); // it answered
    /// ```
    #[must_use]
    pub const fn failure_if(failed: bool) -> Self {
        if failed { Self::Failure } else { Self::Success }
    }
}

/// What a call is admitted with, and presents when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// The generation it was issued in; in any other it is stale.
    pub generation: u64,
    /// What the call is to the circuit.
    pub role: Role,
}

/// What an admitted call is to the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A call through a closed circuit.
    Call,
    /// A trial of a half-open circuit, with its number.
    Trial(u64),
    /// A call that would have been rejected, were the breaker not disabled. Its outcome decides
    /// nothing.
    Shadow,
}

/// The answer to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The call may run.
    Admitted(Ticket),
    /// The call, or the suggested trial, may not run.
    Rejected(Rejection),
    /// It was taken into account.
    Done,
    /// The ticket is of an earlier generation, or of a trial whose lease is over; nothing changed.
    Stale,
}

/// A circuit that went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transition {
    /// The state's generation from here on; puts transitions in order.
    pub generation: u64,
    /// When.
    pub at: Time,
    /// The state before.
    pub from: Kind,
    /// The state after.
    pub to: Kind,
    /// Why.
    pub reason: Reason,
}

impl std::fmt::Display for Transition {
    /// One line for a person: `CLOSED to OPEN: consecutive_failures`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}: {}", self.from, self.to, self.reason)
    }
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// The state from here on.
    pub state: State,
    /// The answer.
    pub reply: Reply,
    /// The transition, if the event caused one.
    pub transition: Option<Transition>,
}

/// Decides one event. Total: every state takes every event at every time.
#[must_use]
pub fn step(rules: &Rules, mut state: State, event: Event, now: Time) -> Step {
    let mut transition = None;
    let reply = state.apply(rules, event, &now, &mut transition);
    Step {
        state,
        reply,
        transition,
    }
}
