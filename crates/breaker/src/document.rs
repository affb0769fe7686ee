//! The persisted form of a breaker: one JSON document.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::machine::{Circuit, Kind, Mode, State, Trial, Window};
use crate::outage::{Outage, OutageLog};
use crate::reason::Reason;
use crate::rules::Rules;
use crate::time::{Clock, Time};

/// A breaker as it is persisted: its state and its outages, in one document, so that they cannot
/// disagree.
///
/// `state`, `failure_count`, `success_count` and `opened_at` are the part other programs may rely
/// on. Times are Unix seconds. Keys this version does not know survive in `unknown`.
///
/// ```
/// use breaker::{Document, machine::Kind};
///
/// let text = r#"{"state": "open", "failure_count": 5, "success_count": 0, "opened_at": 1764000000.5}"#;
/// let document = Document::parse(text.as_bytes()).unwrap();
/// assert_eq!(document.state, Kind::Open);
/// assert_eq!(document.opened_at.unwrap().unix_seconds(), 1764000000.5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// `closed`, `open` or `half_open`; a circuit that a person holds open is `open`.
    pub state: Kind,
    /// Failures in a row while closed.
    #[serde(default)]
    pub failure_count: u32,
    /// Trials that succeeded while half-open.
    #[serde(default)]
    pub success_count: u32,
    /// When the circuit last opened; null while closed.
    #[serde(default, with = "unix_seconds::option")]
    pub opened_at: Option<Time>,
    /// When an open circuit takes a trial; null where no timer ends it.
    #[serde(default, with = "unix_seconds::option")]
    pub retry_at: Option<Time>,
    /// Why the circuit last opened.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Who decides.
    #[serde(default)]
    pub control: Control,
    /// When the last outage ended, while closed.
    #[serde(default, with = "unix_seconds::option")]
    pub recovered_at: Option<Time>,
    /// [`State::generation`].
    #[serde(default)]
    pub generation: u64,
    /// [`State::openings`].
    #[serde(default)]
    pub openings: u32,
    /// [`State::last_trial`].
    #[serde(default)]
    pub last_trial: u64,
    /// The trials that are out.
    #[serde(default)]
    pub trials: Vec<DocumentTrial>,
    /// The last calls, where the rules ask for a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Since when `outages` is complete.
    #[serde(default, with = "unix_seconds::option")]
    pub outages_since: Option<Time>,
    /// The last outages, oldest first.
    #[serde(default)]
    pub outages: Vec<Outage>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Who decides about calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The circuit.
    #[default]
    Auto,
    /// Nobody: every call runs, the circuit only watches.
    Disabled,
    /// A person, who opened it.
    ForcedOpen,
}

/// A [`Trial`] with its time in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentTrial {
    /// [`Trial::id`].
    pub id: u64,
    /// [`Trial::expires_at`].
    #[serde(with = "unix_seconds")]
    pub expires_at: Time,
}

/// What a breaker keeps: its state, in its own time, and its outages, in wall time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) state: State,
    pub(crate) outages: OutageLog,
    pub(crate) unknown: Map<String, Value>,
}

/// One moment by both clocks: the one a breaker counts by, and the wall clock its document is
/// written by.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Time,
    pub(crate) wall: Time,
}

impl Moment {
    /// Now, by a breaker that counts by its monotonic clock.
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        let (now, wall) = (clock.monotonic(), clock.wall());
        Self { now, wall }
    }

    /// Now, by a breaker that counts by the wall clock.
    pub(crate) fn by_wall(clock: &dyn Clock) -> Self {
        let now = clock.wall();
        Self { now, wall: now }
    }
}

impl Document {
    /// Reads a document, and checks what its types cannot.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match document.state {
            Kind::ForcedOpen => Err("state is none of closed, open, half_open".into()),
            Kind::Open if document.opened_at.is_none() => {
                Err("state is open, but opened_at is null".into())
            }
            _ => Ok(document),
        }
    }

    /// The name of the state at `now`: an open circuit whose interval is over is half-open, though
    /// no call came yet.
    #[must_use]
    pub fn kind_at(&self, now: Time) -> Kind {
        match (self.state, self.retry_at) {
            _ if self.control == Control::ForcedOpen => Kind::ForcedOpen,
            (Kind::Open, Some(retry_at)) if retry_at <= now => Kind::HalfOpen,
            (state, _) => state,
        }
    }

    /// The outages as a log.
    #[must_use]
    pub fn outage_log(&self, now: Time) -> OutageLog {
        self.log(self.outages.len(), now)
    }

    fn log(&self, capacity: usize, now: Time) -> OutageLog {
        let first = self.outages.first().map_or(now, |outage| outage.started);
        let since = self.outages_since.unwrap_or(first).min(now);
        let mut log = OutageLog::new(since, capacity);
        for outage in &self.outages {
            // What is dated in the future was written before the clock was set back.
            log.push(Outage {
                started: outage.started.min(now),
                ended: outage.ended.map(|ended| ended.min(now)),
                ..outage.clone()
            });
        }
        // A document written by hand, or by a program that keeps no outages, may not say what its
        // state implies.
        match self.state {
            Kind::Closed => log.end(self.recovered_at.unwrap_or(now).min(now)),
            _ => log.start(
                self.opened_at.unwrap_or(now).min(now),
                self.reason.unwrap_or("unknown".into()),
            ),
        }
        log
    }

    pub(crate) fn new(record: &Record, moment: Moment) -> Self {
        let wall = |time: Time| time.rebased(moment.now, moment.wall);
        let State {
            generation,
            openings,
            last_trial,
            ref mode,
        } = record.state;
        let base = Self {
            reason: record.outages.ongoing().map(|outage| outage.reason),
            generation,
            openings,
            last_trial,
            outages_since: Some(record.outages.since()),
            outages: record.outages.outages().cloned().collect(),
            unknown: record.unknown.clone(),
            ..Self::default()
        };
        match mode {
            Mode::Enforced(circuit) => base.of(circuit, wall),
            Mode::Shadow(circuit) => Self {
                control: Control::Disabled,
                ..base.of(circuit, wall)
            },
            Mode::ForcedOpen { since, reason } => Self {
                state: Kind::Open,
                control: Control::ForcedOpen,
                opened_at: Some(wall(*since)),
                reason: Some(*reason),
                ..base
            },
        }
    }

    /// With what the circuit knows.
    fn of(self, circuit: &Circuit, wall: impl Fn(Time) -> Time) -> Self {
        let state = circuit.kind();
        match circuit {
            Circuit::Closed {
                failures,
                window,
                recovered_at,
            } => Self {
                state,
                failure_count: *failures,
                window: window.clone(),
                recovered_at: recovered_at.map(wall),
                ..self
            },
            Circuit::Open {
                since,
                until,
                reason,
            } => Self {
                state,
                opened_at: Some(wall(*since)),
                retry_at: Some(wall(*until)),
                reason: Some(*reason),
                ..self
            },
            Circuit::HalfOpen {
                opened_at,
                successes,
                trials,
            } => {
                let trial = |&Trial { id, expires_at }: &Trial| DocumentTrial {
                    id,
                    expires_at: wall(expires_at),
                };
                Self {
                    state,
                    opened_at: Some(wall(*opened_at)),
                    success_count: *successes,
                    trials: trials.iter().map(trial).collect(),
                    ..self
                }
            }
        }
    }

    pub(crate) fn into_record(self, rules: &Rules, capacity: usize, moment: Moment) -> Record {
        let outages = self.log(capacity, moment.wall);
        let ours = |time: Time| time.rebased(moment.wall, moment.now);
        let opened_at = ours(self.opened_at.unwrap_or(moment.wall));
        let reason = self.reason.unwrap_or("unknown".into());
        let circuit = match self.state {
            Kind::Closed => Circuit::Closed {
                failures: self.failure_count,
                window: self.window.filter(|_| rules.rate.is_some()),
                recovered_at: self.recovered_at.map(ours),
            },
            Kind::Open | Kind::ForcedOpen => Circuit::Open {
                since: opened_at,
                until: self.retry_at.map_or(opened_at + rules.open.longest(), ours),
                reason,
            },
            Kind::HalfOpen => {
                let trial = |DocumentTrial { id, expires_at }| Trial {
                    id,
                    expires_at: ours(expires_at),
                };
                let trials = self.trials.into_iter().map(trial).collect();
                Circuit::HalfOpen {
                    opened_at,
                    successes: self.success_count,
                    trials,
                }
            }
        };
        let mode = match self.control {
            Control::Auto => Mode::Enforced(circuit),
            Control::Disabled => Mode::Shadow(circuit),
            Control::ForcedOpen => Mode::ForcedOpen {
                since: opened_at,
                reason,
            },
        };
        let state = State {
            generation: self.generation,
            openings: self.openings,
            last_trial: self.last_trial,
            mode,
        };
        Record {
            state: state.bounded(rules, moment.now),
            outages,
            unknown: self.unknown,
        }
    }
}

impl Record {
    pub(crate) fn new(wall: Time, capacity: usize) -> Self {
        Self {
            state: State::default(),
            outages: OutageLog::new(wall, capacity),
            unknown: Map::new(),
        }
    }
}

/// Times as Unix seconds.
pub(crate) mod unix_seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::time::Time;

    pub(crate) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.unix_seconds())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Time, D::Error> {
        f64::deserialize(deserializer).map(Time::from_unix_seconds)
    }

    pub(crate) mod option {
        use serde::Serialize;

        use super::{Deserialize, Deserializer, Serializer, Time};

        pub(crate) fn serialize<S: Serializer>(
            time: &Option<Time>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(Time::unix_seconds).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Time>, D::Error> {
            Ok(Option::<f64>::deserialize(deserializer)?.map(Time::from_unix_seconds))
        }
    }
}
