//! What each event does to each state.

use std::time::Duration;

use super::{
    Circuit, Event, Mode, Outcome, Rejection, Reply, Role, State, Tally, Ticket, Transition, Trial,
    Why, Window,
};
use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::Time;

/// What an event leads to.
type Effect = (Reply, Option<Transition>);

impl State {
    /// [`step`](super::step) in place.
    ///
    /// `now` always answers the same; it is asked when needed, since most calls through a closed circuit end without.
    pub(crate) fn apply(&mut self, rules: &Rules, event: Event, now: impl Fn() -> Time) -> Effect {
        match event {
            Event::Acquire => self.acquire(rules, now()),
            Event::Finish {
                ticket,
                outcome,
                took,
            } => self.finish(rules, ticket, outcome, took, now),
            Event::SuggestTrial => self.suggest_trial(rules, now()),
            Event::ForceOpen(reason) => (Reply::Done, self.force_open(now(), reason)),
            Event::Disable => (Reply::Done, self.disable(now())),
            Event::Enable => {
                if let Mode::Shadow(circuit) = &mut self.mode {
                    self.mode = Mode::Enforced(std::mem::take(circuit));
                }
                (Reply::Done, None)
            }
            Event::Reset => (Reply::Done, self.reset(now())),
        }
    }

    fn acquire(&mut self, rules: &Rules, now: Time) -> Effect {
        let transition = self.half_open_when_due(now);
        let generation = self.generation;
        let admitted = |role| Reply::Admitted(Ticket { generation, role });
        let shadow = self.is_shadow();
        let rejected = |why, retry_at| match shadow {
            true => admitted(Role::Shadow),
            false => Reply::Rejected(Rejection {
                why,
                at: now,
                retry_at,
            }),
        };

        let reply = match &mut self.mode {
            Mode::ForcedOpen { .. } => rejected(Why::ForcedOpen, None),
            Mode::Enforced(circuit) | Mode::Shadow(circuit) => match circuit {
                Circuit::Closed { .. } => admitted(Role::Call),
                Circuit::Open { until, .. } => rejected(Why::Open, Some(*until)),
                Circuit::HalfOpen { trials, .. } => {
                    trials.retain(|trial| trial.expires_at > now);
                    if trials.len() < rules.trials.get() as usize {
                        // Starting from the time keeps numbers apart even when the state was lost in between.
                        self.last_trial = now.unix_micros().max(self.last_trial.saturating_add(1));
                        trials.push(Trial {
                            id: self.last_trial,
                            expires_at: now + rules.trial_lease,
                        });
                        admitted(Role::Trial(self.last_trial))
                    } else {
                        rejected(
                            Why::TrialsOut,
                            trials.iter().map(|trial| trial.expires_at).min(),
                        )
                    }
                }
            },
        };
        (reply, transition)
    }

    fn half_open_when_due(&mut self, now: Time) -> Option<Transition> {
        match self.circuit() {
            Some(Circuit::Open { until, .. }) if *until <= now => {
                self.half_open(now, "interval_over")
            }
            _ => None,
        }
    }

    fn suggest_trial(&mut self, rules: &Rules, now: Time) -> Effect {
        let Some(Circuit::Open { since, until, .. }) = self.circuit() else {
            return (self.preview(rules, now), None);
        };
        let early = rules
            .early_trial
            .map_or(*until, |after| (*since + after).min(*until));
        if early <= now {
            (Reply::Done, self.half_open(now, "suggested"))
        } else {
            (
                Reply::Rejected(Rejection {
                    why: Why::Open,
                    at: now,
                    retry_at: Some(early),
                }),
                None,
            )
        }
    }

    /// What a call would be told now: [`Reply::Done`] or a rejection.
    pub(crate) fn preview(&self, rules: &Rules, now: Time) -> Reply {
        match self.clone().acquire(rules, now).0 {
            Reply::Admitted(_) => Reply::Done,
            reply => reply,
        }
    }

    fn finish(
        &mut self,
        rules: &Rules,
        ticket: Ticket,
        outcome: Outcome,
        took: Duration,
        now: impl Fn() -> Time,
    ) -> Effect {
        if ticket.generation != self.generation {
            return (Reply::Stale, None);
        }
        let slow = rules.slow_after().is_some_and(|limit| took > limit);
        let (Mode::Enforced(circuit) | Mode::Shadow(circuit)) = &mut self.mode else {
            return (Reply::Stale, None);
        };
        let trip = match (circuit, ticket.role) {
            (_, Role::Shadow) => None,
            (
                Circuit::Closed {
                    failures, window, ..
                },
                Role::Call,
            ) => count_call(rules, failures, window, outcome, slow, &now),
            (
                Circuit::HalfOpen {
                    successes, trials, ..
                },
                Role::Trial(id),
            ) => {
                let now = now();
                trials.retain(|trial| trial.expires_at > now);
                let Some(place) = trials.iter().position(|trial| trial.id == id) else {
                    return (Reply::Stale, None);
                };
                match trial_failure(outcome, slow) {
                    Some(reason) => Some(reason),
                    None => {
                        trials.swap_remove(place);
                        if outcome == Outcome::Success {
                            *successes = successes.saturating_add(1);
                            if *successes >= rules.successes.get() {
                                return (Reply::Done, self.close(now, "recovered"));
                            }
                        }
                        None
                    }
                }
            }
            _ => return (Reply::Stale, None),
        };
        (
            Reply::Done,
            trip.and_then(|reason| self.open(rules, now(), reason)),
        )
    }

    fn open(&mut self, rules: &Rules, now: Time, reason: Reason) -> Option<Transition> {
        // A circuit that never opened, or stayed closed for long, opens for the first time.
        let healed = match self.circuit() {
            Some(Circuit::Closed { recovered_at, .. }) => {
                recovered_at.is_none_or(|at| now - at >= rules.open.longest())
            }
            _ => false,
        };
        let before = if healed { 0 } else { self.openings };
        self.openings = before.saturating_add(1);
        let until = now + rules.open.after(self.openings);
        self.switch(
            Circuit::Open {
                since: now,
                until,
                reason,
            },
            now,
            reason,
        )
    }

    fn half_open(&mut self, now: Time, reason: &str) -> Option<Transition> {
        let opened_at = match self.circuit() {
            Some(Circuit::Open { since, .. }) => *since,
            _ => now,
        };
        self.switch(
            Circuit::HalfOpen {
                opened_at,
                successes: 0,
                trials: Vec::new(),
            },
            now,
            reason.into(),
        )
    }

    fn close(&mut self, now: Time, reason: &str) -> Option<Transition> {
        self.switch(self.closed(now), now, reason.into())
    }

    /// A closed circuit that remembers when the last outage ended.
    fn closed(&self, now: Time) -> Circuit {
        let recovered_at = match self.circuit() {
            Some(Circuit::Closed { recovered_at, .. }) => *recovered_at,
            _ => Some(now),
        };
        Circuit::Closed {
            failures: 0,
            window: None,
            recovered_at,
        }
    }

    fn force_open(&mut self, now: Time, reason: Reason) -> Option<Transition> {
        self.openings = 0;
        self.go(Mode::ForcedOpen { since: now, reason }, now, reason)
    }

    fn reset(&mut self, now: Time) -> Option<Transition> {
        self.openings = 0;
        self.go(Mode::Enforced(self.closed(now)), now, "reset".into())
    }

    fn disable(&mut self, now: Time) -> Option<Transition> {
        match &mut self.mode {
            Mode::Enforced(circuit) => {
                self.mode = Mode::Shadow(std::mem::take(circuit));
                None
            }
            Mode::Shadow(_) => None,
            Mode::ForcedOpen { .. } => {
                self.go(Mode::Shadow(self.closed(now)), now, "disabled".into())
            }
        }
    }

    /// Puts the circuit in another state, in the same mode.
    fn switch(&mut self, circuit: Circuit, now: Time, reason: Reason) -> Option<Transition> {
        let mode = if self.is_shadow() {
            Mode::Shadow(circuit)
        } else {
            Mode::Enforced(circuit)
        };
        self.go(mode, now, reason)
    }

    /// Begins a new generation. It is a transition unless the kind of state stays the same.
    fn go(&mut self, mode: Mode, now: Time, reason: Reason) -> Option<Transition> {
        let from = self.kind();
        self.mode = mode;
        self.generation = self.generation.wrapping_add(1);
        let to = self.kind();
        (from != to).then_some(Transition {
            generation: self.generation,
            at: now,
            from,
            to,
            reason,
        })
    }
}

/// Counts a call through a closed circuit; the reason to open, if it is one.
fn count_call(
    rules: &Rules,
    failures: &mut u32,
    window: &mut Option<Window>,
    outcome: Outcome,
    slow: bool,
    now: impl Fn() -> Time,
) -> Option<Reason> {
    let failed = match outcome {
        Outcome::Success => false,
        Outcome::Failure | Outcome::Panicked => true,
        Outcome::Trip(reason) => return Some(reason),
        Outcome::Ignored | Outcome::Cancelled => return None,
    };
    *failures = if failed {
        failures.saturating_add(1)
    } else {
        0
    };
    if rules
        .consecutive
        .is_some_and(|limit| *failures >= limit.get())
    {
        return Some("consecutive_failures".into());
    }
    let rate = rules.rate.as_ref()?;
    let window = window.get_or_insert_with(|| Window::new(rate));
    window.record(rate, Tally::of(failed, slow), now);
    window.verdict(rate).map(Reason::from)
}

/// The reason to open again, if a trial ended so.
fn trial_failure(outcome: Outcome, slow: bool) -> Option<Reason> {
    match outcome {
        Outcome::Failure | Outcome::Panicked => Some("trial_failed".into()),
        Outcome::Trip(reason) => Some(reason),
        Outcome::Success if slow => Some("slow_calls".into()),
        Outcome::Success | Outcome::Ignored | Outcome::Cancelled => None,
    }
}
