//! What each event does to each state.

use std::time::Duration;

use super::rejection::soon;
use super::{
    Circuit, Event, Kind, Mode, Outcome, Rejection, Reply, Role, State, Tally, Ticket, Transition,
    Trial, Trials, Why, Window,
};
use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::{COARSE_ERROR, Now, Time};

/// Where a transition is put, if an event causes one: written once, not handed from function to
/// function.
pub(crate) type Told = Option<Transition>;

impl State {
    /// [`step`](super::step) in place.
    ///
    /// The time is asked when needed, since most calls through a closed circuit end without.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        rules: &Rules,
        event: Event,
        now: &(impl Now + ?Sized),
        told: &mut Told,
    ) -> Reply {
        match event {
            Event::Acquire => match self.acquire(rules, None, now, told) {
                Ok(ticket) => Reply::Admitted(ticket),
                Err(rejection) => Reply::Rejected(rejection),
            },
            Event::Finish {
                ticket,
                outcome,
                took,
            } => self.finish(rules, ticket, &outcome, took, now, told),
            Event::SuggestTrial => self.suggest_trial(rules, now.exact(), told),
            Event::ForceOpen(reason) => self.force_open(now.exact(), reason, told),
            Event::Disable => self.disable(now.exact(), told),
            Event::Enable => {
                if let Mode::Shadow(circuit) = &mut self.mode {
                    self.mode = Mode::Enforced(std::mem::take(circuit));
                }
                Reply::Done
            }
            Event::Reset => self.reset(now.exact(), told),
        }
    }

    /// Asks whether a call may run. An open circuit that is due by a `coarse` clock, which is never
    /// ahead and little behind, is due now, and `now` need not be asked.
    #[inline]
    pub(crate) fn acquire(
        &mut self,
        rules: &Rules,
        coarse: Option<Time>,
        now: &(impl Now + ?Sized),
        told: &mut Told,
    ) -> Result<Ticket, Rejection> {
        let now = match (self.circuit(), coarse) {
            // No time is earlier than that of the opening.
            (Some(Circuit::Open { since, until, .. }), Some(coarse))
                if *until <= coarse.max(*since) =>
            {
                coarse.max(*since)
            }
            _ => now.exact(),
        };
        if let Some(Circuit::Open { until, .. }) = self.circuit()
            && *until <= now
        {
            self.half_open(now, const { Reason::of("interval_over") }, told);
        }
        if let Some(rejection) = self.rejection(rules, now) {
            return Err(rejection);
        }
        let generation = self.generation;
        // Starting from the time keeps numbers apart even when the state was lost in between.
        let id = now.unix_micros().max(self.last_trial.saturating_add(1));
        let role = match self.circuit_mut() {
            Some(Circuit::Closed { .. }) => Role::Call,
            Some(Circuit::HalfOpen { trials, .. }) => {
                trials.expire(now);
                if trials.len() < rules.trials.get() as usize {
                    trials.push(Trial {
                        id,
                        expires_at: now + rules.trial_lease,
                    });
                    self.last_trial = id;
                    Role::Trial(id)
                } else {
                    Role::Shadow
                }
            }
            Some(Circuit::Open { .. }) | None => Role::Shadow,
        };
        Ok(Ticket { generation, role })
    }

    /// Why a call may not run at `now`, if it may not.
    pub(crate) fn rejection(&self, rules: &Rules, now: Time) -> Option<Rejection> {
        let (why, retry_at) = match &self.mode {
            Mode::Shadow(_) | Mode::Enforced(Circuit::Closed { .. }) => return None,
            Mode::ForcedOpen { .. } => (Why::ForcedOpen, None),
            Mode::Enforced(Circuit::Open { until, .. }) => {
                if *until <= now {
                    return None;
                }
                (Why::Open, Some(*until))
            }
            Mode::Enforced(Circuit::HalfOpen { trials, .. }) => {
                let out = || trials.iter().filter(|trial| trial.expires_at > now);
                if out().count() < rules.trials.get() as usize {
                    return None;
                }
                let expires_at = out().map(|trial| trial.expires_at).min();
                let hint = expires_at.map(|expires_at| soon(now, expires_at, rules.trial_lease));
                (Why::TrialsOut, hint)
            }
        };
        Some(Rejection {
            why,
            at: now,
            retry_at,
        })
    }

    fn suggest_trial(&mut self, rules: &Rules, now: Time, told: &mut Told) -> Reply {
        let Some(Circuit::Open { since, until, .. }) = self.circuit() else {
            let rejection = self.rejection(rules, now);
            return rejection.map_or(Reply::Done, Reply::Rejected);
        };
        let early = rules
            .early_trial
            .map_or(*until, |after| (*since + after).min(*until));
        if early > now {
            return Reply::Rejected(Rejection {
                why: Why::Open,
                at: now,
                retry_at: Some(early),
            });
        }
        self.half_open(now, const { Reason::of("suggested") }, told);
        Reply::Done
    }

    #[inline]
    pub(crate) fn finish(
        &mut self,
        rules: &Rules,
        ticket: Ticket,
        outcome: &Outcome,
        took: Duration,
        now: &(impl Now + ?Sized),
        told: &mut Told,
    ) -> Reply {
        if ticket.generation != self.generation {
            return Reply::Stale;
        }
        let slow = rules.slow_after().is_some_and(|limit| took > limit);
        let trip = match (self.circuit_mut(), ticket.role) {
            (Some(_), Role::Shadow) => None,
            (
                Some(Circuit::Closed {
                    failures, window, ..
                }),
                Role::Call,
            ) => count_call(rules, failures, window, outcome, slow, now),
            (
                Some(Circuit::HalfOpen {
                    opened_at,
                    successes,
                    trials,
                }),
                Role::Trial(id),
            ) => {
                let Some(now) = trials
                    .remove(id)
                    .and_then(|expires_at| within(expires_at, *opened_at, now))
                else {
                    return Reply::Stale;
                };
                let trip = trial_failure(outcome, slow);
                if trip.is_none() && *outcome == Outcome::Success {
                    *successes = successes.saturating_add(1);
                    if *successes >= rules.successes.get() {
                        self.close(now, told);
                    }
                }
                trip
            }
            _ => return Reply::Stale,
        };
        if let Some(reason) = trip {
            self.open(rules, now.exact(), reason, told);
        }
        Reply::Done
    }

    #[inline]
    fn open(&mut self, rules: &Rules, now: Time, reason: Reason, told: &mut Told) {
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
            told,
        );
    }

    #[inline]
    fn half_open(&mut self, now: Time, reason: Reason, told: &mut Told) {
        let opened_at = match self.circuit() {
            Some(Circuit::Open { since, .. }) => *since,
            _ => now,
        };
        let trials = Trials::default();
        self.switch(
            Circuit::HalfOpen {
                opened_at,
                successes: 0,
                trials,
            },
            now,
            reason,
            told,
        );
    }

    #[inline]
    fn close(&mut self, now: Time, told: &mut Told) {
        let reason = const { Reason::of("recovered") };
        self.switch(self.closed(now), now, reason, told);
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

    fn force_open(&mut self, now: Time, reason: Reason, told: &mut Told) -> Reply {
        self.openings = 0;
        self.go(Mode::ForcedOpen { since: now, reason }, now, reason, told);
        Reply::Done
    }

    fn reset(&mut self, now: Time, told: &mut Told) -> Reply {
        self.openings = 0;
        let reason = const { Reason::of("reset") };
        self.go(Mode::Enforced(self.closed(now)), now, reason, told);
        Reply::Done
    }

    fn disable(&mut self, now: Time, told: &mut Told) -> Reply {
        match &mut self.mode {
            Mode::Enforced(circuit) => self.mode = Mode::Shadow(std::mem::take(circuit)),
            Mode::Shadow(_) => {}
            Mode::ForcedOpen { .. } => {
                let reason = const { Reason::of("disabled") };
                self.go(Mode::Shadow(self.closed(now)), now, reason, told);
            }
        }
        Reply::Done
    }

    /// Puts the circuit in another state, in the same mode.
    #[inline]
    fn switch(&mut self, next: Circuit, now: Time, reason: Reason, told: &mut Told) {
        let from = self.kind();
        match self.circuit_mut() {
            Some(circuit) => *circuit = next,
            None => self.mode = Mode::Enforced(next),
        }
        self.begin_generation(from, now, reason, told);
    }

    fn go(&mut self, mode: Mode, now: Time, reason: Reason, told: &mut Told) {
        let from = self.kind();
        self.mode = mode;
        self.begin_generation(from, now, reason, told);
    }

    /// It is a transition unless the kind of state stays the same.
    #[inline]
    fn begin_generation(&mut self, from: Kind, now: Time, reason: Reason, told: &mut Told) {
        self.generation = self.generation.wrapping_add(1);
        let to = self.kind();
        if from != to {
            *told = Some(Transition {
                generation: self.generation,
                at: now,
                from,
                to,
                reason,
            });
        }
    }
}

/// The time by which a trial ended, if its lease was not over; by the coarse clock where that is
/// sure.
#[inline]
fn within(expires_at: Time, opened_at: Time, now: &(impl Now + ?Sized)) -> Option<Time> {
    // No time is earlier than that of the opening.
    let coarse = now.coarse().max(opened_at);
    if coarse + COARSE_ERROR < expires_at {
        return Some(coarse);
    }
    Some(now.exact()).filter(|now| *now < expires_at)
}

/// Counts a call through a closed circuit; the reason to open, if it is one.
fn count_call(
    rules: &Rules,
    failures: &mut u32,
    window: &mut Option<Window>,
    outcome: &Outcome,
    slow: bool,
    now: &(impl Now + ?Sized),
) -> Option<Reason> {
    let failed = match outcome {
        Outcome::Success => false,
        Outcome::Failure | Outcome::Panicked => true,
        Outcome::Trip(reason) => return Some(*reason),
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
        return Some(const { Reason::of("consecutive_failures") });
    }
    let rate = rules.rate.as_ref()?;
    let window = window.get_or_insert_with(|| Window::new(rate));
    window.record(rate, Tally::of(failed, slow), now);
    window.verdict(rate).map(Reason::from)
}

/// The reason to open again, if a trial ended so.
fn trial_failure(outcome: &Outcome, slow: bool) -> Option<Reason> {
    match outcome {
        Outcome::Failure | Outcome::Panicked => Some(const { Reason::of("trial_failed") }),
        Outcome::Trip(reason) => Some(*reason),
        Outcome::Success if slow => Some(const { Reason::of("slow_calls") }),
        Outcome::Success | Outcome::Ignored | Outcome::Cancelled => None,
    }
}
