//! Every recorded answer is understood, served again over a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{client, recording};
use mockito::{Matcher, Server, ServerGuard};
use plex::{Client, Error, FileSearch, Item, ItemKind, RatingKey, SectionId, Sort, TagKind};
use serde_json::{Map, Value};

async fn serving(status: usize, body: &str) -> (ServerGuard, Client) {
    let mut server = Server::new_async().await;
    server
        .mock("GET", Matcher::Any)
        .with_status(status)
        .with_body(body)
        .create_async()
        .await;
    let client = client(&server.url());
    (server, client)
}

fn section() -> SectionId {
    "1".parse().unwrap()
}

/// As Plex writes an element in JSON: attributes and children side by side, and all values text.
fn json(element: roxmltree::Node<'_, '_>) -> Value {
    let mut object = Map::new();
    for attribute in element.attributes() {
        object.insert(attribute.name().into(), attribute.value().into());
    }
    for child in element.children().filter(roxmltree::Node::is_element) {
        let name = match child.tag_name().name() {
            "Video" => "Metadata",
            name => name,
        };
        let list = object.entry(name).or_insert_with(|| Value::Array(vec![]));
        list.as_array_mut().unwrap().push(json(child));
    }
    Value::Object(object)
}

fn as_json(xml: &str) -> String {
    let document = roxmltree::Document::parse(xml).unwrap();
    serde_json::json!({ "MediaContainer": json(document.root_element()) }).to_string()
}

async fn detail(name: &str, key: &str) -> Option<Item> {
    let (_server, plex) = serving(200, &recording(name)?).await;
    Some(plex.item(&key.parse().unwrap()).await.unwrap())
}

#[tokio::test]
async fn details() {
    let Some(item) = detail("metadata_108.json", "108").await else {
        return;
    };
    assert_eq!(item.title, "Interstate 60");
    assert_eq!(item.kind, Some(ItemKind::Movie));
    assert_eq!(item.section, Some(section()));
    assert_eq!(item.originally_available_at, "2002-04-13");
    assert_eq!(item.content_rating, "R");
    assert_eq!(item.tags(TagKind::Actor).len(), 22);
    assert_eq!(item.tags(TagKind::Actor)[0].name, "James Marsden");
    assert_eq!(item.tags(TagKind::Actor)[0].role, "Neal Oliver");
    assert_eq!(item.tags(TagKind::Genre).len(), 4);
    assert_eq!(item.tags(TagKind::Producer).len(), 5);
    assert_eq!(item.duration, Some(Duration::from_millis(5062)));
    let file = item.files().next().unwrap();
    assert_eq!(file.file, "/data/Movies/Interstate 60 (2002).mkv");
    assert_eq!(file.size, Some(13_400_382));

    let item = detail("metadata_13194.json", "13194").await.unwrap();
    assert_eq!(item.tags(TagKind::Actor).len(), 61);
    assert_eq!(item.tags(TagKind::Collection)[0].name, "Kids");

    let item = detail("metadata_1036.json", "1036").await.unwrap();
    assert_eq!(item.tags(TagKind::Country).len(), 3);

    let item = detail("metadata_161.json", "161").await.unwrap();
    assert_eq!(item.kind, Some(ItemKind::Collection));
    assert_eq!(item.files().count(), 0);
}

#[tokio::test]
async fn listings() {
    let Some(body) = recording("movie_library.json") else {
        return;
    };
    let list = async |body: &str| {
        let (_server, plex) = serving(200, body).await;
        plex.page(&section(), ItemKind::Movie, Sort::Title, 0, 100)
            .await
            .unwrap()
    };
    let page = list(&body).await;
    assert_eq!(page.items.len(), 4);
    assert_eq!(page.items[0].key.as_str(), "55");
    assert_eq!(page.items[0].section, Some(section()), "from the container");

    let page = list(&recording("tv_episodes.json").unwrap()).await;
    assert_eq!(page.items.len(), 3);
    assert!(
        page.items
            .iter()
            .all(|item| item.kind == Some(ItemKind::Episode))
    );
    assert!(page.items.iter().all(|item| item.files().count() == 1));

    let page = list(&recording("tv_library.json").unwrap()).await;
    assert_eq!(page.items.len(), 2);
    assert_eq!(page.items[0].title_sort, "100");
}

#[tokio::test]
async fn search_by_file_with_all_values_as_text() {
    let Some(hit) = recording("wire/all_file_hit.xml") else {
        return;
    };
    let find = async |body: &str| {
        let (_server, plex) = serving(200, body).await;
        let path = "/elsewhere/Test Movie H264 (2024).mkv";
        plex.find_by_file(&section(), ItemKind::Movie, path)
            .await
            .unwrap()
    };
    let FileSearch::Candidates(items) = find(&as_json(&hit)).await else {
        panic!("ignored");
    };
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].files().next().unwrap().size, Some(12_213_299));
    assert_eq!(items[0].duration, Some(Duration::from_millis(30_023)));

    let miss = as_json(&recording("wire/all_file_miss.xml").unwrap());
    assert_eq!(find(&miss).await, FileSearch::Candidates(vec![]));
}

#[tokio::test]
async fn sections() {
    let Some(one) = recording("wire/library_sections_1movie.xml") else {
        return;
    };
    let list = async |body: &str| {
        let (_server, plex) = serving(200, body).await;
        plex.sections().await.unwrap()
    };
    let sections = list(&as_json(&one)).await;
    assert_eq!(sections.len(), 1);
    assert_eq!(sections[0].id, section());
    assert_eq!(sections[0].title, "Movies");
    assert_eq!(sections[0].locations, ["/media/Movies"]);
    assert_eq!(sections[0].video_kind(), Some(ItemKind::Movie));
    assert!(!sections[0].refreshing);

    let none = recording("wire/library_sections_empty_scrubbed.json").unwrap();
    assert_eq!(list(&none).await, []);
}

#[tokio::test]
async fn the_owner_may_read_the_settings() {
    let Some(settings) = recording("prefs.json") else {
        return;
    };
    let (_server, plex) = serving(200, &settings).await;
    plex.owner_check().await.unwrap();
    let refusal = recording("errors/401_any_path.html").unwrap();
    let (_server, plex) = serving(401, &refusal).await;
    let error = plex.owner_check().await.unwrap_err();
    assert!(
        matches!(error, Error::Unauthorized { by_plex: true, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn errors() {
    let key: RatingKey = "1".parse().unwrap();
    for (name, status) in [
        ("400.html", 400),
        ("401_any_path.html", 401),
        ("401_root.html", 401),
        ("404_same_form_unverified.html", 404),
        ("500.html", 500),
        ("503_maintenance_migrations.xml", 503),
        ("503_maintenance_startup.json", 503),
    ] {
        let Some(body) = recording(&format!("errors/{name}")) else {
            return;
        };
        let (_server, plex) = serving(status, &body).await;
        let error = plex.item(&key).await.unwrap_err();
        let text = error.to_string();
        let expected = match (name, &error) {
            ("400.html", Error::Rejected { status: 400, .. }) => "Bad Request",
            (
                "401_any_path.html" | "401_root.html",
                Error::Unauthorized {
                    status: 401,
                    by_plex: true,
                },
            ) => "401",
            ("404_same_form_unverified.html", Error::NotFound) => "no such item",
            ("500.html", Error::Overloaded { status: 500, .. }) => "Internal Server Error",
            ("503_maintenance_migrations.xml", Error::Starting(_)) => "database migrations",
            ("503_maintenance_startup.json", Error::Starting(_)) => "startup maintenance tasks",
            _ => panic!("{name}: {error:?}"),
        };
        assert!(text.contains(expected), "{name}: {text}");
    }
}

/// Nothing here listens to events; this pins down what a program that does would read.
#[test]
fn events() {
    for (name, list, field) in [
        ("ws_activity_scan_ended", "ActivityNotification", "event"),
        ("ws_activity_scan_started", "ActivityNotification", "event"),
        (
            "ws_status_scan_complete",
            "StatusNotification",
            "notificationName",
        ),
        (
            "ws_timeline_item_created_no_agent",
            "TimelineEntry",
            "itemID",
        ),
        ("ws_timeline_item_deleted", "TimelineEntry", "itemID"),
    ] {
        let Some(text) = recording(&format!("events/{name}.json")) else {
            return;
        };
        let event: Value = serde_json::from_str(&text).unwrap();
        let entry = &event["NotificationContainer"][list][0];
        assert!(entry[field].is_string(), "{name}: {entry}");
    }
}
