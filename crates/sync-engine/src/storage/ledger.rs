//! The sync record: a row for each Plex item that was written to, with the scene that owns it, and a row for each scene as
//! of its last sync. It lies in the queue's own file, so that settling a job and recording its result are one transaction.

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

pub use items::{
    ItemRow, drop_item, is_bound, item, items_of, owner, ownerless, put_item, release, wait_for,
    wait_no_more, waited_for,
};
pub use left_out::{left_out, left_out_of, put_left_out};
pub use libraries::{library_fields, put_library_field};
pub use looks::{LastLook, last_look, looked, written_scenes};
pub use migrate::migrate;
pub use path_hints::{hint_path, path_hints};
pub use scenes::{
    SceneRow, SyncHash, confirm_cover, forget_matches, forget_scene, make_unequal, put_refs,
    put_scene, scene, scenes_between, scenes_of, synced_at,
};
pub use schema::{create, is_made};
pub use server::{ServerId, caught_up, consent, has_consent, on_record, server, set_caught_up};
pub use totals::{Total, count, count_from, counted_since, total};

#[cfg(test)]
mod tests;
