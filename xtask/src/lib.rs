//! Makes the packages that Stash's package manager installs, and the index of their source.
//!
//! A package is a zip: the program, Stash's manifest of the plugin and the files of its page. The
//! same program makes the same bytes, on any day. An index says of each package whom it is for; it
//! is made from the zips alone.
#![forbid(unsafe_code)]

mod archive;
mod build;
mod date;
mod error;
mod index;
mod package;
mod platform;

pub use archive::Packing;
pub use build::{build, host, root};
pub use date::Date;
pub use error::Error;
pub use index::write_index;
pub use package::{Package, plugin_files};
pub use platform::{PLATFORMS, Platform};
