//! Any answer of a server has a verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (status, plex_header, body) = input;
    let verdict = plex_health::judge(status, plex_header, body);
    assert!(!verdict.is_healthy() || (200..300).contains(&status));
});
