//! Query strings as Plex's own clients write them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `text` for a query value. A space is `%20`, which every decoder knows, unlike `+`.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

pub(crate) fn join(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// The longest beginning of `text` that takes at most `max_bytes` in a query, cut between
/// characters.
///
/// Text other than plain letters and digits takes three bytes for each byte of UTF-8.
///
/// ```
/// assert_eq!(plex::fit("naïve", 8), "naï");
/// assert_eq!(plex::fit("naïve", 7), "na");
/// ```
#[must_use]
pub fn fit(text: &str, max_bytes: usize) -> &str {
    let mut bytes = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        bytes += utf8_percent_encode(c.encode_utf8(&mut [0; 4]), ENCODED)
            .map(str::len)
            .sum::<usize>();
        (bytes > max_bytes).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}
