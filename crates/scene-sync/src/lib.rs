//! Bind a Stash scene to its Plex items, merge three ways and plan the smallest edit: pure, no I/O.
//!
//! ```text
//!  Scene ──▶ Wanted ─────┐            (wanted: a scene in Plex's terms)
//!  Item  ────────────────┼─▶ EditPlan ──▶ your client ──▶ Item read back
//!  LastWritten ──────────┘      │                             │
//!       ▲                       └── verify, written_after ◀───┘
//!       └───────────────────────────────────┘
//! ```
//!
//! - [`matching::by_path`]: which items hold the scene's files? ([`path`]: when are two paths
//!   equal?)
//! - [`plan()`]: what must change on one of them? [`EditPlan::verify`]: did it?
//! - [`EditPlan::intent`]: what to record before it is sent, should nobody hear what became of it.
//! - [`content_hash`]: did anything change in Stash since?
//! - [`drift::find`]: what would a sync write now?
//! - [`Files::propose`]: which path map leads from one server's files to the other's?
//!
//! Only what a request of ours put into Plex is ever removed from it; see [`LastWritten`].
//!
//! All of it is plain data in and plain data out; the types are this crate's own, so any client of
//! either server fits.
#![forbid(unsafe_code)]

mod date;
mod display;
pub mod drift;
mod intent;
mod last_written;
pub mod matching;
mod merge;
mod model;
pub mod path;
mod path_map;
mod plan;
mod policy;
mod proposal;
mod text;
mod verify;
mod wanted;
mod what;

pub use last_written::{ImageSeen, ImageWritten, Intent, LastWritten, Part, Preexisting};
pub use model::{Field, Item, Performer, Rating, Scene, SceneFile, Tag, TagKind};
pub use path_map::{PathMap, PathMapError};
pub use plan::{EditPlan, FieldEdit, RatingEdit, TagEdit, plan};
pub use policy::{PartialDates, Policy};
pub use proposal::{Files, Proposal, SuggestedRule};
pub use wanted::{Note, Wanted, content_hash};
pub use what::{Unsupported, What};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
