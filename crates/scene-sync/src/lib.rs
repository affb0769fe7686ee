//! Match a Stash scene to a Plex item, merge three ways and plan the smallest edit: pure, no I/O.
#![forbid(unsafe_code)]

mod date;
mod display;
pub mod gap;
mod mapping;
pub mod matching;
mod merge;
mod model;
mod path;
mod path_map;
mod plan;
mod policy;
mod text;
mod verify;
mod written;

pub use mapping::{Note, Wanted, content_hash};
pub use model::{Field, Item, Rating, Scene, SceneFile, Tag, TagKind};
pub use path::folder_of;
pub use path_map::{PathMap, PathMapError};
pub use plan::{EditPlan, FieldEdit, RatingEdit, TagEdit, plan};
pub use policy::{PartialDates, Policy};
pub use written::{ImageWritten, LastWritten};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
