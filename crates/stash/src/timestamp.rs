//! Stash's times. They are RFC 3339 with the *server's local offset at the time of writing*, stored
//! and compared as text, so text order is not time order: parse, then compare.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970-01-01T00:00:00Z of an RFC 3339 time; a fraction of a second is dropped.
///
/// ```
/// use stash::timestamp::parse;
/// assert_eq!(parse("2024-06-01T14:05:37-05:00"), parse("2024-06-01T19:05:37Z"));
/// assert_eq!(parse("yesterday"), None);
/// ```
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim().replacen(' ', "T", 1);
    let time = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    Some(time.unix_timestamp())
}

/// The time as RFC 3339 in UTC, for a filter; empty for one outside the years 0 to 9999.
///
/// ```
/// assert_eq!(stash::timestamp::format(951_782_400), "2000-02-29T00:00:00Z");
/// ```
pub fn format(unix_seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix_seconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_default()
}
