//! Both servers, and what goes from one to the other.

mod both_sides;
mod capabilities;
mod compare;
mod convert;
mod cover;
mod find;
mod hand;
mod held;
mod images;
pub(crate) mod libraries;
mod library_index;
mod reconcile;
mod record;
mod request_limits;
mod scene;
mod stopped;
mod syncer;
mod unread;
mod write;
mod writer;

pub(crate) use convert::path_map;
pub use reconcile::Found;
pub(crate) use reconcile::changed_within;
pub use record::Record;
pub use scene::{Ended, Synced};
pub(crate) use stopped::Stopped;
pub use syncer::Syncer;
pub(crate) use syncer::late;
