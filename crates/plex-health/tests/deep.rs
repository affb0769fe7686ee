//! What a deep probe sees, and to whom it shows the token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{IDENTITY, answer, hasty, probe, server};
use plex_health::{Identity, Libraries, Probe, Report, Verdict};

/// A server whose paths after `/identity` answer as given.
fn deep_server(root: &'static str, sections: fn() -> Option<Vec<u8>>) -> String {
    server(move |request| {
        if request.starts_with("GET /identity ") {
            assert!(
                !request.to_lowercase().contains("x-plex-token"),
                "{request}"
            );
            return Some(answer(200, "", IDENTITY));
        }
        assert!(request.contains("x-plex-token: secret-token"), "{request}");
        assert!(
            request.contains("x-plex-client-identifier: my-id"),
            "{request}"
        );
        match request.starts_with("GET / ") {
            true => Some(answer(200, "", root)),
            false => {
                assert!(request.starts_with("GET /library/sections "), "{request}");
                sections()
            }
        }
    })
}

const READY: &str = r#"{"MediaContainer":{"friendlyName":"x"}}"#;

async fn deep(url: &str) -> Report {
    deep_with(probe(url)).await
}

async fn deep_with(probe: Probe) -> Report {
    let probe = probe.sign_in("secret-token", "my-id").unwrap();
    assert!(!format!("{probe:?}").contains("secret-token"));
    probe.deep().await
}

#[tokio::test]
async fn a_deep_probe_sees_more() {
    let healthy = |count, scanning| Verdict::Healthy {
        server: Identity {
            machine_identifier: "abc".into(),
            version: "1.43.1".into(),
            claimed: true,
        },
        libraries: Some(Libraries { count, scanning }),
    };
    let url = deep_server(READY, || {
        Some(answer(200, "", r#"{"MediaContainer":{"size":0}}"#))
    });
    assert_eq!(deep(&url).await.verdict, healthy(0, false));

    let url = deep_server(READY, || {
        Some(answer(
            200,
            "",
            r#"{"MediaContainer":{"Directory":[{"refreshing":false},{"refreshing":"1"}]}}"#,
        ))
    });
    let report = deep(&url).await;
    assert_eq!(report.verdict, healthy(2, true));
    let words = report.to_string();
    assert!(words.starts_with("healthy, responded in "), "{words}");
    assert!(
        words.ends_with(" ms, version 1.43.1, libraries: 2, scanning"),
        "{words}"
    );

    let url = deep_server(READY, || Some(answer(401, "", "<html>")));
    assert_eq!(
        deep(&url).await.verdict,
        Verdict::Unauthorized { status: 401 }
    );

    let url = deep_server(READY, || None);
    let report = deep_with(hasty(&url)).await;
    let limit = Duration::from_secs(1);
    assert_eq!(report.verdict, Verdict::DatabaseSlow { limit });
    assert_eq!(
        report.to_string(),
        "busy: Plex answers, but its library database did not answer within 1s"
    );

    let starting = r#"{"MediaContainer":{"startState":"startingPlugins"}}"#;
    let url = deep_server(starting, || panic!("asked although it is starting"));
    assert_eq!(
        deep(&url).await.verdict,
        Verdict::Starting {
            text: "startingPlugins".into()
        }
    );
}

#[tokio::test]
async fn a_token_that_is_echoed_is_not_told() {
    let url = server(|request| {
        let echo = r#"{"code":503,"title":"Maintenance","status":"no secret-token, please"}"#;
        Some(match request.starts_with("GET /identity ") {
            true => answer(200, "", IDENTITY),
            false => answer(503, "", echo),
        })
    });
    let said = deep(&url).await.to_string();
    assert_eq!(said, "starting or in maintenance: no [token], please");
}

#[tokio::test]
async fn another_server_never_gets_the_token() {
    let url = server(|request| {
        assert!(request.starts_with("GET /identity "), "{request}");
        Some(answer(200, "", IDENTITY))
    });
    let probe = probe(&url).sign_in("secret-token", "my-id").unwrap();
    let report = probe.clone().expect_server("xyz").deep().await;
    assert_eq!(
        report.to_string(),
        r#"wrong server: "abc" answered instead of "xyz""#
    );
    assert!(
        probe
            .expect_server("abc")
            .shallow()
            .await
            .verdict
            .is_healthy()
    );
}
