//! The worker's time and sleep, which come from outside so that a story of hours runs in seconds.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use crate::core::time::{Moment, Time};

/// Another process's job is noticed within 50 ms while there is work, and within a second after
/// twenty seconds of quiet: a look costs about a tenth of a millisecond with its wake-up, which at
/// 50 ms is nine CPU seconds an hour.
const LOOK: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// How long to wait for the next look after so much quiet.
fn look(quiet: Duration) -> Duration {
    (quiet / 20).clamp(LOOK[0], LOOK[1])
}

/// Sleeps while nothing is under way. The thread itself does: the runtime's timer wakes up three
/// times for one sleep. A signal ends it, and the runtime sees the signal before the next look.
#[cfg(unix)]
async fn nap(time: Duration) {
    if let Ok(time) = time.try_into() {
        let _ = rustix::thread::nanosleep(&time);
    }
    tokio::task::yield_now().await;
}

/// Sleeps while nothing is under way.
#[cfg(not(unix))]
async fn nap(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The real thing.
#[derive(Debug)]
pub struct SystemTimer {
    started: Instant,
    /// When another process last wrote: probes of an outage in between are no reason to look often.
    woken: Cell<Instant>,
}

impl Default for SystemTimer {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            woken: Cell::new(now),
        }
    }
}

impl Time for SystemTimer {
    type Clock = breaker::SystemClock;

    fn now(&self) -> Moment {
        Moment::START + self.started.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn clock(&self) -> Self::Clock {
        breaker::SystemClock::new()
    }

    async fn sleep(&self, until: Moment, busy: bool, mut woken: impl FnMut() -> bool) {
        while !woken() {
            let left = until - self.now();
            if left.is_zero() {
                return;
            }
            let look = look(self.woken.get().elapsed());
            match busy {
                true => tokio::time::sleep(left.min(look)).await,
                false => nap(left.min(look)).await,
            }
        }
        self.woken.set(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker that waits for what is due now, with a clock that goes on, would wait for no time
    /// at all, again and again.
    #[test]
    fn what_is_due_now_is_now() {
        let timer = SystemTimer::default();
        for _ in 0..1000 {
            let clocks = timer.read();
            assert_eq!(clocks.moment(clocks.wall), clocks.now);
        }
        let clocks = timer.read();
        let second = Duration::from_secs(1);
        assert_eq!(clocks.moment(clocks.wall + second), clocks.now + second);
        assert_eq!(clocks.moment(clocks.wall - second), clocks.now - second);
    }
}
