//! Any text as the address of a Stash, as that of an image, or as a cookie.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::client::{Endpoint, fuzzing, is_placeholder};

fuzz_target!(|text: &str| {
    let _ = is_placeholder(text);
    if let Ok(endpoint) = Endpoint::new(text) {
        assert!(endpoint.base().path().ends_with('/'));
    }
    if let Some((path, query)) = fuzzing::image_path(text) {
        assert!(!path.starts_with('/'));
        assert!(query.is_none_or(|query| query.split('&').all(|pair| !pair.starts_with("apikey="))));
    }
    if let Some(session) = fuzzing::session(text) {
        assert!(!session.contains(';') && session.trim() == session);
    }
});
