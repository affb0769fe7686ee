//! The last calls, for a failure rate.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::{Rate, Span};
use crate::time::{Now, Time, micros};

/// A time window is counted in this many slices.
const SLICES: u64 = 10;

/// One call, or the sum of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tally {
    /// How many calls.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many of them were slow.
    pub slow: u64,
}

impl Tally {
    pub(super) fn of(failed: bool, slow: bool) -> Self {
        Self {
            calls: 1,
            failures: failed.into(),
            slow: slow.into(),
        }
    }

    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failures = self.failures.saturating_add(other.failures);
        self.slow = self.slow.saturating_add(other.slow);
    }

    fn subtract(&mut self, other: Self) {
        self.calls = self.calls.saturating_sub(other.calls);
        self.failures = self.failures.saturating_sub(other.failures);
        self.slow = self.slow.saturating_sub(other.slow);
    }

    /// Whether `part` of these calls is at least `percent`.
    fn reaches(&self, part: u64, percent: u8) -> bool {
        part.saturating_mul(100) >= self.calls.saturating_mul(percent.into())
    }
}

/// The calls a [`Rate`] looks back on: each entry leaves it as it falls out of the span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    entries: VecDeque<(u64, Tally)>,
    total: Tally,
}

impl Window {
    /// An empty window which will not allocate while calls are counted.
    pub(super) fn new(rate: &Rate) -> Self {
        let entries = match rate.span {
            Span::Calls(calls) => calls.get() as usize + 1,
            Span::Time(_) => SLICES as usize + 1,
        };
        Self {
            entries: VecDeque::with_capacity(entries.min(1 << 16)),
            total: Tally::default(),
        }
    }

    /// What the window holds at `now`.
    #[must_use]
    pub fn tally(&self, rate: &Rate, now: Time) -> Tally {
        let mut current = self.clone();
        current.expire(rate, now);
        current.total
    }

    pub(super) fn record(&mut self, rate: &Rate, call: Tally, now: &(impl Now + ?Sized)) {
        self.total.add(call);
        match rate.span {
            Span::Calls(calls) => {
                self.entries.push_back((0, call));
                if self.entries.len() > calls.get() as usize {
                    self.forget_oldest();
                }
            }
            Span::Time(span) => {
                let now = now.exact();
                let slice = slice_at(now, span);
                self.expire(rate, now);
                match self.entries.back_mut() {
                    Some((last, sum)) if *last == slice => sum.add(call),
                    _ => self.entries.push_back((slice, call)),
                }
            }
        }
    }

    /// Forgets what lies outside the span: before it, or, where the clock was set back, after
    /// `now`.
    pub(super) fn expire(&mut self, rate: &Rate, now: Time) {
        match rate.span {
            Span::Calls(calls) => {
                while self.entries.len() > calls.get() as usize {
                    self.forget_oldest();
                }
            }
            Span::Time(span) => {
                let last = slice_at(now, span);
                while self
                    .entries
                    .front()
                    .is_some_and(|(slice, _)| slice + SLICES <= last)
                {
                    self.forget_oldest();
                }
                while let Some((_, sum)) = self.entries.pop_back_if(|(slice, _)| *slice > last) {
                    self.total.subtract(sum);
                }
            }
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, sum)) = self.entries.pop_front() {
            self.total.subtract(sum);
        }
    }

    /// Which limit of `rate` the window has reached, after [`Window::record`].
    pub(super) fn verdict(&self, rate: &Rate) -> Option<&'static str> {
        let total = &self.total;
        let is_slow = || {
            rate.slow
                .is_some_and(|slow| total.reaches(total.slow, slow.percent))
        };
        if total.calls < rate.min_calls.get().into() {
            None
        } else if total.reaches(total.failures, rate.failures) {
            Some("failure_rate")
        } else {
            is_slow().then_some("slow_calls")
        }
    }
}

fn slice_at(now: Time, span: Duration) -> u64 {
    now.unix_micros() / (micros(span) / SLICES).max(1)
}
