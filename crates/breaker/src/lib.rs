//! A circuit breaker with generation-fenced permits, crash-safe persisted state and an outage log.
#![forbid(unsafe_code)]

mod backing;
mod breaker;
mod call;
mod counts;
mod document;
mod explain;
mod gate;
pub mod machine;
mod outage;
mod permit;
pub mod ramp;
mod reason;
mod rules;
mod store;
mod time;
#[cfg(feature = "tower")]
pub mod tower;

pub use breaker::{Breaker, Builder, Snapshot};
pub use call::CallError;
pub use counts::Counts;
pub use document::{Control, Document, DocumentTrial};
pub use explain::Explanation;
pub use machine::{Kind, Outcome, Rejection, Transition, Why};
pub use outage::{Figures, Outage, OutageLog};
pub use permit::Permit;
pub use reason::Reason;
pub use rules::{Rate, Rules};
pub use store::{FileStore, Report, SharedFileStore, SharedStore, Store, StoreError};
pub use time::{Clock, FakeClock, SystemClock, Time};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
