//! The sync record: a row for each Plex item that was written to, with the scene that owns it, and
//! a row for each scene as of its last sync. It lies in the queue's own file, so that settling a
//! job and recording its result are one transaction.

mod items;
mod left_out;
mod libraries;
mod looks;
mod migrate;
mod path_hints;
mod scenes;
mod schema;
mod server;
mod totals;

pub use items::*;
pub use left_out::*;
pub use libraries::*;
pub use looks::*;
pub use migrate::migrate;
pub use path_hints::*;
pub use scenes::*;
pub use schema::*;
pub use server::*;
pub use totals::*;

#[cfg(test)]
mod tests;
