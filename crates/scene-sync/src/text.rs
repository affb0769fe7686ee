//! Text as both servers can hold it.

use unicode_normalization::UnicodeNormalization;

/// Single-line text: control characters become spaces, the ends are trimmed, at most `limit` characters remain.
pub(crate) fn line(text: &str, limit: usize) -> String {
    cut(
        text.chars().map(|c| if c.is_control() { ' ' } else { c }),
        limit,
    )
}

/// Text of several lines: line breaks become `\n`, tabs stay, other control characters go.
pub(crate) fn paragraphs(text: &str, limit: usize) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    cut(
        unified
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t')),
        limit,
    )
}

fn cut(chars: impl Iterator<Item = char>, limit: usize) -> String {
    let text: String = chars.collect();
    text.trim()
        .chars()
        .take(limit)
        .collect::<String>()
        .trim_end()
        .to_owned()
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
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    names
        .into_iter()
        .map(|name| line(name, limit))
        .filter(|name| !name.is_empty() && seen.insert(key(name)))
        .collect()
}
