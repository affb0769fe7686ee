//! The gradual restart after an outage: how fast jobs may follow one another.

use std::time::{Duration, SystemTime};

use breaker::Time as Instant;
use breaker::machine::Kind;
use breaker::ramp::Ramp;

use super::engine::Engine;
use super::time::Time;
use crate::outcome::Signal;
use crate::reconcile::unix_millis;
use crate::settings;

/// A ramp under way, and whether a job may be taken now.
pub struct Rising {
    ramp: Ramp,
    token: bool,
    ends: SystemTime,
}

impl Rising {
    /// The ramp that began at `started`, unless it is over by now.
    pub fn resume(shape: settings::Ramp, started: Instant, now: SystemTime) -> Option<Self> {
        let curve = shape.curve();
        let ramp = Ramp::new(curve, started, instant(now));
        ramp.rate(instant(now))?;
        let left = curve.duration.saturating_sub(instant(now) - started);
        Some(Self {
            ramp,
            token: false,
            // The breaker's time is counted in whole milliseconds here.
            ends: now + left + Duration::from_millis(1),
        })
    }
}

/// The worker's time as the breaker counts it.
pub fn instant(time: SystemTime) -> Instant {
    Instant::from_unix_micros(unix_millis(time).unsigned_abs().saturating_mul(1000))
}

impl<T: Time> Engine<'_, T> {
    /// Begins the ramp where the breaker says the outage ended; also after a restart.
    pub(super) fn start_ramp(&mut self) {
        let recovered = self.plex.breaker().snapshot().recovered_at;
        self.ramp = self
            .settings
            .ramp
            .zip(recovered)
            .and_then(|(shape, started)| Rising::resume(shape, started, self.time.now()));
        let told = std::mem::replace(&mut self.lasting.ramp_told, recovered) == recovered;
        if let Some(rising) = self.ramp.as_ref().filter(|_| !told) {
            let rate = rising
                .ramp
                .rate(instant(self.time.now()))
                .unwrap_or_default();
            self.journal
                .info(format!("gradual restart: {rate:.0} jobs/s, rising"));
        }
        match self.ramp {
            Some(_) => self.lasting.ramp_owed = true,
            // Its time passed between two looks at the settings.
            None => self.tell_ramp_over(),
        }
    }

    /// Once for each return, and not while the next outage makes it untrue.
    fn tell_ramp_over(&mut self) {
        if std::mem::take(&mut self.lasting.ramp_owed) && self.plex.breaker().kind() == Kind::Closed
        {
            self.journal
                .info("gradual restart is over: full speed again");
        }
    }

    /// When a job may be taken; `None` when nothing limits the rate.
    pub(super) fn ramp_at(&mut self, now: SystemTime) -> Option<SystemTime> {
        let rising = self.ramp.as_mut()?;
        if rising.ramp.rate(instant(now)).is_none() {
            self.ramp = None;
            self.tell_ramp_over();
            return None;
        }
        if rising.token {
            return Some(now);
        }
        match rising.ramp.take(instant(now)) {
            Ok(()) => {
                rising.token = true;
                Some(now)
            }
            Err(wait) => Some(now + wait.max(Duration::from_millis(1))),
        }
    }

    /// When there is an end to tell of, though no job may be due then.
    pub(super) fn ramp_ends(&self) -> Option<SystemTime> {
        let ends = self.ramp.as_ref()?.ends;
        (ends > self.time.now()).then_some(ends)
    }

    /// A job was taken.
    pub(super) fn ramp_spend(&mut self) {
        if let Some(rising) = &mut self.ramp {
            rising.token = false;
        }
    }

    /// A job has ended.
    pub(super) fn ramp_record(&mut self, signal: &Signal) {
        let failed = match signal {
            Signal::Neutral => return,
            Signal::Success => false,
            Signal::Failure | Signal::Trip(_) => true,
        };
        let now = instant(self.time.now());
        if let Some(rising) = &mut self.ramp {
            rising.ramp.record(failed, now);
        }
    }
}
