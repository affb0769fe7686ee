//! Any bytes as any answer, any JSON as a row of one, any text as a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::client::{Scene, SceneStamp, fuzzing};

fuzz_target!(|bytes: &[u8]| {
    for status in [200, 400] {
        let _ = fuzzing::answers(status, bytes);
    }
    // What begins like an answer reaches deeper.
    for (before, after) in [
        (&b"{\"data\":{\"findScenes\":{\"scenes\":["[..], &b"]}}}"[..]),
        (b"{\"data\":{\"configuration\":", b"}}"),
        (b"{\"data\":{\"scene\":", b"}}"),
    ] {
        let _ = fuzzing::answers(200, &[before, bytes, after].concat());
    }
    let _ = serde_json::from_slice::<Scene>(bytes);
    let _ = serde_json::from_slice::<SceneStamp>(bytes);
    if let Some(seconds) = std::str::from_utf8(bytes)
        .ok()
        .and_then(stash::timestamp::parse)
    {
        assert_eq!(
            stash::timestamp::parse(&stash::timestamp::format(seconds)),
            Some(seconds)
        );
    }
});
