//! What each failure is called, and what must never be in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

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
async fn a_long_line_that_is_refused_goes_out_in_parts() {
    let mut server = Server::new_async().await;
    server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().len() > 5000)
        .with_status(400)
        .expect(1)
        .create_async()
        .await;
    let parts = server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().len() <= 5000)
        .expect(2)
        .create_async()
        .await;
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key())
        .set(Field::Summary, "s".repeat(3000))
        .set(Field::Tagline, "t".repeat(3000));
    client(&server.url()).edit(&edit).await.unwrap();
    parts.assert_async().await;
}

#[tokio::test]
async fn a_long_line_that_cannot_be_parted_is_an_error() {
    let mut server = Server::new_async().await;
    let put = server
        .mock("PUT", Matcher::Any)
        .with_status(414)
        .expect(1)
        .create_async()
        .await;
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key())
        .set(Field::Summary, "s".repeat(5000));
    let error = client(&server.url()).edit(&edit).await.unwrap_err();
    let expected = format!(
        "PUT /library/sections/1/all?type=1&id=1&summary.value={}&summary.locked=1 HTTP/1.1",
        "s".repeat(5000)
    );
    match error {
        Error::LineTooLong { status: 414, bytes } => assert_eq!(bytes, expected.len()),
        other => panic!("{other:?}"),
    }
    put.assert_async().await;
}

#[tokio::test]
async fn a_whole_edit_is_one_request_or_none() {
    let edit = |tags: usize| {
        let names = (0..tags).map(|n| format!("genre number {n}"));
        Edit::new("1".parse().unwrap(), ItemKind::Movie, key()).tags(TagKind::Genre, names)
    };
    let mut server = Server::new_async().await;
    let put = server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().contains("genre[999].tag.tag="))
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    plex.edit_whole(&edit(0)).await.unwrap();
    plex.edit_whole(&edit(1000)).await.unwrap();
    let error = plex.edit_whole(&edit(2000)).await.unwrap_err();
    assert!(matches!(error, Error::TooLong(_)), "{error:?}");
    put.assert_async().await;

    let refused = server.mock("PUT", Matcher::Any).with_status(400);
    let refused = refused.expect(1).create_async().await;
    let error = plex.edit_whole(&edit(999)).await.unwrap_err();
    assert!(
        matches!(error, Error::LineTooLong { status: 400, bytes } if bytes > plex::MAX_LINE),
        "{error:?}"
    );
    refused.assert_async().await;
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

#[tokio::test]
async fn the_token_goes_to_its_own_server_only() {
    let mut other = Server::new_async().await;
    let never = other
        .mock("GET", Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let mut server = Server::new_async().await;
    let redirect = server
        .mock("GET", Matcher::Any)
        .match_header("x-plex-token", TOKEN)
        .match_header("x-plex-client-identifier", "identifier")
        .with_status(307)
        .with_header("location", &other.url())
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    let error = plex.item(&key()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
    never.assert_async().await;
    redirect.assert_async().await;
}

#[tokio::test]
async fn no_proxy_sees_the_token() {
    let mut proxy = Server::new_async().await;
    let never = proxy
        .mock("GET", Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let mut server = Server::new_async().await;
    let sections = server.mock("GET", "/library/sections");
    let sections = sections
        .with_body(r#"{"MediaContainer":{}}"#)
        .create_async();
    let sections = sections.await;
    let builder = builder().proxy(reqwest::Proxy::all(proxy.url()).unwrap());
    let plex = client_with(builder, &server.url(), Timeouts::default());
    assert_eq!(plex.sections().await.unwrap(), []);
    never.assert_async().await;
    sections.assert_async().await;
}

#[tokio::test]
async fn no_text_has_the_token_or_the_address() {
    let echo = format!("<html><title>Bad token {TOKEN}</title></html>");
    let plex = client("http://127.0.0.1:9");
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut texts = format!("{plex:?}");
    for error in [
        answered(400, "", &echo).await,
        answered(307, "", &echo).await,
        answered(200, "", &echo).await,
        client(&format!("http://{refused}"))
            .item(&key())
            .await
            .unwrap_err(),
    ] {
        texts += &format!(
            "{error} {error:?} {:?}",
            error.source().map(ToString::to_string)
        );
    }
    assert_eq!(texts.matches(": Bad token [token] ").count(), 3, "{texts}");
    assert!(!texts.contains(TOKEN), "{texts}");
    assert!(!texts.contains(&format!("http://{refused}")), "{texts}");
    assert_eq!(format!("{:?}", TOKEN.parse::<Token>()), "Ok(Token(…))");
}

#[test]
fn what_cannot_be_a_server_or_device() {
    let device = Device::new("id", "product", "1");
    let make =
        |url: &str, device: &Device| Client::new(builder(), url, None, device, Timeouts::default());
    for url in [
        "",
        "plex.local:32400",
        "ftp://plex.local",
        "http://user:secret@plex.local",
        "http:///",
    ] {
        let error = make(url, &device).unwrap_err();
        assert!(matches!(error, SetupError::Url), "{url}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    for url in [
        "http://10.0.0.1:32400",
        " https://plex.local/behind/proxy/ ",
        "http://[::1]:32400",
    ] {
        make(url, &device).unwrap();
    }
    assert!(matches!(
        make("http://a", &Device::new("id", "a\nb", "1")),
        Err(SetupError::Device("product"))
    ));
    make("http://a", &Device::new("id", "Ünïcode", "1")).unwrap();
}
