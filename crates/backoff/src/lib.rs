//! Exponential backoff with full jitter, retry budgets and retry runners: pure, seedable, proved
//! never to exceed its cap.
//!
//! | question | answer |
//! |---|---|
//! | how long to wait before retry n? | [`Policy::delay`], [`Policy::delay_seeded`], [`Policy::delays`] |
//! | again, and when, or give up? | [`Retry::decide`], pure: for a persisted queue, or a loop of your own |
//! | run this with retries | [`Retry::call`], [`call_async`](Retry::call_async), [`call_lending`](Retry::call_lending), [`call_passing`](Retry::call_passing) |
//! | keep retries from becoming the load | [`Budget`] |
//!
//! Defaults, reasons and anti-patterns are in the [`guide`].
//!
//! # Features
//!
//! * `std` (default): [`Env::blocking`], [`Retry::call`], [`Unseeded`]. Without it the crate is
//!   `no_std`, and `alloc` is not needed.
//! * `tokio`: `Retry::call_tokio`, `Env::tokio`.
//! * `serde`: [`Policy`], [`Jitter`] and [`Retry`] in a configuration file, a duration as `{"secs":
//!   5, "nanos": 0}`.
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "std"), no_std)]

mod budget;
mod call;
mod env;
pub mod guide;
#[cfg(all(doctest, feature = "std"))]
mod must_not_compile;
mod policy;
mod retry;
mod run;
mod splitmix;
#[cfg(feature = "std")]
mod unseeded;

pub use budget::{Budget, BudgetedCall};
pub use call::{Async, Call, Detached, Lending, Passing, Retrying};
pub use env::{Env, Slept};
pub use policy::{Delays, Jitter, Policy};
pub use retry::{Decision, GiveUp, Hint, Retry};
pub use run::GaveUp;
pub use splitmix::SplitMix64;
#[cfg(feature = "std")]
pub use unseeded::Unseeded;

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
