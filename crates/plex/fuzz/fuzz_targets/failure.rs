//! Any status, header and body of a failure.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, Vec<u8>, String, usize)| {
    let (status, header, body, line) = input;
    let error = plex::fuzzing::failure(status, &header, &body, line);
    assert!(error.to_string().chars().count() < 1000);
});
