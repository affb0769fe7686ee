//! Is a Plex Media Server really up, and if not, what is wrong and what helps?
//!
//! A port that accepts connections proves little: Plex answers 503 for hours while it migrates its
//! database, a proxy answers in its place when it is gone, and another server may have taken its
//! address. [`Probe`] asks the server and says which of these it is, as a [`Verdict`] whose text
//! and [hint](Verdict::hint) a user can act on. [`Schedule`] says when to ask again, and is pure.
//!
//! | probe | requests | proves |
//! |---|---|---|
//! | [`Probe::shallow`] | `/identity`, no token | Plex runs at this address, and which one it is |
//! | [`Probe::deep`] | then `/` and `/library/sections` with the token | the token is good and the library database answers |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let _ = rustls::crypto::ring::default_provider().install_default();
//! # let mut server = mockito::Server::new_async().await;
//! # server.mock("GET", "/identity").with_body(r#"{"MediaContainer":{"machineIdentifier":"abc","version":"1.43.1"}}"#).create();
//! # let url = server.url();
//! use plex_health::Probe;
//!
//! let report = Probe::new(reqwest::Client::builder(), &url)?.shallow().await;
//! println!("{report}"); // "healthy, responded in 3 ms, version 1.43.1"
//! # assert!(report.verdict.is_healthy());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod probe;
mod schedule;
mod transport;
mod verdict;

pub use probe::{LIMIT, Probe, Report, SetupError};
pub use schedule::{INITIAL_INTERVAL, Schedule};
pub use transport::Unreachable;
pub use verdict::{Identity, Libraries, Verdict};

/// The parser of everything a server may send, for fuzzing: `status`, whether `X-Plex-Protocol` was
/// there, and the body.
#[doc(hidden)]
pub fn judge(status: u16, plex_header: bool, body: &[u8]) -> Verdict {
    answer::Answer::new(status, plex_header, body).identity(None)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
