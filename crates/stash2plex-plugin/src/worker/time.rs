//! The worker's time and sleep, which come from outside so that a story of hours runs in seconds.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

/// Tells the time and waits.
pub trait Time {
    /// The wall clock.
    fn now(&self) -> SystemTime;

    /// Sleeps until `until`, or until `woken` says true, which is asked now and then. `busy` says that calls
    /// are under way, which end the sleep too: a clock that is not real must not run ahead of them.
    fn sleep(
        &self,
        until: SystemTime,
        busy: bool,
        woken: impl FnMut() -> bool,
    ) -> impl Future<Output = ()>;
}

/// Another process's job is noticed within 50 ms while there is work, and within half a second after ten seconds of
/// quiet: a look costs about a tenth of a millisecond with its wake-up, which at 50 ms is nine CPU seconds an hour.
const LOOK: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

/// How long to wait for the next look after so much quiet.
fn look(quiet: Duration) -> Duration {
    (quiet / 20).clamp(LOOK[0], LOOK[1])
}

/// The real thing.
#[derive(Debug)]
pub struct SystemTimer {
    /// When another process last wrote: probes of an outage in between are no reason to look often.
    woken: Cell<Instant>,
}

impl Default for SystemTimer {
    fn default() -> Self {
        Self {
            woken: Cell::new(Instant::now()),
        }
    }
}

impl Time for SystemTimer {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, until: SystemTime, _: bool, mut woken: impl FnMut() -> bool) {
        while !woken() {
            let Ok(left) = until.duration_since(self.now()) else {
                return;
            };
            let look = look(self.woken.get().elapsed());
            tokio::time::sleep(left.min(look)).await;
        }
        self.woken.set(Instant::now());
    }
}
