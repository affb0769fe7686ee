//! A careful client for the Plex Media Server HTTP API: sections, items, edits, images, typed
//! errors.
//!
//! Plex's API is loosely typed, partly undocumented, and dangerous in places: an edit without an
//! item's key changes the whole library, an unknown filter returns it. This client makes such calls
//! impossible or notices what happened. [`Client`] is the way in; [`Error`] says what to do about
//! each failure.
//!
//! - **One server.** The token goes out as a header, to this server only. Redirects are not
//!   followed, proxies not used.
//! - **Bounds.** Each kind of call has its [limit of time](Timeouts), each answer one of size.
//! - **Edits.** An [`Edit`] is for one item; [`RatingKey`] cannot be empty. Long ones are split.
//! - **Any TLS.** The program hands in a `reqwest::ClientBuilder` with the provider and roots it
//!   wants, or with verification turned off for this one server.
//! - **Any tokio runtime** with time and I/O enabled.
#![forbid(unsafe_code)]

pub use reqwest;

mod client;
mod damage;
mod details;
mod device;
mod edit;
mod error;
mod excerpt;
mod find;
#[doc(hidden)]
pub mod fuzzing;
mod id;
mod identifier;
mod image;
mod item;
mod lenient;
mod listing;
mod pasted;
mod query;
mod section;
mod server;
mod skipped;
mod tag;
mod transport;

pub use client::{Client, SetupError, Timeouts};
pub use details::FoundItems;
pub use device::Device;
pub use edit::{Edit, MAX_LINE, MAX_VALUE, TooLong};
pub use error::Error;
pub use find::FileSearch;
pub use id::{InvalidId, InvalidToken, RatingKey, SectionId, Token};
pub use identifier::client_identifier;
pub use image::{Image, ImageFormat, ImageKind, image_sha1};
pub use item::{Field, Item, ItemKind, Lockable, Media, Part};
pub use listing::{Page, Sort};
pub use pasted::{address, token};
pub use query::fit;
pub use section::Section;
pub use server::UserRating;
pub use skipped::Skipped;
pub use tag::{Tag, TagKind};
pub use transport::Unreachable;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
