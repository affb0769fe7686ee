//! Any text as the address of a Stash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::client::{Endpoint, is_placeholder};

fuzz_target!(|text: &str| {
    let _ = is_placeholder(text);
    if let Ok(endpoint) = Endpoint::new(text) {
        assert!(endpoint.base().path().ends_with('/'));
    }
});
