//! What each failure is called, and what must never be in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod long_lines;
mod secrets;

use std::{error::Error as _, io::Write, net::TcpListener, time::Duration};

use common::{TOKEN, builder, client, client_with, raw_server};
use mockito::{Matcher, Server};
use plex::{
    Client, Device, Edit, Error, Field, ItemKind, RatingKey, SetupError, TagKind, Timeouts, Token,
    Unreachable,
};

fn key() -> RatingKey {
    "1".parse().unwrap()
}

fn short() -> Timeouts {
    let limit = Duration::from_millis(300);
    Timeouts {
        connect: Duration::from_secs(5),
        read: limit,
        list: limit,
        write: limit,
        upload: limit,
    }
}

/// The failure of reading an item when the server gives this answer.
async fn failure(answer: impl Into<Vec<u8>>) -> Error {
    let plex = client(&raw_server(answer));
    plex.item(&key()).await.unwrap_err()
}

async fn answered(status: u16, headers: &str, body: &str) -> Error {
    let length = body.len();
    failure(format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
    .await
}

#[tokio::test]
async fn each_answer_has_its_error() {
    const HTML: &str =
        "<html><head><title>Bad Request</title></head><body><h1>400 Bad Request</h1></body></html>";
    const NGINX: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503</h1>";
    const LATER: &str = "Retry-After: 7\r\n";
    for (status, headers, body, expected) in [
        (
            400,
            "",
            HTML,
            r#"Rejected { status: 400, text: "Bad Request" }"#,
        ),
        (
            400,
            "",
            "",
            r#"Rejected { status: 400, text: "no reason given" }"#,
        ),
        (400, "", "<p>Server is still Starting up</p>", "Starting("),
        (401, "", HTML, "Unauthorized { status: 401, by_plex: true }"),
        (403, "", HTML, "Unauthorized { status: 403, by_plex: true }"),
        (
            401,
            "X-Plex-Protocol: 1.0\r\n",
            "",
            "Unauthorized { status: 401, by_plex: true }",
        ),
        (
            401,
            "",
            NGINX,
            "Unauthorized { status: 401, by_plex: false }",
        ),
        (
            403,
            "WWW-Authenticate: Basic\r\n",
            r#"{"error":"log in"}"#,
            "Unauthorized { status: 403, by_plex: false }",
        ),
        (404, "", HTML, "NotFound"),
        (409, "", HTML, "Rejected { status: 409"),
        (
            413,
            "",
            "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>",
            r#"Rejected { status: 413, text: "Request Entity Too Large" }"#,
        ),
        (414, "", HTML, "LineTooLong { status: 414, bytes: "),
        (
            422,
            "",
            r#"{"title":"Bad","status":"No such value"}"#,
            r#"Rejected { status: 422, text: "No such value" }"#,
        ),
        (
            429,
            LATER,
            "",
            "Overloaded { status: 429, text: \"no reason given\", retry_after: Some(7s) }",
        ),
        (
            429,
            "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT\r\n",
            "",
            "retry_after: Some(0ns) }",
        ),
        (429, "Retry-After: soon\r\n", "", "retry_after: None }"),
        (500, "", HTML, "Overloaded { status: 500"),
        (
            502,
            LATER,
            NGINX,
            "Gateway { status: 502, retry_after: Some(7s) }",
        ),
        (503, "", NGINX, "Gateway { status: 503, retry_after: None }"),
        (503, "", "no available server", "Gateway { status: 503"),
        (
            503,
            "X-Plex-Protocol: 1.0\r\n",
            "",
            "Overloaded { status: 503",
        ),
        (503, "", HTML, "Overloaded { status: 503"),
        (
            503,
            "",
            r#"{"code":503,"title":"Maintenance","status":"wait"}"#,
            r#"Starting("wait")"#,
        ),
        (
            503,
            "",
            r#"<Response code="503" title="Maintenance" status="wait" />"#,
            r#"Starting("wait")"#,
        ),
        (504, "", "", "Gateway { status: 504"),
        (
            302,
            "Location: https://other.example/login?secret=1\r\n",
            "",
            r#"Redirected { status: 302, to: "https://other.example", excerpt: "" }"#,
        ),
        (
            307,
            "Location: /web/index.html\r\n",
            "<a href=\"/web/index.html?secret=1\">Moved</a>",
            r#"Redirected { status: 307, to: "another path", excerpt: "Moved" }"#,
        ),
        (
            200,
            "",
            "<html><script>if (a < b) {}</script><style>p{}</style><p>Log\tin,\r\n\u{7}<b>friend</b></html>",
            r#"NotPlex { status: 200, excerpt: "Log in, friend" }"#,
        ),
        (
            200,
            "",
            "<html><title>Router</title>Log in</html>",
            r#"NotPlex { status: 200, excerpt: "Router" }"#,
        ),
        (200, "", "", r#"NotPlex { status: 200, excerpt: "" }"#),
        (
            200,
            "",
            r#"{"data":[]}"#,
            r#"NotPlex { status: 200, excerpt: "{\"data\":[]}" }"#,
        ),
        (
            200,
            "",
            r#"{"MediaContainer":{"Metadata":[{"ratingKey":"1","ti"#,
            "Malformed(",
        ),
        (
            200,
            "",
            r#"{"MediaContainer":{"Metadata":[{"title":"no key"}]}}"#,
            "Unreadable(",
        ),
        (200, "", r#"{"MediaContainer":{"size":0}}"#, "NotFound"),
    ] {
        let error = format!("{:?}", answered(status, headers, body).await);
        assert!(error.contains(expected), "{status} {body}: {error}");
    }
}

#[tokio::test]
async fn a_page_instead_of_nothing_is_not_a_success() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("PUT", Matcher::Any)
        .with_body("<!DOCTYPE html><p>Log in");
    mock.create_async().await;
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key()).set(Field::Title, "A");
    let error = client(&server.url()).edit(&edit).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotPlex { status: 200, excerpt } if excerpt == "Log in"),
        "{error:?}"
    );
}

#[tokio::test]
async fn no_connection() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = client(&format!("http://{free}"))
        .item(&key())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                cause: Unreachable::Refused,
                ..
            }
        ),
        "{error:?}"
    );
    // No resolver is asked about a name with so long a part.
    let error = client(&format!("http://{}.invalid", "x".repeat(64)))
        .item(&key())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                cause: Unreachable::Dns,
                ..
            }
        ),
        "{error:?}"
    );
    let error = failure("").await;
    assert!(
        matches!(
            error,
            Error::Unreachable {
                cause: Unreachable::Closed,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_is_a_timeout_for_every_kind_of_call() {
    // Accepts connections, by the operating system's hand, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let plex = client_with(builder(), &url, short());
    let limit = Duration::from_millis(300);
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key()).set(Field::Title, "A");
    for error in [
        plex.item(&key()).await.unwrap_err(),
        plex.sections().await.unwrap_err(),
        plex.edit(&edit).await.unwrap_err(),
        plex.owner_check().await.unwrap_err(),
    ] {
        assert!(
            matches!(error, Error::Timeout(at) if at == limit),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_stalls_or_breaks_off() {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{";
    let error = failure(start).await;
    assert!(matches!(error, Error::CutShort(_)), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    answer.resize(33 << 20, b' ');
    let error = failure(answer).await;
    assert!(matches!(error, Error::TooLarge(_)), "{error:?}");
}

#[tokio::test]
async fn a_compressed_answer_counts_as_what_it_unpacks_to() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..33 {
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let body = gzip.finish().unwrap();
    assert!(body.len() < 1 << 20);
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    let error = failure(answer).await;
    assert!(matches!(error, Error::TooLarge(_)), "{error:?}");
}
