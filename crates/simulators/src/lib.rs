//! In-process Plex and Stash servers for tests, examples and benches.
//!
//! [`PlexServer`] and [`StashServer`] keep state and answer over real sockets; both are also a
//! [`Server`], which has the switches for outages ([`Server::down`], [`Server::fail_with`],
//! [`Rule`]) and the log of requests. [`World`] fills both with the same files, [`compare`] says
//! what differs, [`Trigger`] makes the documents Stash hands to a plugin.
//!
//! ```
//! use simulators::{Fault, World};
//!
//! let world = World::new(2, 1)?;
//! world.plex.fail_with(Fault::Hang);
//! world.plex.clear_faults();
//! assert_eq!(world.comparison().to_string().lines().next(), Some("0 of 2 scenes equal"));
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

mod clock;
mod compare;
pub mod dns;
mod http;
mod plex;
mod random;
mod run;
mod stash;
mod world;

pub use compare::{Comparison, Difference, Mapping, compare, compare_item};
pub use http::{Fault, Recorded, Request, Requests, Response, Rule, Server};
pub use plex::{
    FileFilter, Image, Images, Item, Kind, Media, Part, PlexOptions, PlexServer, SectionKind,
    Spoilt, Tag, TagKind, TagMode,
};
pub use run::{Run, build_program, run_command, run_hooks, run_plugin};
pub use stash::{
    BEFORE_GROUPS, Entity, EntityKind, Job, Package, PackageManager, PackageSource, Plugin, Scene,
    SceneEdit, SceneFile, SettingsSpelling, StashOptions, StashServer, Trigger,
};
pub use world::World;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
