//! RFC 3339 as Stash writes it.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use stash::timestamp::{format, parse};

#[test]
fn known_times() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T12:00:00Z", 951_825_600),
        ("2024-06-01T14:05:37-05:00", 1_717_268_737),
        ("2024-06-01T14:05:37.123456789-05:00", 1_717_268_737),
        ("2024-06-02T00:35:37+05:30", 1_717_268_737),
        ("0001-01-01T00:00:00Z", -62_135_596_800),
    ] {
        assert_eq!(parse(text), Some(seconds), "{text}");
    }
    for text in [
        "",
        "2024-06-01",
        "2024-06-01T",
        "2024-06-01T14:05:37",
        "2024-13-01T00:00:00Z",
        "2024-06-01T24:00:00Z",
        "2024-06-01T14:05:37+25:00",
        "2024-06-01T14:05Z",
        "+2024-06-01T14:05:37Z",
        "2024-06-01T14:05:37Zx",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn formatting_and_parsing_agree(seconds in -62_135_596_800i64..253_402_300_800) {
        prop_assert_eq!(parse(&format(seconds)), Some(seconds));
    }

    /// In UTC, text order is time order: what the filter relies on.
    #[test]
    fn text_order_is_time_order(a in 0i64..4_000_000_000, b in 0i64..4_000_000_000) {
        prop_assert_eq!(format(a).cmp(&format(b)), a.cmp(&b));
    }

    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        let _ = parse(&text);
    }
}
