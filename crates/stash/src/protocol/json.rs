//! Reading JSON so that an error names the place and the kind of what stood there, never the value:
//! a value may be a session cookie.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

/// An object of a known shape, or what stands in its place. Read in one pass: a look at the whole costs a millisecond
/// when it holds a cover.
pub(super) enum Object<T> {
    Is(T),
    Not(&'static str),
}

impl<T> Object<T> {
    pub(crate) fn get(this: Option<Self>, what: &'static str) -> Result<T, InputError> {
        let found = match this {
            Some(Self::Is(it)) => return Ok(it),
            Some(Self::Not(found)) => found,
            None => "nothing",
        };
        Err(InputError::Shape {
            what,
            expected: "an object",
            found,
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object::Is)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object::Not("a list"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object::Not("text"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Object::Not("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Object::Not("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Object::Not("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Object::Not("a number"))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object::Not("null"))
    }
}
