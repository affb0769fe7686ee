//! Every parser of what Stash may send, for fuzzing and for tests with arbitrary bytes.

use super::answer::{parse, parse_parts};
use super::configuration;
use super::image::own_path;
use super::scenes::FindScenes;
use super::schema::Schema;
use super::transport::cookie_value;
use super::{Scene, SceneFilter};
use serde_json::Value;

/// Reads `body` as the answer to each query; whether any of them took it.
#[must_use]
pub fn answers(status: u16, body: &[u8]) -> bool {
    let configuration = parse::<configuration::Data>(status, body);
    let schema = parse::<Value>(status, body).map(|types| Schema::from_types(&types));
    let understood = [
        parse_parts(status, body).is_ok(),
        parse::<FindScenes>(status, body).is_ok_and(|data| {
            data.found
                .into_page::<Scene>(SceneFilter::All, None)
                .is_ok()
        }),
        configuration.map(|data| data.of("plugin")).is_ok(),
        schema.is_ok_and(|schema| schema.selection.starts_with("id ")),
    ];
    understood.contains(&true)
}

/// The path and query that an image's address leads to on the client's own base.
#[must_use]
pub fn image_path(address: &str) -> Option<(String, Option<String>)> {
    own_path(address)
}

/// The session that a `Set-Cookie` gives.
#[must_use]
pub fn session(header: &str) -> Option<&str> {
    cookie_value(header, "session")
}
