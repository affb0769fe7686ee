//! The gradual restart after an outage: how fast jobs may follow one another.

use std::time::{Duration, UNIX_EPOCH};

use breaker::machine::Kind;

use crate::core::outcome::Signal;
use crate::core::time::Moment;
use crate::core::time::Time;
use crate::core::words::worker as texts;
use crate::worker::rising::Rising;
use crate::worker::state::Worker;

impl<T: Time> Worker<'_, T> {
    /// Begins the ramp where the breaker says the outage ended; also after a restart.
    pub(super) fn start_ramp(&mut self) {
        let recovered = self.link.plex.breaker().snapshot().recovered_at;
        let clocks = self.time.read();
        let now = clocks.now;
        let shape = self.link.settings.ramp;
        self.ramp = shape.zip(recovered).and_then(|(shape, at)| {
            let stored = UNIX_EPOCH + Duration::from_micros(at.unix_micros());
            Rising::resume(shape, clocks.moment(stored).min(now), now)
        });
        let told = std::mem::replace(&mut self.in_flight.ramp_told, recovered) == recovered;
        if let Some(rising) = self.ramp.as_ref().filter(|_| !told) {
            let rate = rising.ramp.rate(self.time.now().instant());
            self.log.info(texts::ramp_begins(rate.unwrap_or_default()));
        }
        match self.ramp {
            Some(_) => self.in_flight.ramp_owed = true,
            // Its time passed meanwhile.
            None => self.tell_ramp_over(),
        }
    }

    /// Once for each return, and not while the next outage makes it untrue.
    fn tell_ramp_over(&mut self) {
        if std::mem::take(&mut self.in_flight.ramp_owed)
            && self.link.plex.breaker().kind() == Kind::Closed
        {
            self.log.info(texts::RAMP_OVER);
        }
    }

    /// When a job may be taken; `None` when nothing limits the rate.
    pub(super) fn ramp_at(&mut self, now: Moment) -> Option<Moment> {
        let rising = self.ramp.as_mut()?;
        if rising.ramp.rate(now.instant()).is_none() {
            self.ramp = None;
            self.tell_ramp_over();
            return None;
        }
        if rising.token {
            return Some(now);
        }
        match rising.ramp.take(now.instant()) {
            Ok(()) => {
                rising.token = true;
                Some(now)
            }
            Err(wait) => Some(now + wait.max(Duration::from_millis(1))),
        }
    }

    /// When there is an end to tell of, though no job may be due then.
    pub(super) fn ramp_ends(&self) -> Option<Moment> {
        let ends = self.ramp.as_ref()?.ends;
        (ends > self.time.now()).then_some(ends)
    }

    /// A job has ended.
    pub(super) fn ramp_record(&mut self, signal: &Signal) {
        let now = self.time.now().instant();
        if let Some(rising) = self.ramp.as_mut().filter(|_| *signal != Signal::Neutral) {
            rising.ramp.record(*signal != Signal::Success, now);
        }
    }
}
