//! The worker's time and sleep, which come from outside so that a story of hours runs in seconds.

use std::time::{Duration, SystemTime};

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

/// Another process's job is noticed within this time. Each look costs a few microseconds.
const LOOK: Duration = Duration::from_millis(50);

/// The real thing.
#[derive(Debug, Clone, Copy)]
pub struct SystemTimer;

impl Time for SystemTimer {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, until: SystemTime, _: bool, mut woken: impl FnMut() -> bool) {
        while !woken() {
            let Ok(left) = until.duration_since(self.now()) else {
                return;
            };
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}
