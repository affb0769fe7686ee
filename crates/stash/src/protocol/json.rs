//! Reading JSON so that an error names the place and the kind of what stood there, never the value:
//! a value may be a session cookie.

use serde_json::Value;
use serde_json::value::RawValue;

use super::InputError;

/// What a JSON text holds, told by its first character.
pub(super) fn kind(text: &str) -> &'static str {
    match text.trim_start().as_bytes().first() {
        None => "nothing",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) => "a number",
    }
}

pub(super) fn shape(what: &'static str, expected: &'static str, found: &str) -> InputError {
    InputError::Shape {
        what,
        expected,
        found: kind(found),
    }
}

pub(super) fn syntax(error: &serde_json::Error) -> InputError {
    InputError::NotJson {
        line: error.line(),
        column: error.column(),
        reason: if error.is_eof() {
            "it ends too early"
        } else {
            "it is malformed, nested too deep, or names a key twice"
        },
    }
}

/// The part as an object, or an error that says what stood there instead.
pub(super) fn object<'a>(
    what: &'static str,
    part: Option<&'a RawValue>,
) -> Result<&'a str, InputError> {
    let text = part.map_or("", RawValue::get);
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(shape(what, "an object", text))
    }
}

/// A whole number, which some callers send as text.
pub(super) fn unsigned(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}
