//! Every parser of what a server may send, for fuzzing and for tests with arbitrary bytes.

use std::time::SystemTime;

use reqwest::header::{HeaderMap, HeaderValue};

use crate::{Error, client::parse, error::Failure, image::Images, item::Items, section::Sections};

/// Reads `body` as each kind of answer; whether any of them took it.
#[must_use]
pub fn answers(body: &[u8]) -> bool {
    let items = parse::<Items>(200, body, None).map(Items::into_parts);
    let understood = [
        items.is_ok(),
        parse::<Sections>(200, body, None).is_ok(),
        parse::<Images>(200, body, None).is_ok(),
    ];
    understood.contains(&true)
}

/// What an answer that is no success means. `header` stands in `Retry-After` and `Location`.
#[must_use]
pub fn failure(status: u16, header: &[u8], body: &str, line: usize) -> Error {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert("retry-after", value.clone());
        headers.insert("location", value);
    }
    Failure {
        status,
        headers: &headers,
        body,
        line,
    }
    .error(SystemTime::UNIX_EPOCH)
}
