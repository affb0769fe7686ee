//! A breaker as the worker sees it: a gate with a time, and words for what changed.

use std::sync::Arc;
use std::time::Duration;

use breaker::Breaker;
use breaker::machine::Kind;

use crate::core::outcome::Signal;
use crate::core::scheduler::Gate;
use crate::core::time::Moment;

/// One server's circuit.
pub struct Circuit {
    breaker: Arc<Breaker>,
    seen: Kind,
}

/// Permit for one call; dropped, it says nothing about the server.
pub type Permit = breaker::Permit<Arc<Breaker>>;

impl Circuit {
    /// Watches this breaker.
    pub fn new(breaker: Breaker) -> Self {
        Self {
            seen: breaker.kind(),
            breaker: Arc::new(breaker),
        }
    }

    /// The breaker itself.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// What is allowed at `now`, the worker's time.
    pub fn gate(&self, now: Moment) -> Gate {
        match (self.breaker.kind(), self.breaker.check()) {
            (Kind::Closed, Ok(())) => Gate::Open,
            (_, Ok(())) => Gate::Trial,
            (_, Err(rejection)) => Gate::Shut {
                until: rejection.retry_after().map(|left| now + left.max(MOMENT)),
            },
        }
    }

    /// Whether calls are held and no trial may run yet: the time for health probes.
    pub fn is_open(&self) -> bool {
        self.breaker.kind() == Kind::Open && self.breaker.check().is_err()
    }

    /// Permit for one call, if one may run now.
    pub fn permit(&self) -> Option<Permit> {
        self.breaker.try_acquire_owned().ok()
    }

    /// What it is now, where it was another at the last look.
    pub fn change(&mut self) -> Option<Kind> {
        let kind = self.breaker.kind();
        (std::mem::replace(&mut self.seen, kind) != kind).then_some(kind)
    }
}

/// The clocks of breaker and worker are read one after the other; never wait for no time at all.
const MOMENT: Duration = Duration::from_millis(1);

/// Tells the breaker how a call ended.
pub fn report(permit: Permit, signal: &Signal) {
    match signal {
        Signal::Success => permit.success(),
        Signal::Neutral => permit.ignore(),
        Signal::Failure => permit.failure(),
        Signal::Trip(reason) => permit.trip(reason.word()),
    }
}
