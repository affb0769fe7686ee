//! Any JSON as a ledger record: what parses is written back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scene_sync::LastWritten;
use scene_sync::matching::{Candidate, Likeness};

fuzz_target!(|bytes: &[u8]| {
    let _ = serde_json::from_slice::<Candidate>(bytes);
    let _ = serde_json::from_slice::<Likeness>(bytes);
    if let Ok(record) = serde_json::from_slice::<LastWritten>(bytes) {
        let text = serde_json::to_string(&record).expect("a record is JSON");
        let again: LastWritten = serde_json::from_str(&text).expect("and parses");
        assert_eq!(again, record);
    }
});
