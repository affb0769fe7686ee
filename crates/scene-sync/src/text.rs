//! Text as both servers can hold it.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// How much of a text is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub chars: usize,
    /// Bytes once percent-encoded for a query.
    pub encoded: usize,
}

impl Limit {
    pub(crate) const NONE: Self = Self {
        chars: usize::MAX,
        encoded: usize::MAX,
    };
}

/// Single-line text: control characters become spaces, the ends are trimmed.
pub(crate) fn line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.trim().to_owned()
}

/// Text of several lines: line breaks become `\n`, tabs stay, other control characters go, the ends are trimmed.
pub(crate) fn paragraphs(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let plain: String = unified
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    plain.trim().to_owned()
}

/// The longest beginning within the limit, without white space at its end.
pub(crate) fn cut(text: &str, limit: Limit) -> &str {
    let mut encoded = 0_usize;
    let over = text.char_indices().enumerate().find_map(|(nth, (at, c))| {
        let unreserved = c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        encoded += if unreserved { 1 } else { 3 * c.len_utf8() };
        (nth >= limit.chars || encoded > limit.encoded).then_some(at)
    });
    match over.and_then(|at| text.get(..at)) {
        Some(beginning) => beginning.trim_end(),
        None => text,
    }
}

/// What two names of the same tag have in common: Plex compares them without case. At least as wide as any
/// collation Plex may use, so that a name it takes for the same is never sent to it for ever.
pub(crate) fn key(name: &str) -> String {
    let folded: String = name
        .nfd()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    folded.trim().to_owned()
}

/// Names cleaned, without blank ones and without those that are the same to Plex.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>, limit: Limit) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .into_iter()
        .map(|name| cut(&line(name), limit).to_owned())
        .filter(|name| !name.is_empty() && seen.insert(key(name)))
        .collect()
}
