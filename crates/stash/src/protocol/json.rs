//! Reading JSON so that an error names the place and the kind of what stood there, never the value:
//! a value may be a session cookie.

use serde_json::Value;
use serde_json::value::RawValue;

use super::InputError;

/// What a JSON text holds, told by its first character.
pub(crate) fn kind(text: &str) -> &'static str {
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

pub(crate) fn shape(what: &'static str, expected: &'static str, found: &str) -> InputError {
    InputError::Shape {
        what,
        expected,
        found: kind(found),
    }
}

/// The same where a value was read, or nothing.
pub(crate) fn shape_of(
    what: &'static str,
    expected: &'static str,
    found: Option<&Value>,
) -> InputError {
    let found = found.map(Value::to_string).unwrap_or_default();
    shape(what, expected, &found)
}

pub(crate) fn syntax(error: &serde_json::Error) -> InputError {
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
pub(crate) fn object<'a>(
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
pub(crate) fn unsigned(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}
