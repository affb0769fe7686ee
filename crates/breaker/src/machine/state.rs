//! Where a circuit stands.

use serde::{Deserialize, Serialize};

use super::trials::Trials;
use super::window::Window;
use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::Time;

/// Where a breaker stands: all that the [machine](crate::machine) knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Counts the transitions (and resets). A ticket of another generation is stale.
    pub generation: u64,
    /// How often the circuit opened, less what health made up for.
    pub openings: u32,
    /// The ticket number of the last trial.
    pub last_trial: u64,
    /// Who decides: the circuit, nobody, or a person.
    pub mode: Mode,
}

/// Who decides about calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The circuit decides.
    Enforced(Circuit),
    /// Every call runs; the circuit only watches.
    Shadow(Circuit),
    /// A person opened it, and only a person closes it.
    ForcedOpen {
        /// Since when.
        since: Time,
        /// Why.
        reason: Reason,
    },
}

/// The three states of a circuit, each with its data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls run and are counted.
    Closed {
        /// Failures in a row.
        failures: u32,
        /// The last calls, where the rules ask for a rate.
        window: Option<Window>,
        /// When the last outage ended, if there was one.
        recovered_at: Option<Time>,
    },
    /// No call runs.
    Open {
        /// Since when.
        since: Time,
        /// When a trial may run.
        until: Time,
        /// Why it opened.
        reason: Reason,
    },
    /// A few calls run, and decide.
    HalfOpen {
        /// When the circuit last opened.
        opened_at: Time,
        /// How many trials succeeded.
        successes: u32,
        /// The trials that are out.
        trials: Trials,
    },
}

/// The name of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls run.
    #[default]
    Closed,
    /// No call runs until the interval is over.
    Open,
    /// Trials decide.
    HalfOpen,
    /// No call runs until a person says so.
    ForcedOpen,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "CLOSED",
            Self::Open => "OPEN",
            Self::HalfOpen => "HALF_OPEN",
            Self::ForcedOpen => "FORCED_OPEN",
        })
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::Enforced(Circuit::default())
    }
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed {
            failures: 0,
            window: None,
            recovered_at: None,
        }
    }
}

impl State {
    /// The name of the state as it was left by the last event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.circuit().map_or(Kind::ForcedOpen, Circuit::kind)
    }

    /// The name of the state at `now`: an open circuit whose interval is over is half-open, though
    /// no call came yet to notice.
    #[must_use]
    pub fn kind_at(&self, now: Time) -> Kind {
        match self.circuit() {
            Some(Circuit::Open { until, .. }) if *until <= now => Kind::HalfOpen,
            _ => self.kind(),
        }
    }

    /// The circuit, unless a person holds it open.
    #[must_use]
    pub fn circuit(&self) -> Option<&Circuit> {
        match &self.mode {
            Mode::Enforced(circuit) | Mode::Shadow(circuit) => Some(circuit),
            Mode::ForcedOpen { .. } => None,
        }
    }

    #[inline]
    pub(super) fn circuit_mut(&mut self) -> Option<&mut Circuit> {
        match &mut self.mode {
            Mode::Enforced(circuit) | Mode::Shadow(circuit) => Some(circuit),
            Mode::ForcedOpen { .. } => None,
        }
    }

    /// Whether the breaker only watches.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        matches!(self.mode, Mode::Shadow(_))
    }

    /// Gives the places of all trials free: those of a process that is no more.
    pub(crate) fn forget_trials(&mut self) {
        if let Some(Circuit::HalfOpen { trials, .. }) = self.circuit_mut() {
            *trials = Trials::default();
        }
    }

    /// This state with no time further in the future than `rules` allow at `now`: what is left of a
    /// state whose clock was set back, or that was written by hand. An open interval then lasts at
    /// most once more from now on.
    #[must_use]
    pub fn bounded(mut self, rules: &Rules, now: Time) -> Self {
        match &mut self.mode {
            Mode::ForcedOpen { since, .. } => *since = (*since).min(now),
            Mode::Enforced(circuit) | Mode::Shadow(circuit) => circuit.bound(rules, now),
        }
        self
    }
}

impl Circuit {
    /// The name of the state.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Closed { .. } => Kind::Closed,
            Self::Open { .. } => Kind::Open,
            Self::HalfOpen { .. } => Kind::HalfOpen,
        }
    }

    fn bound(&mut self, rules: &Rules, now: Time) {
        match self {
            Self::Closed {
                window,
                recovered_at,
                ..
            } => {
                *recovered_at = recovered_at.map(|at| at.min(now));
                if let (Some(window), Some(rate)) = (window, &rules.rate) {
                    window.expire(rate, now);
                }
            }
            Self::Open { since, until, .. } => {
                let interval = (*until - *since).min(rules.open.longest());
                *since = (*since).min(now);
                *until = *since + interval;
            }
            Self::HalfOpen {
                opened_at, trials, ..
            } => {
                *opened_at = (*opened_at).min(now);
                for trial in trials.iter_mut() {
                    trial.expires_at = trial.expires_at.min(now + rules.trial_lease);
                }
            }
        }
    }
}
