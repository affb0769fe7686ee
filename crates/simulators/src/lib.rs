//! In-process Plex and Stash servers for tests, examples and benches.
#![forbid(unsafe_code)]

mod clock;
mod compare;
mod http;
mod plex;
mod random;
mod run;
mod stash;
mod world;

pub use compare::{Comparison, Difference, Mapping, compare};
pub use http::{Fault, Recorded, Request, Response, Rule, Server};
pub use plex::{
    FileFilter, Image, Images, Item, Kind, Media, Part, PlexOptions, PlexServer, SectionKind, Tag,
    TagKind, TagMode,
};
pub use run::{Run, build_program, run_plugin};
pub use stash::{
    BEFORE_GROUPS, Entity, EntityKind, Job, Scene, SceneEdit, SceneFile, StashOptions, StashServer,
    Trigger,
};
pub use world::World;
