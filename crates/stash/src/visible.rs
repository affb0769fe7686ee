//! Text that is safe to show.

use std::borrow::Cow;

/// The text with its control characters escaped, but for tabs and line breaks: file names may hold
/// what a terminal obeys.
///
/// ```
/// use stash::visible;
/// assert_eq!(visible("a\u{1b}[2J\u{9b}.mp4"), "a\\u{1b}[2J\\u{9b}.mp4");
/// assert_eq!(visible("d\u{e9}j\u{e0} vu"), "d\u{e9}j\u{e0} vu");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match harmful(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}
