//! A payload as stored: JSON that can be read back.
//!
//! serde_json writes `null` for a number that is not finite, and reads nothing nested deeper than
//! it likes: both would be noticed only by the worker. So a payload is walked through once, by a
//! serializer that writes nothing.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::error::{Error, Result};

/// Arrays and objects within each other that serde_json reads.
const DEPTH: usize = 127;

/// The payload's JSON.
pub(crate) fn encode<T: Serialize>(payload: &T, limit: usize) -> Result<String> {
    match payload.serialize(Walk { depth: 0 }) {
        Err(Fault::NotFinite) => return Err(Error::NotFinite),
        Err(Fault::TooNested) => return Err(Error::TooNested { limit: DEPTH }),
        // What the payload itself objects to comes again.
        Err(Fault::Own) | Ok(()) => {}
    }
    let json = serde_json::to_string(payload).map_err(Error::Encode)?;
    if json.len() > limit {
        return Err(Error::PayloadTooLarge {
            size: json.len(),
            limit,
        });
    }
    Ok(json)
}

/// Why a payload could not be read back.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("not finite")]
    NotFinite,
    #[error("too nested")]
    TooNested,
    #[error("its own")]
    Own,
}

impl serde::ser::Error for Fault {
    fn custom<M: Display>(_: M) -> Self {
        Self::Own
    }
}

/// In so many arrays and objects.
#[derive(Clone, Copy)]
struct Walk {
    depth: usize,
}

type Walked<R = ()> = std::result::Result<R, Fault>;

impl Walk {
    fn within(self, more: usize) -> Walked<Self> {
        let depth = self.depth + more;
        if depth > DEPTH {
            Err(Fault::TooNested)
        } else {
            Ok(Self { depth })
        }
    }
}

/// Values with nothing in them.
macro_rules! leaves {
    ($($name:ident($($type:ty),*)),+) => {
        $(fn $name(self, $(_: $type),*) -> Walked { Ok(()) })+
    };
}

/// Values with one other in them, so many levels deeper.
macro_rules! wrappers {
    ($($name:ident($($type:ty),*) + $more:literal),+) => {
        $(fn $name<V: Serialize + ?Sized>(self, $(_: $type,)* value: &V) -> Walked {
            value.serialize(self.within($more)?)
        })+
    };
}

/// Values with many in them, so many levels deeper.
macro_rules! containers {
    ($($name:ident($($type:ty),*) + $more:literal),+) => {
        $(fn $name(self, $(_: $type),*) -> Walked<Self> { self.within($more) })+
    };
}

impl Serializer for Walk {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    leaves! {
        serialize_bool(bool), serialize_char(char), serialize_str(&str),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
        serialize_none(), serialize_unit(), serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    wrappers! {
        serialize_some() + 0, serialize_newtype_struct(&'static str) + 0,
        serialize_newtype_variant(&'static str, u32, &'static str) + 1
    }

    // Variants with several fields are these within an object of one entry.
    containers! {
        serialize_seq(Option<usize>) + 1, serialize_tuple(usize) + 1, serialize_map(Option<usize>) + 1,
        serialize_tuple_struct(&'static str, usize) + 1, serialize_struct(&'static str, usize) + 1,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) + 2,
        serialize_struct_variant(&'static str, u32, &'static str, usize) + 2
    }

    fn serialize_f32(self, number: f32) -> Walked {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Walked {
        number.is_finite().then_some(()).ok_or(Fault::NotFinite)
    }

    /// Written as an array of numbers.
    fn serialize_bytes(self, _: &[u8]) -> Walked {
        self.within(1).map(drop)
    }
}

macro_rules! branches {
    ($($trait:ident::$name:ident($($label:ty)?) $({ $($and:tt)* })?),+) => {
        $(impl $trait for Walk {
            type Ok = ();
            type Error = Fault;

            fn $name<V: Serialize + ?Sized>(&mut self, $(_: $label,)? value: &V) -> Walked {
                value.serialize(*self)
            }

            $($($and)*)?

            fn end(self) -> Walked {
                Ok(())
            }
        })+
    };
}

branches! {
    SerializeSeq::serialize_element(), SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(), SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str), SerializeStructVariant::serialize_field(&'static str),
    // serde_json itself refuses keys that are no text, and numbers among them that are not finite.
    SerializeMap::serialize_value() {
        fn serialize_key<K: Serialize + ?Sized>(&mut self, _: &K) -> Walked { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use proptest::sample::select;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Nested {
        Leaf,
        Number(f64),
        Some(Option<f32>),
        One(Box<Nested>),
        Two(Box<Nested>, u8),
        Named { it: Box<Nested> },
        Many(Vec<Nested>),
        Map(BTreeMap<String, Nested>),
    }

    fn wrap(inner: Nested, how: u8) -> Nested {
        let inner = Box::new(inner);
        match how {
            0 => Nested::One(inner),
            1 => Nested::Two(inner, 1),
            2 => Nested::Named { it: inner },
            3 => Nested::Many(vec![*inner, Nested::Leaf]),
            _ => Nested::Map([("key".to_owned(), *inner)].into()),
        }
    }

    proptest! {
        /// What is accepted is read back as it was, and what is refused would not be.
        #[test]
        fn what_is_stored_can_be_read(
            kinds in prop::collection::vec(0..5u8, 0..90),
            leaf in prop_oneof![
                Just(Nested::Leaf),
                select(vec![1.5, f64::NAN, f64::INFINITY]).prop_map(Nested::Number),
                select(vec![None, Some(1.5), Some(f32::NAN)]).prop_map(Nested::Some),
            ],
        ) {
            let nested = kinds.into_iter().fold(leaf, wrap);
            let json = serde_json::to_string(&nested).unwrap();
            let readable = serde_json::from_str(&json).is_ok_and(|read: Nested| read == nested);
            prop_assert_eq!(encode(&nested, usize::MAX).is_ok(), readable, "{}", json);
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let refused = |number: f64| encode(&[number], 99);
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(refused(number), Err(Error::NotFinite)));
        }
        let nested = |depth| {
            (0..depth).fold(serde_json::Value::Null, |inner, _| {
                [inner].into_iter().collect()
            })
        };
        assert!(encode(&nested(DEPTH), 999).is_ok());
        assert!(matches!(
            encode(&nested(DEPTH + 1), 999),
            Err(Error::TooNested { limit: 127 })
        ));
    }
}
