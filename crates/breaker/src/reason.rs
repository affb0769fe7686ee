//! A short label, copied without allocation.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a circuit was opened: a label of at most [`Reason::MAX_LEN`] bytes such as `unauthorized`,
/// kept inline so that it copies without allocation. A longer text is cut at a character.
///
/// ```
/// use breaker::Reason;
///
/// assert_eq!(Reason::from("unauthorized").as_str(), "unauthorized");
/// assert_eq!(Reason::from("ä".repeat(40).as_str()).as_str(), "ä".repeat(15));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason {
    len: u8,
    text: [u8; Reason::MAX_LEN],
}

impl Reason {
    /// The most bytes a label keeps.
    pub const MAX_LEN: usize = 31;

    /// A label that is short enough, as the breaker's own are.
    pub(crate) const fn of(label: &str) -> Self {
        let bytes = label.as_bytes();
        let mut text = [0; Self::MAX_LEN];
        let mut len = 0;
        while len < bytes.len() && len < text.len() {
            text[len] = bytes[len];
            len += 1;
        }
        Self {
            len: len as u8,
            text,
        }
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl From<&str> for Reason {
    fn from(label: &str) -> Self {
        Self::of(&label[..label.floor_char_boundary(Self::MAX_LEN)])
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*Cow::<str>::deserialize(deserializer)?))
    }
}
