//! Settings from a file: what is left out has its default, and what is misspelt is refused.
use std::time::Duration;

use backoff::{Jitter, Policy, Retry};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_retry_can_be_configured_in_part() {
    let text = json!({
        "policy": {"base": {"secs": 5, "nanos": 0}, "cap": {"secs": 80, "nanos": 0}, "jitter": "equal"},
        "max_tries": null,
    });
    let policy = Policy::exponential(Duration::from_secs(5), Duration::from_secs(80));
    let expected = Retry::new(policy.with_jitter(Jitter::Equal)).unlimited_tries();
    assert_eq!(serde_json::from_value::<Retry>(text).unwrap(), expected);
    assert_eq!(
        serde_json::from_value::<Retry>(json!({})).unwrap(),
        Retry::default()
    );
    assert!(serde_json::from_value::<Retry>(json!({"max_trys": 3})).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(base: u64, cap: u64, jitter in 0..4usize) {
        let jitter = [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::None][jitter];
        let policy = Policy::exponential(Duration::from_nanos(base), Duration::from_nanos(cap)).with_jitter(jitter);
        let text = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }
}
