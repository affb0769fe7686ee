//! Identifiers that cannot be empty, and the token that cannot be printed.

use std::{fmt, str::FromStr};

use reqwest::header::HeaderValue;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// Text that cannot be an identifier of Plex.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an identifier of Plex: those are letters, digits, '-' and '_'")]
pub struct InvalidId(String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text that goes to Plex.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid = !text.is_empty()
                    && text.len() <= 64
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                if valid { Ok(Self(text.to_owned())) } else { Err(InvalidId(text.to_owned())) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::lenient::text(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// The key of an item (a movie, an episode…). Opaque: today's servers use numbers. It can
    /// neither be empty nor name several items, so an edit always hits exactly one.
    ///
    /// ```
    /// use plex::RatingKey;
    ///
    /// assert!("1036".parse::<RatingKey>().is_ok());
    /// assert!("".parse::<RatingKey>().is_err());
    /// assert!("1,2".parse::<RatingKey>().is_err());
    /// ```
    RatingKey
}

id! {
    /// The key of a library ("section" in Plex's interface).
    SectionId
}

/// A Plex token. It is sent as a header to its own server and shows nowhere else.
///
/// ```
/// let token: plex::Token = "s3cret".parse().unwrap();
/// assert_eq!(format!("{token:?}"), "Token(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// The token is empty, or has characters that cannot be sent. Its text is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the Plex token is empty or has characters no token has: copy it again")]
pub struct InvalidToken;

impl Token {
    pub(crate) fn new(text: &str) -> Result<Self, InvalidToken> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut header = HeaderValue::from_str(text).map_err(|_| InvalidToken)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The token itself, for another client of the same server.
    #[must_use]
    pub fn expose(&self) -> &str {
        // Made of visible ASCII only.
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }

    /// `text` without the token, should someone have echoed it.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(self.expose(), "[token]")
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    /// What often comes with copying, such as white space, quotation marks or `X-Plex-Token=`, is
    /// dropped: see [`token`](crate::token).
    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        Ok(crate::token(text)?.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
