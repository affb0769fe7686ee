//! One test program, a module for each question.
#![allow(clippy::unwrap_used)]

mod budget;
#[cfg(feature = "std")]
mod call;
mod distribution;
mod policy;
mod retry;
mod rivals;
#[cfg(feature = "serde")]
mod serde;
mod splitmix;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "std")]
mod unseeded;
