//! Why a call is admitted or rejected.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::machine::{Circuit, Kind, Mode, Rejection, State, Tally};
use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::Time;

/// Why a call is admitted or rejected at one moment, with the numbers behind it.
///
/// The record holds the whole state, so [`step`](crate::machine::step) with the same rules replays
/// the decision.
///
/// ```
/// use breaker::{Breaker, Explanation, Rules, machine::{Event, Reply, step}};
///
/// let rules = Rules::default().consecutive_failures(1);
/// let breaker = Breaker::new(rules.clone());
/// breaker.try_acquire().unwrap().trip("unauthorized");
///
/// let explanation = breaker.explain();
/// assert!(explanation.to_string().starts_with("OPEN (unauthorized)"));
///
/// let kept = serde_json::to_string(&explanation).unwrap();
/// let again: Explanation = serde_json::from_str(&kept).unwrap();
/// let replayed = step(&rules, again.state, Event::Acquire, again.at);
/// assert_eq!(replayed.reply, Reply::Rejected(again.rejection.unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When, by the clock the breaker counts by.
    pub at: Time,
    /// Where the circuit stands.
    pub kind: Kind,
    /// What a call would be told; `None` when it would run.
    pub rejection: Option<Rejection>,
    /// Why the circuit last opened, while it is open.
    pub reason: Option<Reason>,
    /// Failures in a row, while closed.
    pub failures_in_a_row: u32,
    /// How many of them open it, where they are counted.
    pub failures_to_open: Option<u32>,
    /// The last calls, where the rules ask for a rate.
    pub window: Option<Tally>,
    /// Trials that succeeded, while half-open.
    pub successes: u32,
    /// How many of them close it.
    pub successes_to_close: u32,
    /// Trials that are out.
    pub trials_out: usize,
    /// The whole state.
    pub state: State,
}

impl Explanation {
    /// Explains what a breaker in this state would tell a call.
    #[must_use]
    pub fn new(rules: &Rules, state: State, now: Time) -> Self {
        let mut explanation = Self {
            at: now,
            kind: state.kind_at(now),
            rejection: state.rejection(rules, now),
            reason: None,
            failures_in_a_row: 0,
            failures_to_open: rules.consecutive.map(Into::into),
            window: None,
            successes: 0,
            successes_to_close: rules.successes.into(),
            trials_out: 0,
            state,
        };
        match &explanation.state.mode {
            Mode::ForcedOpen { reason, .. }
            | Mode::Enforced(Circuit::Open { reason, .. })
            | Mode::Shadow(Circuit::Open { reason, .. }) => explanation.reason = Some(*reason),
            Mode::Enforced(Circuit::Closed {
                failures, window, ..
            })
            | Mode::Shadow(Circuit::Closed {
                failures, window, ..
            }) => {
                explanation.failures_in_a_row = *failures;
                let tally = |rate| window.as_ref().map(|window| window.tally(rate, now));
                explanation.window = rules
                    .rate
                    .as_ref()
                    .map(|rate| tally(rate).unwrap_or_default());
            }
            Mode::Enforced(Circuit::HalfOpen {
                successes, trials, ..
            })
            | Mode::Shadow(Circuit::HalfOpen {
                successes, trials, ..
            }) => {
                explanation.successes = *successes;
                let out = trials.iter().filter(|trial| trial.expires_at > now);
                explanation.trials_out = out.count();
            }
        }
        explanation
    }
}

impl fmt::Display for Explanation {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(reason) = self.reason {
            write!(f, " ({reason})")?;
        }
        match self.kind {
            Kind::Closed => {
                write!(f, ": {}", self.failures_in_a_row)?;
                if let Some(limit) = self.failures_to_open {
                    write!(f, " of {limit}")?;
                }
                write!(f, " failures in a row")?;
                if let Some(Tally {
                    calls,
                    failures,
                    slow,
                }) = self.window
                {
                    write!(
                        f,
                        "; of the last {calls} calls {failures} failed and {slow} were slow"
                    )?;
                }
            }
            Kind::HalfOpen => write!(
                f,
                ": {} of {} trials succeeded, {} out",
                self.successes, self.successes_to_close, self.trials_out
            )?,
            Kind::Open | Kind::ForcedOpen => {}
        }
        match &self.rejection {
            _ if self.state.is_shadow() => write!(f, "; disabled, so every call runs"),
            Some(rejection) => write!(f, "; {rejection}"),
            None => write!(f, "; a call may run"),
        }
    }
}
