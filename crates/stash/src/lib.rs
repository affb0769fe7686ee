//! Stash's raw plugin protocol and its GraphQL API, for plugin authors.
//!
//! # A plugin
//!
//! Stash starts the plugin's program once per hook, task or operation:
//!
//! ```text
//!  Stash ── stdin: one JSON document ──▶ plugin     PluginInput::read
//!        ◀─ stderr: log lines, progress ─           Log
//!        ◀─ stdout: one JSON document ───           Reply
//!        ◀─ exit code 0 ─────────────────
//! ```
//!
//! - A **hook** runs while the user waits for the save, one process per scene in a bulk edit, and
//!   is killed without warning when the browser goes away. Record what happened durably, at once,
//!   and leave the work to a process of your own:
//!   [`ServerConnection::handover`](connection::ServerConnection::handover) gives it the connection
//!   on its stdin.
//! - A **task** is one job of Stash's queue: nothing else runs meanwhile. It may log and show
//!   [progress](protocol::Log::progress), and ends with [`Log::linger`](protocol::Log::linger).
//! - An **operation** answers its caller with the reply's output.
//!
//! Hooks that change the object they are about start themselves again; with an API key without end.
//!
//! # The API
//!
//! [`client::Client`] takes a [`reqwest::ClientBuilder`] of yours and an
//! [`Endpoint`](client::Endpoint):
//!
//! ```no_run
//! # async fn demo(input: stash::protocol::PluginInput) -> Result<(), stash::client::Error> {
//! use stash::client::{Client, Endpoint, SceneFilter};
//!
//! let endpoint = Endpoint::of_plugin(&input.server_connection)?;
//! let client = Client::new(reqwest::Client::builder(), &endpoint)?;
//! let configuration = client.configuration("MyPlugin").await?;
//! if let Some(key) = configuration.api_key {
//!     client.use_api_key(key)?; // outlives the session
//! }
//! for stamp in client.stamps(SceneFilter::Performer(7)).await? {
//!     println!("scene {} shows performer 7", stamp.id);
//! }
//! # Ok(()) }
//! ```
//!
//! What is said here of Stash was seen on release 0.30.1.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
pub mod connection;
pub mod protocol;
mod secret;
#[cfg(feature = "client")]
pub mod timestamp;
mod visible;

#[cfg(feature = "client")]
pub use reqwest;
pub use secret::Secret;
pub use visible::visible;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
