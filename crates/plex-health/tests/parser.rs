//! Whatever is sent, a verdict comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plex_health::{Verdict, judge};
use proptest::prelude::*;

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "<",
        "/>",
        ">",
        "=",
        "MediaContainer",
        "machineIdentifier",
        "version",
        "claimed",
        "Response",
        "title",
        "status",
        "Maintenance",
        "html",
        "Directory",
        "1",
        "null",
        "{\"MediaContainer\":{\"machineIdentifier\":\"a\"",
        "<MediaContainer machineIdentifier=\"a\"",
        "\u{feff}",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn only_an_identifier_with_200_is_healthy(status in 100u16..1000, plex: bool, body in bodies()) {
        let verdict = judge(status, plex, &body);
        prop_assert!(!verdict.to_string().is_empty());
        if verdict.is_healthy() {
            prop_assert!((200..300).contains(&status));
            prop_assert!(String::from_utf8(body).unwrap().contains("machineIdentifier"));
        }
    }
}

#[test]
fn deep_nesting_is_no_danger() {
    for open in ["[", "{\"a\":", "<a>"] {
        let verdict = judge(200, true, open.repeat(1 << 20).as_bytes());
        assert!(!verdict.is_healthy());
    }
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;\">]><MediaContainer machineIdentifier=\"&c;\"/>";
    assert_eq!(judge(200, true, bomb.as_bytes()), Verdict::Garbled);
}

#[test]
fn what_a_server_says_is_kept_short_and_on_one_line() {
    let body = format!(
        r#"{{"title":"Maintenance","status":"{}\n\u001b[31m"}}"#,
        "x".repeat(150)
    );
    assert_eq!(
        judge(503, false, body.as_bytes()).to_string(),
        format!("starting or in maintenance: {}  [31m", "x".repeat(150))
    );
    let body = format!(
        r#"{{"title":"Maintenance","status":"{}"}}"#,
        "ü".repeat(5000)
    );
    let Verdict::Starting { text } = judge(503, false, body.as_bytes()) else {
        panic!();
    };
    assert_eq!(text, "ü".repeat(200));
}
