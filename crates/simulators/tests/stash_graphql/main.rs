//! The simulated Stash over HTTP: GraphQL, rights, images.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod queries;
#[path = "../support/mod.rs"]
mod support;
mod told;

use serde_json::{Value, json};
use simulators::{BEFORE_GROUPS, EntityKind, StashOptions, StashServer};
use support::{Answer, Client};

fn client(stash: &StashServer) -> Client {
    Client::connect(stash.port())
        .unwrap()
        .header("ApiKey", &stash.api_key())
}

fn post(client: &mut Client, query: &str, variables: Value) -> Answer {
    client.ask(
        "POST",
        "/graphql",
        json!({"query": query, "variables": variables})
            .to_string()
            .as_bytes(),
    )
}

fn data(client: &mut Client, query: &str, variables: Value) -> Value {
    let answer = post(client, query, variables);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut body = answer.json();
    assert!(body.get("errors").is_none(), "{body}");
    body["data"].take()
}

fn stash_with(scenes: usize) -> (StashServer, Vec<u64>) {
    let stash = StashServer::start().unwrap();
    let ids = (0..scenes)
        .map(|n| stash.add_scene(&format!("/data/scene {n}.mp4")))
        .collect();
    (stash, ids)
}

#[test]
fn who_may_ask() {
    let (stash, _) = stash_with(1);
    let connect = || Client::connect(stash.port()).unwrap();
    let status = |client: &mut Client| post(client, "{ version { version } }", json!({})).status;
    let session = format!("other=1; session={}", stash.session());
    assert_eq!(status(&mut connect()), 401);
    assert_eq!(status(&mut connect().header("ApiKey", "wrong")), 401);
    assert_eq!(status(&mut client(&stash)), 200);
    assert_eq!(status(&mut connect().header("Cookie", &session)), 200);
    stash.expire_sessions();
    assert_eq!(status(&mut connect().header("Cookie", &session)), 401);
    let fresh = post(&mut client(&stash), "{ version { version } }", json!({}));
    assert!(
        fresh
            .header("set-cookie")
            .unwrap()
            .contains(&stash.session())
    );
    stash.set(|options| options.credentials = false);
    assert_eq!(status(&mut connect()), 200);
    assert_eq!(
        status(&mut connect().header("ApiKey", "wrong")),
        401,
        "also without a password"
    );
}

#[test]
fn the_content_type_follows_accept() {
    let (stash, _) = stash_with(0);
    let kind = |accept: &str| {
        let answer = post(
            &mut client(&stash).header("Accept", accept),
            "{ version { version } }",
            json!({}),
        );
        answer.header("content-type").unwrap().to_owned()
    };
    assert_eq!(kind("*/*"), "application/graphql-response+json");
    assert_eq!(kind("application/json"), "application/json");
}

#[test]
fn screenshots_need_rights_and_differ_by_scene_and_version() {
    let (stash, ids) = stash_with(2);
    let query = "{ findScene(id: 1) { paths { screenshot stream } } }";
    let paths = data(&mut client(&stash), query, json!({}))["findScene"]["paths"].clone();
    let address = paths["screenshot"].as_str().unwrap();
    assert!(
        address.starts_with(&format!("{}/scene/1/screenshot?t=", stash.url())),
        "{address}"
    );
    assert!(
        paths["stream"].as_str().unwrap().contains(&stash.api_key()),
        "in clear, as the real one"
    );
    let path = &address[stash.url().len()..];

    let stranger = Client::connect(stash.port()).unwrap().get(path);
    assert_eq!(stranger.status, 302);
    let login = stranger.header("location").unwrap();
    assert!(login.starts_with("/login"));
    let page = Client::connect(stash.port()).unwrap().get(login);
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );

    let first = client(&stash).get(path);
    assert_eq!(
        (first.status, first.header("content-type")),
        (200, Some("image/jpeg"))
    );
    assert!(first.body.starts_with(&[0xFF, 0xD8, 0xFF]) && first.body.ends_with(&[0xFF, 0xD9]));
    assert_ne!(first.body, client(&stash).get("/scene/2/screenshot").body);
    stash.edit(ids[0]).cover(2);
    assert_ne!(first.body, client(&stash).get(path).body);
    let with_key = Client::connect(stash.port())
        .unwrap()
        .get(&format!("{path}&apikey={}", stash.api_key()));
    assert_eq!(with_key.status, 200);
    assert_eq!(client(&stash).ask("POST", path, b"").status, 405);
    assert_eq!(client(&stash).get("/scene/9/screenshot").status, 404);
    stash.change_silently(ids[0], |scene| {
        (scene.cover, scene.has_preview) = (None, false)
    });
    assert_ne!(
        client(&stash).get(path).header("content-type"),
        Some("image/jpeg"),
        "no picture of the scene yet"
    );
    assert_eq!(client(&stash).get("/scene/1/preview").status, 404);
}

#[test]
fn addresses_follow_host_or_external_host() {
    let (stash, _) = stash_with(1);
    let query = json!({"query": "{ findScene(id: 1) { paths { preview } } }"}).to_string();
    let http = format!(
        "POST /graphql HTTP/1.1\r\nHost: stash.lan:1\r\nApiKey: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{query}",
        stash.api_key(),
        query.len()
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", stash.port())).unwrap();
    std::io::Write::write_all(&mut stream, http.as_bytes()).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    assert!(
        text.contains("http://stash.lan:1/scene/1/preview"),
        "{text}"
    );
    stash.set(|options| options.external_host = Some("https://stash.example".into()));
    let paths = data(
        &mut client(&stash),
        "{ findScene(id: 1) { paths { preview } } }",
        json!({}),
    );
    assert_eq!(
        paths["findScene"]["paths"]["preview"],
        "https://stash.example/scene/1/preview"
    );
}

#[test]
fn settings_are_absent_until_set_and_replaced_as_a_whole() {
    let (stash, _) = stash_with(0);
    let mut client = client(&stash);
    let query = "{ configuration { plugins(include: [\"Stash2Plex\"]) general { apiKey } } }";
    let none = data(&mut client, query, json!({}));
    assert_eq!(
        none["configuration"],
        json!({"plugins": {}, "general": {"apiKey": stash.api_key()}})
    );
    stash.set_plugin_settings("Stash2Plex", json!({"enabled": true, "max_tags": 10}));
    stash.set_plugin_settings("other", json!({}));
    assert_eq!(
        data(&mut client, query, json!({}))["configuration"]["plugins"],
        json!({"Stash2Plex": {"enabled": true, "max_tags": 10}})
    );
    let set = "mutation($i: Map!) { configurePlugin(plugin_id: \"Stash2Plex\", input: $i) }";
    data(&mut client, set, json!({"i": {"enabled": false}}));
    assert_eq!(
        data(&mut client, query, json!({}))["configuration"]["plugins"]["Stash2Plex"],
        json!({"enabled": false})
    );
    stash.set(|options| options.api_key = None);
    stash.set(|options| options.credentials = false);
    let mut open = Client::connect(stash.port()).unwrap();
    assert_eq!(
        data(&mut open, query, json!({}))["configuration"]["general"]["apiKey"],
        ""
    );
}

#[test]
fn entities_are_found_renamed_merged_and_destroyed() {
    let (stash, ids) = stash_with(2);
    stash.edit(ids[0]).tags(&["Old", "Keep"]).studio("S");
    stash.edit(ids[1]).tags(&["Old", "New"]);
    let before = stash.scene(ids[0]).unwrap().updated_at;
    let (old, new) = (
        stash.named(EntityKind::Tag, "Old"),
        stash.named(EntityKind::Tag, "New"),
    );
    let mut client = client(&stash);
    let query = "query($n: String!) { findTags(tag_filter: {name: {value: $n, modifier: EQUALS}}) { count tags { id name scene_count } } }";
    let found = data(&mut client, query, json!({"n": "Old"}));
    assert_eq!(
        found["findTags"]["tags"][0],
        json!({"id": old.to_string(), "name": "Old", "scene_count": 2})
    );
    stash.merge(EntityKind::Tag, &[old], new);
    assert_eq!(stash.scene(ids[1]).unwrap().tags, [new]);
    assert_eq!(stash.scenes_with(EntityKind::Tag, new), ids);
    assert_eq!(
        data(&mut client, query, json!({"n": "Old"}))["findTags"]["count"],
        0
    );
    stash.rename(EntityKind::Tag, new, "Newer");
    assert_eq!(
        data(
            &mut client,
            "{ findScene(id: 1) { tags { name } } }",
            json!({})
        )["findScene"]["tags"][0]["name"],
        "Newer"
    );
    stash.destroy(EntityKind::Studio, stash.named(EntityKind::Studio, "S"));
    assert_eq!(stash.scene(ids[0]).unwrap().studio, None);
    assert_eq!(
        stash.scene(ids[0]).unwrap().updated_at,
        before,
        "none of this moves a scene's time"
    );
}

#[test]
fn tasks_are_queued() {
    let (stash, _) = stash_with(0);
    let query = "mutation { runPluginTask(plugin_id: \"p\", task_name: \"Sync\", args_map: {mode: \"all\", n: 3}) }";
    assert_eq!(
        data(&mut client(&stash), query, json!({}))["runPluginTask"],
        "1"
    );
    assert_eq!(stash.jobs()[0].args, json!({"mode": "all", "n": 3}));
}

#[test]
fn health_version_and_status() {
    let (stash, _) = stash_with(0);
    assert_eq!(
        Client::connect(stash.port())
            .unwrap()
            .get("/healthz")
            .status,
        200
    );
    let found = data(
        &mut client(&stash),
        "{ version { version } systemStatus { status } jobQueue { id } }",
        json!({}),
    );
    assert_eq!(
        found,
        json!({"version": {"version": "v0.30.1"}, "systemStatus": {"status": "OK"}, "jobQueue": null})
    );
}
