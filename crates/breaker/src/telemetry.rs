//! What operators watch: events for `tracing`, counts and the state for `metrics`.

#[cfg(feature = "metrics")]
use crate::breaker::Breaker;
use crate::breaker::Builder;
use crate::machine::Kind;

#[cfg(feature = "tracing")]
impl Builder {
    /// Emits a `tracing` event for each transition: a warning when the circuit opens, for
    /// information otherwise. Its fields are `breaker` (this name), `from`, `to`, `reason` and
    /// `generation`.
    ///
    /// ```
    /// use breaker::{Breaker, Rules};
    ///
    /// let breaker = Breaker::builder(Rules::default()).traced("mail").build();
    /// breaker.try_acquire().unwrap().trip("down"); // WARN the circuit is OPEN breaker=mail from=CLOSED …
    /// ```
    pub fn traced(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.on_transition(move |told| {
            macro_rules! event {
                ($level:ident) => {
                    tracing::$level!(
                        breaker = name,
                        from = %told.from,
                        to = %told.to,
                        reason = told.reason.as_str(),
                        generation = told.generation,
                        "the circuit is {}", told.to
                    )
                };
            }
            match told.to {
                Kind::Open | Kind::ForcedOpen => event!(warn),
                Kind::Closed | Kind::HalfOpen => event!(info),
            }
        })
    }
}

#[cfg(feature = "metrics")]
impl Builder {
    /// Tells the `metrics` recorder of each transition: the counter `breaker_transitions_total` by
    /// `breaker` (this name) and `to`, and the gauge `breaker_open` by `breaker`: 0 closed, 0.5
    /// half-open, 1 open.
    pub fn metered(self, name: impl Into<String>) -> Self {
        let name = name.into();
        metrics::gauge!("breaker_open", "breaker" => name.clone()).set(0.0);
        self.on_transition(move |told| {
            let to = told.to.to_string();
            metrics::counter!("breaker_transitions_total", "breaker" => name.clone(), "to" => to)
                .increment(1);
            let open = match told.to {
                Kind::Closed => 0.0,
                Kind::HalfOpen => 0.5,
                Kind::Open | Kind::ForcedOpen => 1.0,
            };
            metrics::gauge!("breaker_open", "breaker" => name.clone()).set(open);
        })
    }
}

#[cfg(feature = "metrics")]
impl Breaker {
    /// Sets the counters `breaker_calls_total` of the `metrics` recorder, by `breaker` (this name)
    /// and `outcome`, to what [`Counts`](crate::Counts) says. Call it at an interval, or before
    /// each scrape: so that calls pay nothing for it.
    ///
    /// ```
    /// use breaker::{Breaker, Rules};
    ///
    /// let breaker = Breaker::builder(Rules::default()).metered("mail").build();
    /// breaker.try_acquire().unwrap().success();
    /// breaker.publish_counts("mail");
    /// ```
    pub fn publish_counts(&self, name: &str) {
        let counts = self.counts();
        for (outcome, count) in [
            ("success", counts.successes),
            ("failure", counts.failures),
            ("ignored", counts.ignored),
            ("cancelled", counts.cancelled),
            ("panicked", counts.panicked),
            ("rejected", counts.rejected),
            ("stale", counts.stale),
        ] {
            metrics::counter!("breaker_calls_total", "breaker" => name.to_owned(), "outcome" => outcome)
                .absolute(count);
        }
    }
}
