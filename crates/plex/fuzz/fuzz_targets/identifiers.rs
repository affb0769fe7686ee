//! Any text as a key or token.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plex::{RatingKey, Token};

fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<RatingKey>() {
        assert_eq!(key.as_str(), text);
        assert!(!text.is_empty() && !text.contains([',', '/', '?', '&']));
    }
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
});
