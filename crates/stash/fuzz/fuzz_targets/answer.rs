//! Any JSON as a row of Stash's answers, any text as a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::client::{Scene, SceneStamp};

fuzz_target!(|bytes: &[u8]| {
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
