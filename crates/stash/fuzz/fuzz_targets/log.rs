//! Any message: every line has its prefix and stays below what Stash reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stash::protocol::{Level, MAX_LINE, encode};

fuzz_target!(|message: &str| {
    for line in encode(Level::Info, message).split_terminator('\n') {
        assert!(line.starts_with("\u{1}i\u{2}") && line.len() > 3);
        assert!(line.len() <= MAX_LINE + 6);
    }
});
