//! Any bytes as any answer.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = plex::fuzzing::answers(body);
    // What begins like an answer reaches deeper.
    let inside = [b"{\"MediaContainer\":".as_slice(), body, b"}"].concat();
    let _ = plex::fuzzing::answers(&inside);
});
