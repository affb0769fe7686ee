//! The gradual restart under way: whether a job may be taken now.

use std::time::Duration;

use breaker::ramp::Ramp;

use crate::core::settings;
use crate::core::time::Moment;

/// A ramp under way, and whether a job may be taken now.
pub struct Rising {
    pub(super) ramp: Ramp,
    pub(super) token: bool,
    pub(super) ends: Moment,
}

impl Rising {
    /// The ramp that began at `started`, unless it is over by now.
    pub fn resume(shape: settings::Ramp, started: Moment, now: Moment) -> Option<Self> {
        let curve = shape.curve();
        let ramp = Ramp::new(curve, started.instant(), now.instant());
        ramp.rate(now.instant())?;
        let left = curve.duration.saturating_sub(now - started);
        Some(Self {
            ramp,
            token: false,
            // The breaker's time is counted in whole microseconds.
            ends: now + left + Duration::from_millis(1),
        })
    }
}
