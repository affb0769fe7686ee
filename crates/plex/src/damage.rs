//! JSON with texts that JSON does not allow. Plex takes titles and file names as it finds them, and
//! now and then passes on a byte that is no UTF-8 or a control character.

use std::char::REPLACEMENT_CHARACTER;

/// `body` with U+FFFD for what no JSON text may hold. All else stays, so what broke off is still
/// broken off.
pub(crate) fn repaired(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let mut repaired = String::with_capacity(body.len());
    let mut in_text = false;
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_text => match chars.next() {
                Some(escaped) if "\"\\/bfnrtu".contains(escaped) => repaired.extend([c, escaped]),
                Some(_) => repaired.push(REPLACEMENT_CHARACTER),
                None => repaired.push(c),
            },
            '\0'..' ' if in_text => repaired.push(REPLACEMENT_CHARACTER),
            _ => {
                in_text ^= c == '"';
                repaired.push(c);
            }
        }
    }
    repaired
}
