//! Pictures: from the client's own base, of the right type, within bounds.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used)]

use mockito::{Matcher, Server};
use stash::Secret;
use stash::client::{Client, Endpoint, Error};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

fn client(url: &str) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = Endpoint::new(url).unwrap().with_api_key(Secret::new("KEY"));
    Client::new(reqwest::Client::builder(), &endpoint).unwrap()
}

/// `external_host` may name another host and a prefix; neither is called.
#[tokio::test]
async fn the_address_is_put_on_the_own_base() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/behind/proxy/scene/45/screenshot")
        .match_query(Matcher::Exact("t=1717268737".into()))
        .match_header("apikey", "KEY")
        .with_header("content-type", "image/jpeg; charset=binary")
        .with_body(JPEG)
        .expect(3)
        .create_async()
        .await;
    let client = client(&format!("{}/behind/proxy", server.url()));
    for address in [
        "https://stash.example.org/scene/45/screenshot?t=1717268737",
        "https://stash.example.org/some/prefix/scene/45/screenshot?apikey=OTHER&t=1717268737",
        "/scene/45/screenshot?t=1717268737",
    ] {
        let image = client.image(address, 1000).await.unwrap();
        assert_eq!(
            (image.content_type.as_str(), image.bytes.as_slice()),
            ("image/jpeg", JPEG)
        );
    }
    mock.assert_async().await;
    for foreign in [
        "http://elsewhere/graphql",
        "",
        "http://elsewhere/",
        "data:image/png;base64,AAAA",
    ] {
        assert_eq!(
            client.image(foreign, 1000).await,
            Err(Error::NoImage),
            "{foreign}"
        );
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let cases: [(usize, &str, &[u8], Error); 7] = [
        (302, "text/html", b"", Error::Unauthorized),
        (
            200,
            "text/html; charset=utf-8",
            b"<html>",
            Error::Malformed(r#""text/html" where a picture was expected"#.into()),
        ),
        (
            200,
            "video/mp4",
            b"x",
            Error::NotAPicture {
                content_type: "video/mp4".into(),
            },
        ),
        (
            200,
            "image/svg+xml",
            b"<svg/>",
            Error::NotAPicture {
                content_type: "image/svg+xml".into(),
            },
        ),
        (404, "text/plain", b"", Error::NoImage),
        (200, "image/png", b"", Error::NoImage),
        (200, "image/png", &[0; 101], Error::TooLarge { limit: 100 }),
    ];
    for (status, content_type, body, expected) in cases {
        let mut server = Server::new_async().await;
        let _mock = server
            .mock("GET", "/scene/1/screenshot")
            .with_status(status)
            .with_header("location", "/login")
            .with_header("content-type", content_type)
            .with_body(body)
            .create_async()
            .await;
        assert_eq!(
            client(&server.url())
                .image("/scene/1/screenshot", 100)
                .await,
            Err(expected)
        );
    }
}

/// No length is announced: the bound holds all the same.
#[tokio::test]
async fn a_chunked_picture_is_bounded() {
    let mut server = Server::new_async().await;
    let _mock = server
        .mock("GET", "/scene/1/screenshot")
        .with_header("content-type", "image/webp")
        .with_chunked_body(|writer| (0..100).try_for_each(|_| writer.write_all(&[7; 1000])))
        .create_async()
        .await;
    let client = client(&server.url());
    assert_eq!(
        client.image("/scene/1/screenshot", 50_000).await,
        Err(Error::TooLarge { limit: 50_000 })
    );
    assert_eq!(
        client
            .image("/scene/1/screenshot", 100_000)
            .await
            .unwrap()
            .bytes
            .len(),
        100_000
    );
}

/// Stash's ETag stays the same when only the scene's time of change, the address's `t=`, moves.
#[tokio::test]
async fn a_picture_that_is_known_is_not_sent_again() {
    const ETAG: &str = "\"9e107d9d372bb6826bd81d3542a419d6\"";
    let mut server = Server::new_async().await;
    let sent = server
        .mock("GET", "/scene/1/screenshot?t=1")
        .match_header("if-none-match", Matcher::Missing)
        .with_header("content-type", "image/jpeg")
        .with_header("etag", ETAG)
        .with_body(JPEG)
        .expect(2)
        .create_async()
        .await;
    let known = server
        .mock("GET", "/scene/1/screenshot?t=2")
        .match_header("if-none-match", ETAG)
        .match_header("apikey", "KEY")
        .with_status(304)
        .create_async()
        .await;
    let changed = server
        .mock("GET", "/scene/1/screenshot?t=3")
        .match_header("if-none-match", ETAG)
        .with_header("content-type", "image/png")
        .with_body("new")
        .create_async()
        .await;
    let client = client(&server.url());
    let first = client.image("/scene/1/screenshot?t=1", 1000).await.unwrap();
    assert_eq!(first.etag.as_deref(), Some(ETAG));
    let unless = |t: u8, etag| {
        let (client, address) = (&client, format!("/scene/1/screenshot?t={t}"));
        async move { client.image_unless(&address, etag, 1000).await.unwrap() }
    };
    assert_eq!(unless(1, None).await, Some(first));
    assert_eq!(unless(2, Some(ETAG)).await, None);
    let new = unless(3, Some(ETAG)).await.unwrap();
    assert_eq!((new.bytes, new.etag), (b"new".to_vec(), None));
    for mock in [sent, known, changed] {
        mock.assert_async().await;
    }
}

/// Whatever was kept as an ETag: one that no header can carry is none.
#[tokio::test]
async fn an_etag_that_cannot_be_sent_is_left_out() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/scene/1/screenshot")
        .match_header("if-none-match", Matcher::Missing)
        .with_header("content-type", "image/jpeg")
        .with_body(JPEG)
        .create_async()
        .await;
    let client = client(&server.url());
    let image = client
        .image_unless("/scene/1/screenshot", Some("a\nb"), 1000)
        .await;
    assert!(image.unwrap().is_some());
    mock.assert_async().await;
}
