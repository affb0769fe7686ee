//! The GraphQL client against single answers, as a real Stash gives them.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod by_id;
mod failures;
mod pages;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use mockito::{Matcher, Mock, Server, ServerGuard};
use serde_json::{Value, json};
use stash::Secret;
use stash::client::{Client, Endpoint, Error, SceneFilter, SceneId, Unreachable};
use stash::protocol::PluginInput;

fn builder() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

fn client(url: &str) -> Client {
    Client::new(builder(), &Endpoint::new(url).unwrap()).unwrap()
}

fn with_session(url: &str, value: &str) -> Client {
    let (host, port) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once(':')
        .unwrap();
    let stdin = json!({
        "server_connection": {
            "Scheme": "http", "Host": host, "Port": port, "Dir": "/", "PluginDir": "/",
            "SessionCookie": {"Name": "session", "Value": value},
        },
        "args": {},
    });
    let input = PluginInput::parse(stdin.to_string().as_bytes()).unwrap();
    let endpoint = Endpoint::of_plugin(&input.server_connection).unwrap();
    Client::new(builder(), &endpoint).unwrap()
}

fn query(server: &mut ServerGuard, operation: &str) -> Mock {
    server
        .mock("POST", "/graphql")
        .match_body(Matcher::Regex(format!("query {operation}")))
        .with_header("content-type", "application/json")
}

/// Introspection is forbidden: the client takes the server for a current one.
async fn no_probe(server: &mut ServerGuard) -> Mock {
    query(server, "Probe")
        .with_body(r#"{"errors":[{"message":"introspection disabled"}],"data":null}"#)
        .create_async()
        .await
}

fn names(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name })).collect()
}

const SCENE: &str = r#"{"id":"45","title":null,"details":"d","date":"2024-05","rating100":75,"organized":true,
    "created_at":"2024-06-01T14:05:37-05:00","updated_at":"2024-06-01T19:05:37Z","code":"C-1","director":null,
    "files":[{"path":"/data/x.mp4","basename":"x.mp4","size":"1234567890123","duration":61.5}],
    "studio":{"id":"3","name":"S","parent_studio":{"id":"4","name":"P"}},
    "performers":[{"id":"1","name":"Ann","disambiguation":"of York","image_path":"http://h/performer/1/image?t=1&default=true"}],
    "tags":[{"id":"2","name":"a, b"}],"urls":["https://example.org"],
    "groups":[{"group":{"id":"9","name":"G"}}],
    "paths":{"screenshot":"http://h/scene/45/screenshot?t=1717268737"}}"#;

#[tokio::test]
async fn a_scene_comes_whole() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scene = query(&mut server, "FindScenes")
        .with_body(format!(r#"{{"data":{{"s45":{SCENE}}}}}"#))
        .create_async()
        .await;
    let scene = client(&server.url())
        .find_scene(45.into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(scene.id, SceneId(45));
    assert_eq!(
        (
            scene.title.as_str(),
            scene.code.as_str(),
            scene.date.as_str()
        ),
        ("", "C-1", "2024-05")
    );
    assert_eq!(scene.rating100, Some(75));
    assert_eq!(scene.created_at, scene.updated_at);
    assert_eq!(scene.files[0].size, Some(1_234_567_890_123));
    assert_eq!(scene.studio.unwrap().parent_studio.unwrap().name, "P");
    assert_eq!(scene.groups[0].name, "G");
    assert_eq!(scene.performers[0].disambiguation, "of York");
    assert_eq!(
        scene.screenshot.unwrap(),
        "http://h/scene/45/screenshot?t=1717268737"
    );
}

/// What old releases had: url, movies, no rating100; asked for once.
#[tokio::test]
async fn an_old_stash_is_asked_for_what_it_has() {
    let mut server = Server::new_async().await;
    let fields = [
        "id",
        "title",
        "details",
        "date",
        "rating",
        "url",
        "movies",
        "organized",
        "files",
    ];
    let types = json!({"data": {
        "scene": {"fields": names(&fields)},
        "performer": {"fields": names(&["id", "name", "image_path"])},
        "filter": {"inputFields": names(&["movies", "tags"])},
    }});
    let probe = query(&mut server, "Probe")
        .with_body(types.to_string())
        .expect(1)
        .create_async()
        .await;
    let answer = json!({"data": {"s1":
        {"id": "1", "url": "https://example.org", "performers": [{"id": "1", "name": "Ann"}], "movies": [{"movie": {"id": "9", "name": "M"}}]},
    }});
    let scenes = query(&mut server, "FindScenes")
        .match_request(|request| {
            let body = request.utf8_lossy_body().unwrap();
            let unknown = [
                "rating100",
                "urls",
                "groups",
                "code",
                "director",
                "disambiguation",
            ];
            unknown.iter().all(|field| !body.contains(field))
        })
        .with_body(answer.to_string())
        .expect(2)
        .create_async()
        .await;
    let client = client(&server.url());
    for _ in 0..2 {
        let found = client.find_scenes(&[1.into()]).await.unwrap();
        let scene = &found.scenes[0];
        assert_eq!(scene.rating100, None);
        assert_eq!(scene.urls, ["https://example.org"]);
        assert_eq!(scene.groups[0].name, "M");
        assert_eq!(scene.performers[0].disambiguation, "");
    }
    let fan_out = server
        .mock("POST", "/graphql")
        .match_body(Matcher::PartialJson(
            json!({"variables": {"scene_filter": {"movies": {"value": ["9"]}}}}),
        ))
        .with_body(r#"{"data":{"findScenes":{"count":0,"scenes":[]}}}"#)
        .create_async()
        .await;
    assert_eq!(client.stamps(SceneFilter::Group(9)).await.unwrap(), []);
    for mock in [probe, scenes, fan_out] {
        mock.assert_async().await;
    }
}

/// New York wrote 14:05-05:00, which as text is before 19:04Z and in time after it.
#[tokio::test]
async fn times_are_compared_as_times() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let since = stash::timestamp::parse("2024-06-01T19:04:00Z").unwrap();
    let listing = server.mock("POST", "/graphql")
        .match_body(Matcher::PartialJson(json!({"variables": {
            "scene_filter": {"updated_at": {"value": "2024-05-31T19:04:00Z", "modifier": "GREATER_THAN"}},
            "filter": {"page": 1, "sort": "id", "direction": "ASC"},
        }})))
        .with_body(r#"{"data":{"findScenes":{"count":4,"scenes":[
            {"id":"1","created_at":"2020-01-01T00:00:00Z","updated_at":"2024-06-01T14:05:37-05:00"},
            {"id":"2","created_at":"2020-01-01T00:00:00Z","updated_at":"2024-06-01T19:03:59Z"},
            {"id":"3","created_at":"2020-01-01T00:00:00Z","updated_at":"2024-06-01T19:04:00Z"},
            {"id":"4","created_at":"2020-01-01T00:00:00Z","updated_at":"2024-06-01T19:04:00Z"}]}}}"#)
        .create_async().await;
    let client = client(&server.url());
    let stamps = client
        .stamps(SceneFilter::UpdatedSince(since))
        .await
        .unwrap();
    assert_eq!(
        stamps.iter().map(|stamp| stamp.id.0).collect::<Vec<_>>(),
        [1, 3, 4]
    );
    listing.assert_async().await;
}

#[tokio::test]
async fn settings_and_key_are_read_and_the_key_replaces_the_session() {
    let mut server = Server::new_async().await;
    let with_cookie = query(&mut server, "Configuration")
        .match_header("cookie", "session=old")
        .match_body(Matcher::PartialJson(json!({"variables": {"include":
            ["Stash2Plex", "stash2Plex", "stash2_plex"]}})))
        .with_body(r#"{"data":{"configuration":{"general":{"apiKey":"KEY"},
            "plugins":{"Stash2Plex":{"plex_url":"http://plex:32400","max_tags":"50","enabled":false},
            "stash2Plex":null}}}}"#)
        .create_async().await;
    let client = with_session(&server.url(), "old");
    let configuration = client.configuration("Stash2Plex").await.unwrap();
    let tags = configuration.stored.get("max_tags").unwrap();
    assert_eq!(tags.value, "50");
    let enabled = configuration.stored.get("enabled").unwrap();
    assert_eq!(
        (enabled.value, enabled.plugin_id),
        (&json!(false), "Stash2Plex")
    );
    assert!(!format!("{:?}", configuration.stored).contains("plex:32400"));
    let key = configuration.api_key.clone().unwrap();
    assert!(!format!("{configuration:?} {client:?}").contains("KEY"));
    client.use_api_key(key).unwrap();
    let with_key = query(&mut server, "Version")
        .match_header("apikey", "KEY")
        .match_header("cookie", Matcher::Missing)
        .with_body(r#"{"data":{"version":{"version":"v0.30.1"}}}"#)
        .create_async()
        .await;
    assert_eq!(client.version().await.unwrap(), "v0.30.1");
    with_cookie.assert_async().await;
    with_key.assert_async().await;
}

#[tokio::test]
async fn an_untouched_plugin_has_no_settings_and_no_key() {
    let mut server = Server::new_async().await;
    let _mock = query(&mut server, "Configuration")
        .with_body(r#"{"data":{"configuration":{"general":{"apiKey":""},"plugins":{}}}}"#)
        .create_async()
        .await;
    let configuration = client(&server.url()).configuration("Demo").await.unwrap();
    assert!(configuration.stored.get("max_tags").is_none() && configuration.api_key.is_none());
}

/// The session ends an hour after it was made; each answer brings a fresh one.
#[tokio::test]
async fn a_fresh_session_is_taken() {
    let mut server = Server::new_async().await;
    let body = r#"{"data":{"version":{"version":"v"}}}"#;
    let first = query(&mut server, "Version")
        .match_header("cookie", "session=one")
        .with_body(body)
        .with_header("set-cookie", "session=two; Path=/; HttpOnly")
        .create_async()
        .await;
    let second = query(&mut server, "Version")
        .match_header("cookie", "session=two")
        .with_body(body)
        .create_async()
        .await;
    let client = with_session(&server.url(), "one");
    client.version().await.unwrap();
    client.version().await.unwrap();
    first.assert_async().await;
    second.assert_async().await;
}
