//! Text as both servers can hold it.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Single-line text: control characters become spaces, the ends are trimmed.
pub(crate) fn line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// Text of several lines: line breaks become `\n`, tabs stay, other control characters go, the ends
/// are trimmed.
pub(crate) fn paragraphs(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    unified.replace(is_odd, "").trim().to_owned()
}

/// The longest beginning of so many characters and bytes once percent-encoded, without white space
/// at its end.
pub(crate) fn cut(text: &str, chars: usize, encoded: usize) -> &str {
    let mut bytes = 0_usize;
    let over = text.char_indices().enumerate().find_map(|(nth, (at, c))| {
        bytes += encoded_char(c);
        (nth >= chars || bytes > encoded).then_some(at)
    });
    match over.and_then(|at| text.get(..at)) {
        Some(beginning) => beginning.trim_end(),
        None => text,
    }
}

/// The bytes of a text once percent-encoded for a query.
pub(crate) fn encoded(text: &str) -> usize {
    text.chars().map(encoded_char).sum()
}

fn encoded_char(c: char) -> usize {
    match c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') {
        true => 1,
        false => 3 * c.len_utf8(),
    }
}

/// What two names of the same tag have in common for Plex, whose database compares them with
/// SQLite's NOCASE: only A to Z are the same in either case.
pub(crate) fn key(name: &str) -> String {
    name.nfc().map(|c| c.to_ascii_lowercase()).collect()
}

/// The keys of names.
pub(crate) fn keys(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| key(name)).collect()
}

/// What two names have in common for a Plex that compares as widely as any may: such a Plex shows
/// one in place of the other.
pub(crate) fn wide_key(name: &str) -> String {
    let upper = name.nfd().flat_map(char::to_uppercase);
    let folded: String = upper.flat_map(char::to_lowercase).nfc().collect();
    folded.trim().to_owned()
}

/// Names of at most so many characters, cleaned and composed, without blank ones and without those
/// that are the same to Plex.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>, chars: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let clean = |name| {
        let name: String = line(name).nfc().collect();
        cut(&name, chars, usize::MAX).to_owned()
    };
    let is_new = |name: &String| !name.is_empty() && seen.insert(key(name));
    names.into_iter().map(clean).filter(is_new).collect()
}
