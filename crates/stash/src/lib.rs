//! Stash's raw plugin protocol and its GraphQL API, for plugin authors.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
pub mod protocol;
mod secret;
pub mod timestamp;

pub use secret::Secret;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
