//! A client for Stash's GraphQL API and its images.
//!
//! It talks to one origin, follows no redirect, uses no proxy, reads answers up to a limit, and
//! asks once which fields this Stash has, so that one unknown field does not fail a whole query.

mod answer;
mod changes;
mod configuration;
mod endpoint;
mod error;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod scene;
mod scenes;
mod schema;
mod settings;
mod system;
mod transport;

pub use changes::Changes;
pub use configuration::Configuration;
pub use endpoint::{Credentials, Endpoint};
pub use error::{Error, Unreachable};
pub use filter::SceneFilter;
pub use image::{Image, is_placeholder};
pub use scene::{
    FoundScenes, Group, Page, Performer, Scene, SceneFile, SceneId, SceneStamp, Studio, Tag,
};
pub use settings::{PluginSettings, Setting};
pub use system::Job;
pub use transport::Client;
