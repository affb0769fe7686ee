//! Health probes during an outage: when the next one is, and what a person reads of them. They
//! never change the breaker.

use std::time::Duration;

use plex_health::Report;
use rand_core::Rng;

use crate::core::settings::Settings;
use crate::core::time::Time;
use crate::core::words::worker as texts;
use crate::storage::meta;
use crate::worker::state::Worker;

/// The wait after a probe that failed, `before` others having failed in a row: up to 10 s, 20 s, 40
/// s, then 60 s.
fn wait(before: u32, settings: &Settings, rng: &mut impl Rng) -> Duration {
    let base = settings.probe_interval;
    let policy = backoff::Policy::exponential(base, settings.probe_cap.max(base));
    policy.delay(before.saturating_add(1), rng)
}

impl<T: Time> Worker<'_, T> {
    /// A finished health probe.
    pub(super) fn probed(&mut self, report: &Report) {
        let now = self.time.wall();
        if report.verdict.is_healthy() {
            self.probes.passed(now);
            self.remember_probe();
            self.log.info(texts::probe_passed(report.latency));
            if self.link.settings.fast_recovery && self.link.plex.breaker().suggest_trial().is_ok()
            {
                self.log.info(texts::FAST_RECOVERY);
            }
            return;
        }
        let (settings, rng) = (&*self.link.settings, &mut self.rng);
        let wait = self.probes.failed(now, |n| wait(n, settings, rng));
        self.remember_probe();
        self.remember_cause(&report.verdict.to_string());
        self.tell_of_absence(&report.verdict);
        let nth = self.probes.failures();
        self.log
            .debug(texts::probe_failed(nth, &report.verdict, wait));
    }

    /// For whoever asks what keeps jobs from being sent.
    pub(super) fn remember_cause(&self, why: &str) {
        // Lost, it costs a few words.
        let _ = self.db.read(|db| meta::set(db, meta::CAUSE, why));
    }

    /// For the next worker, and for whoever asks when Plex was last looked at.
    pub(super) fn remember_probe(&self) {
        if let Ok(text) = serde_json::to_string(&self.probes) {
            // Lost, it costs one probe more.
            let _ = self.db.read(|db| meta::set(db, meta::PROBE, &text));
        }
    }
}

#[cfg(test)]
mod tests {
    use backoff::SplitMix64;

    use super::*;

    #[test]
    fn waits_grow_to_a_minute() {
        let (settings, _) = Settings::read(&serde_json::Map::new(), |_| None);
        let mut rng = SplitMix64::new(1);
        for (before, longest) in [(0, 10.0), (1, 20.0), (2, 40.0), (3, 60.0), (u32::MAX, 60.0)] {
            let waits = (0..1000).map(|_| wait(before, &settings, &mut rng).as_secs_f64());
            let waits: Vec<_> = waits.collect();
            let most = waits.iter().copied().fold(0.0, f64::max);
            assert!(most <= longest && most > 0.97 * longest, "{before}: {most}");
            assert!(
                waits.iter().any(|wait| *wait < 0.03 * longest),
                "full jitter"
            );
        }
    }
}
