//! How long a circuit stays open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a circuit stays open before it lets a trial through.
///
/// ```
/// use std::time::Duration;
/// use breaker::{OpenFor, Rules};
///
/// let seconds = Duration::from_secs;
/// let always_a_minute = Rules::default().open_for(seconds(60));
/// // 30 s, then 60, 120, 240, 480 and 600.
/// let longer_each_time = Rules::default().open_for(OpenFor::exponential(seconds(30), seconds(600)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct OpenFor {
    first: Duration,
    longest: Duration,
}

/// An [`OpenFor`] in a configuration file: a duration, or the first and the longest of many.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Fixed(Duration),
    Exponential { first: Duration, longest: Duration },
}

impl OpenFor {
    /// Always this long.
    #[must_use]
    pub const fn fixed(interval: Duration) -> Self {
        Self {
            first: interval,
            longest: interval,
        }
    }

    /// This long for the first time, and twice as long as before, up to `longest`, after each
    /// failed trial and each opening since. Once the circuit has stayed closed for `longest`, the
    /// next opening is a first one again.
    #[must_use]
    pub const fn exponential(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The interval of the n-th opening in a row, from 1.
    pub(crate) fn after(&self, openings: u32) -> Duration {
        let factor = 2u32.saturating_pow(openings.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.longest)
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }
}

impl From<Duration> for OpenFor {
    fn from(interval: Duration) -> Self {
        Self::fixed(interval)
    }
}

impl From<Written> for OpenFor {
    fn from(written: Written) -> Self {
        match written {
            Written::Fixed(interval) => Self::fixed(interval),
            Written::Exponential { first, longest } => Self::exponential(first, longest),
        }
    }
}

impl From<OpenFor> for Written {
    fn from(OpenFor { first, longest }: OpenFor) -> Self {
        if first == longest {
            Self::Fixed(longest)
        } else {
            Self::Exponential { first, longest }
        }
    }
}
