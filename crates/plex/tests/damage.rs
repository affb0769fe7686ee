//! One item that cannot be read does not hide the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::client;
use mockito::{Matcher, Server};
use plex::{Error, ItemKind, Page, RatingKey, Sort};

async fn page(body: &[u8]) -> Result<Page, Error> {
    let mut server = Server::new_async().await;
    let get = server.mock("GET", Matcher::Any).with_body(body);
    let _get = get.create_async().await;
    client(&server.url())
        .page(&"1".parse().unwrap(), ItemKind::Movie, Sort::Title, 0, 3)
        .await
}

/// A page of three items out of nine, of which this is the second.
fn listing(second: &[u8]) -> Vec<u8> {
    let mut body = br#"{"MediaContainer":{"totalSize":9,"offset":0,"Metadata":[{"ratingKey":"1","title":"A \\ \"B\""},"#.to_vec();
    body.extend(second);
    body.extend(br#",{"ratingKey":"3"}]}}"#);
    body
}

#[tokio::test]
async fn what_no_text_may_hold_is_read_as_a_replacement_character() {
    for (second, title) in [
        (
            &b"{\"ratingKey\":\"2\",\"title\":\"caf\xe9\"}"[..],
            "caf\u{fffd}",
        ),
        (
            b"{\"ratingKey\":\"2\",\"title\":\"a\x01b\nc\"}",
            "a\u{fffd}b\u{fffd}c",
        ),
        (
            b"{\"ratingKey\":\"2\",\"title\":\"C:\\films\\\"\"}",
            "C:\u{c}ilms\"",
        ),
        (
            b"{\"ratingKey\":\"2\",\"title\":\"C:\\Films\"}",
            "C:\u{fffd}ilms",
        ),
        (
            b"{\"ratingKey\":\"2\",\"title\":\"a\\\x00b\"}",
            "a\u{fffd}b",
        ),
    ] {
        let page = page(&listing(second)).await.unwrap();
        let titles: Vec<_> = page.items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(titles, ["A \\ \"B\"", title, ""]);
        assert_eq!((page.skipped.len(), page.next), (0, Some(3)));
    }
}

#[tokio::test]
async fn an_item_of_a_wrong_shape_is_skipped_and_named() {
    for (second, name) in [
        (
            r#"{"ratingKey":"2","title":"B","Media":7}"#,
            "item 2 (\"B\")",
        ),
        (r#"{"ratingKey":2,"Media":[{"Part":["x"]}]}"#, "item 2"),
        (
            r#"{"title":"no\nkey"}"#,
            "an item without a key (\"no\\nkey\")",
        ),
        (
            r#"{"ratingKey":"1,2","title":["odd"]}"#,
            "an item without a key",
        ),
        ("null", "an item without a key"),
        ("[1]", "an item without a key"),
    ] {
        let page = page(&listing(second.as_bytes())).await.unwrap();
        let keys: Vec<_> = page.items.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["1", "3"], "{second}");
        assert_eq!(page.skipped.len(), 1);
        assert_eq!(page.skipped[0].to_string(), name);
        assert_eq!(page.next, Some(3), "the next page starts behind it");
    }
}

#[tokio::test]
async fn a_page_of_nothing_readable_is_not_the_last() {
    let body = br#"{"MediaContainer":{"totalSize":9,"Metadata":[null]}}"#;
    let page = page(body).await.unwrap();
    assert_eq!((page.items.len(), page.next), (0, Some(1)));
}

#[tokio::test]
async fn a_truncated_answer_stays_an_error() {
    let whole = listing(b"{\"ratingKey\":\"2\",\"title\":\"caf\xe9\"}");
    for end in (1..whole.len()).step_by(7) {
        let error = page(&whole[..end]).await.unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_not_taken_for_one_that_is_gone() {
    let mut server = Server::new_async().await;
    let body = r#"{"MediaContainer":{"Metadata":[{"ratingKey":"1"},{"ratingKey":"2","Media":7}]}}"#;
    let get = server.mock("GET", Matcher::Any).with_body(body);
    let _get = get.create_async().await;
    let plex = client(&server.url());
    let keys: Vec<RatingKey> = ["1", "2", "3"].map(|key| key.parse().unwrap()).into();
    let found = plex.items(&keys).await.unwrap();
    assert_eq!(found.items[0].key, keys[0]);
    assert_eq!(found.skipped[0].key.as_ref(), Some(&keys[1]));
    let error = plex.item(&keys[1]).await.unwrap_err();
    let text = "what Plex answers about item 2 cannot be read";
    assert_eq!(error.to_string(), text, "{error:?}");
}

#[tokio::test]
async fn a_library_that_cannot_be_read_hides_no_other() {
    let listed = async |entries: &str| {
        let mut server = Server::new_async().await;
        let body = format!(r#"{{"MediaContainer":{{"Directory":[{entries}]}}}}"#);
        let get = server.mock("GET", Matcher::Any).with_body(body);
        let _get = get.create_async().await;
        client(&server.url()).sections().await
    };
    let good = r#"{"key":"1","type":"movie","title":"Films"}"#;
    for odd in [
        "null",
        "5",
        r#""x""#,
        "{}",
        r#"{"key":"../.."}"#,
        r#"["1"]"#,
    ] {
        for entries in [format!("{good},{odd}"), format!("{odd},{good}")] {
            let sections = listed(&entries).await.unwrap();
            assert_eq!(sections.len(), 1, "{entries}");
            assert_eq!(sections[0].title, "Films");
        }
        let error = listed(odd).await.unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{odd}: {error}");
    }
    assert_eq!(listed("").await.unwrap(), []);
}
