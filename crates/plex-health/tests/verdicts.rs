//! Each state of a server has its verdict and its words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{net::TcpListener, time::Duration};

use common::{IDENTITY, answer, builder, hasty, probe, server};
use plex_health::{Probe, Report, SetupError, Unreachable, Verdict};

async fn verdict(answer: impl Into<Vec<u8>>) -> Verdict {
    let answer = answer.into();
    probe(&server(move |_| Some(answer.clone())))
        .shallow()
        .await
        .verdict
}

#[tokio::test]
async fn each_answer_has_its_verdict_and_words() {
    const PLEX: &str = "X-Plex-Protocol: 1.0\r\n";
    const HTML: &str =
        "<html><head><title>X</title></head><body><h1>503 Service Unavailable</h1></body></html>";
    const NGINX: &str =
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502</h1>";
    const HAPROXY: &str =
        "<html><body><h1>503 Service Unavailable</h1>\nNo server is available.\n</body></html>";
    const MIGRATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response code="503" title="Maintenance" status="Running database migrations." />"#;
    const STARTUP: &str = r#"{"code":503,"title":"Maintenance","status":"Running startup tasks."}"#;
    for (status, headers, body, words) in [
        (200, PLEX, IDENTITY, "healthy, version 1.43.1"),
        (
            200,
            "",
            r#"{"MediaContainer":{"machineIdentifier":"abc","claimed":"0"}}"#,
            "healthy, not claimed by an account",
        ),
        (
            200,
            "",
            r#"<MediaContainer claimed="1" machineIdentifier="abc" version="1.2" />"#,
            "healthy, version 1.2",
        ),
        (
            200,
            "",
            r#"{"MediaContainer":{"machineIdentifier":"abc","startState":"startingPlugins"}}"#,
            "starting or in maintenance: startingPlugins",
        ),
        (
            503,
            "",
            MIGRATION,
            "starting or in maintenance: Running database migrations.",
        ),
        (
            503,
            "",
            STARTUP,
            "starting or in maintenance: Running startup tasks.",
        ),
        (
            503,
            "",
            "<html>Down for maintenance</html>",
            "starting or in maintenance: Plex is in maintenance.",
        ),
        (
            400,
            "",
            "<html>The server is still starting up</html>",
            "starting or in maintenance: Plex is still starting up.",
        ),
        (503, PLEX, "", "overloaded: Plex answered HTTP 503"),
        (503, "", HTML, "overloaded: Plex answered HTTP 503"),
        (
            503,
            "",
            r#"{"title":"Busy"}"#,
            "overloaded: Plex answered HTTP 503",
        ),
        (500, "", HTML, "overloaded: Plex answered HTTP 500"),
        (429, "", "", "overloaded: Plex answered HTTP 429"),
        (408, "", "", "overloaded: Plex answered HTTP 408"),
        (
            503,
            "",
            HAPROXY,
            "down behind its proxy: the proxy answered HTTP 503, not Plex",
        ),
        (
            503,
            "",
            NGINX,
            "down behind its proxy: the proxy answered HTTP 503, not Plex",
        ),
        (
            503,
            "",
            "no available server",
            "down behind its proxy: the proxy answered HTTP 503, not Plex",
        ),
        (
            502,
            "",
            NGINX,
            "down behind its proxy: the proxy answered HTTP 502, not Plex",
        ),
        (
            504,
            "",
            "",
            "down behind its proxy: the proxy answered HTTP 504, not Plex",
        ),
        (
            401,
            "",
            HTML,
            "guarded: a proxy in front of Plex wants a login of its own (HTTP 401)",
        ),
        (
            403,
            "",
            "",
            "guarded: a proxy in front of Plex wants a login of its own (HTTP 403)",
        ),
        (
            302,
            "Location: http://127.0.0.1:1/\r\n",
            "",
            "not Plex: something else answered (HTTP 302)",
        ),
        (404, "", "", "not Plex: something else answered (HTTP 404)"),
        (200, "", "", "not Plex: something else answered (HTTP 200)"),
        (
            200,
            "",
            "<!doctype HTML><p>router",
            "not Plex: something else answered (HTTP 200)",
        ),
        (
            200,
            "",
            r#"{"status":"ok"}"#,
            "not Plex: something else answered (HTTP 200)",
        ),
        (
            200,
            "",
            r#"{"MediaContainer":{"size":0}}"#,
            "not Plex: something else answered (HTTP 200)",
        ),
        (
            200,
            "",
            "<feed />",
            "not Plex: something else answered (HTTP 200)",
        ),
        (
            200,
            "",
            "\u{feff}{\"MediaContainer\":{\"machi",
            "garbled: the answer was incomplete or damaged",
        ),
        (
            200,
            "",
            "<MediaContainer machineIdentifier=\"ab",
            "garbled: the answer was incomplete or damaged",
        ),
    ] {
        let verdict = verdict(answer(status, headers, body)).await;
        assert_eq!(verdict.to_string(), words, "{status} {body}");
        assert_eq!(verdict.hint().is_empty(), verdict.is_healthy(), "{words}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_garbled() {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"MediaContainer\":";
    assert_eq!(verdict(start).await, Verdict::Garbled);
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(5 << 20, b' ');
    assert_eq!(verdict(endless).await, Verdict::NotPlex { status: 200 });
}

#[tokio::test]
async fn no_connection() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let unreachable = |cause| Verdict::Unreachable { cause };
    for (url, cause, words) in [
        (
            format!("http://{free}"),
            Unreachable::Refused,
            "unreachable: connection refused, nothing listens there",
        ),
        (
            // No resolver is asked about a name with so long a part.
            format!("http://{}.invalid", "x".repeat(64)),
            Unreachable::Dns,
            "unreachable: the host name does not resolve",
        ),
        (
            server(|_| Some(vec![])),
            Unreachable::Closed,
            "unreachable: the connection was closed without an answer",
        ),
        (
            server(|_| Some(b"SSH-2.0\r\n".to_vec())),
            Unreachable::Closed,
            "unreachable: the connection was closed without an answer",
        ),
    ] {
        let verdict = probe(&url).deep().await.verdict;
        assert_eq!(verdict, unreachable(cause), "{url}");
        assert_eq!(verdict.to_string(), words);
        assert!(!verdict.hint().is_empty());
    }
}

#[tokio::test]
async fn silence_is_hanging_and_costs_no_more_than_the_limit() {
    let report = hasty(&server(|_| None)).shallow().await;
    let limit = Duration::from_secs(1);
    assert_eq!(report.verdict, Verdict::Hanging { limit });
    assert_eq!(
        report.to_string(),
        "hanging: the connection was accepted, but no answer came within 1s"
    );
    assert!(report.latency >= limit, "{report:?}");

    // A body that stops half-way is no better.
    let stalls = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", stalls.local_addr().unwrap());
    let keep = std::thread::spawn(move || {
        use std::io::Write;
        let mut connection = stalls.accept().unwrap().0;
        common::read_request(&mut connection);
        connection
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
            .unwrap();
        connection
    });
    assert_eq!(
        hasty(&url).shallow().await.verdict,
        Verdict::Hanging { limit }
    );
    keep.join().unwrap();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = server(|request| panic!("followed: {request}"));
    let url = server(move |_| {
        Some(answer(
            307,
            &format!("Location: {elsewhere}/identity\r\n"),
            "",
        ))
    });
    let verdict = probe(&url).shallow().await.verdict;
    assert_eq!(verdict, Verdict::NotPlex { status: 307 });
    assert!(verdict.hint().contains("redirects"));
}

#[tokio::test]
async fn an_address_may_have_a_path() {
    for end in ["", "/"] {
        let url = server(|request| {
            assert!(request.starts_with("GET /plex/identity "), "{request}");
            Some(answer(200, "", IDENTITY))
        });
        let report = probe(&format!("{url}/plex{end}")).shallow().await;
        assert!(report.verdict.is_healthy(), "{report}");
    }
}

#[test]
fn what_is_no_address_or_token() {
    for url in [
        "",
        "plex:32400",
        "ftp://plex",
        "http://u:secret@plex",
        "http://plex/?X-Plex-Token=secret",
        "http://plex/#x",
    ] {
        let error = Probe::new(builder(), url).unwrap_err();
        assert!(matches!(error, SetupError::Url), "{url}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    let error = probe("http://plex").sign_in("secret\n", "id").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn a_report_as_json() {
    let report = Report {
        verdict: Verdict::Hanging {
            limit: Duration::from_secs(5),
        },
        latency: Duration::from_millis(5001),
    };
    assert_eq!(
        serde_json::to_string(&report).unwrap(),
        r#"{"verdict":"hanging","limit_seconds":5.0,"latency_ms":5001.0}"#
    );
    let verdict = Verdict::Unreachable {
        cause: Unreachable::Dns,
    };
    assert_eq!(
        serde_json::to_string(&verdict).unwrap(),
        r#"{"verdict":"unreachable","cause":"dns"}"#
    );
}
