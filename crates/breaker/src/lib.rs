//! A circuit breaker with generation-fenced permits, crash-safe persisted state and an outage log.
//!
//! ```
//! use breaker::{Breaker, CallError, Rules};
//!
//! let breaker = Breaker::new(Rules::default()); // opens after 5 failures in a row, tries again after 60 s
//! match breaker.call(|| std::fs::read_to_string("/proc/version")) {
//!     Ok(text) => println!("{text}"),
//!     Err(CallError::Rejected(rejection)) => println!("{rejection}"),
//!     Err(CallError::Failed(error)) => println!("{error}"),
//! }
//! ```
//!
//! * [`Breaker`] is the shell: clock, lock, store, observers. [`Rules`] say when it opens and
//!   closes.
//! * [`machine`] is the core: a pure function of state, event and time.
//! * [`Permit`] is the right to run one call, and the duty to say how it ended.
//! * [`FileStore`] and [`SharedFileStore`] keep the state through crashes, [`WriteBehind`] on a
//!   thread of its own; [`Report`] reads it beside them.
//! * [`OutageLog`] holds the last outages, and [`Figures`] what follows from them.
//! * [`ramp`] is a gentle return after an outage.
//! * [`guide`] is the manual, with a diagram of the states and what not to do.
//!
//! # Features
//!
//! * `tower`: a layer.
//! * `tracing`: `Builder::traced`, an event for each transition.
//! * `metrics`: `Builder::metered` and `Breaker::publish_counts`.
//!
//! [`Rules`], [`Counts`] and whatever else is data have serde without a feature: the persisted
//! document needs it anyway.
#![forbid(unsafe_code)]

mod backing;
mod breaker;
mod call;
mod counts;
mod document;
mod explain;
mod fast_path;
pub mod guide;
pub mod machine;
mod open_for;
mod outage;
mod permit;
pub mod ramp;
mod rate;
mod reason;
mod rules;
mod store;
#[cfg(any(feature = "metrics", feature = "tracing"))]
mod telemetry;
mod time;
#[cfg(feature = "tower")]
pub mod tower;
mod waiters;

pub use breaker::{Breaker, Builder, Snapshot};
pub use call::CallError;
pub use counts::Counts;
pub use document::{Control, Document, DocumentTrial};
pub use explain::Explanation;
pub use machine::{Kind, Outcome, Rejection, Transition, Why};
pub use open_for::OpenFor;
pub use outage::{Figures, Outage, OutageLog};
pub use permit::Permit;
pub use rate::Rate;
pub use reason::Reason;
pub use rules::Rules;
pub use store::{FileStore, Report, SharedFileStore, SharedStore, Store, StoreError, WriteBehind};
pub use time::{Clock, FakeClock, SystemClock, Time};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
