//! Items that cannot be read, kept apart so that one of them does not hide the others.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Item, RatingKey};

/// An item of a shape this library does not understand, as far as it is known. It shows as its key
/// and title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its key; `None` when that is what is wrong.
    pub key: Option<RatingKey>,
    /// Its title; empty when unknown.
    pub title: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "item {key}")?,
            None => f.write_str("an item without a key")?,
        }
        if !self.title.is_empty() {
            write!(f, " ({:?})", self.title)?;
        }
        Ok(())
    }
}

impl Skipped {
    fn new(entry: &Value) -> Self {
        Self {
            key: RatingKey::deserialize(&entry["ratingKey"]).ok(),
            title: entry["title"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// One entry of a list of items.
pub(crate) enum Entry {
    Item(Box<Item>),
    Skipped(Skipped),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(deserializer)?;
        // A list would pass for an object with its fields in order.
        let item = entry.is_object().then(|| Item::deserialize(&entry));
        Ok(match item {
            Some(Ok(item)) => Self::Item(Box::new(item)),
            _ => Self::Skipped(Skipped::new(&entry)),
        })
    }
}
