//! The simulated Stash over HTTP: GraphQL, rights, images.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

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
fn a_scene_comes_with_exactly_the_fields_asked_for() {
    let (stash, ids) = stash_with(1);
    stash
        .edit(ids[0])
        .title("山 One")
        .details("d")
        .date("2024-05-06")
        .rating(80)
        .studio("S")
        .performers(&["Ada", "Grace"]);
    stash.edit(ids[0]).tags(&["T"]).groups(&["G"]);
    let group = stash.scene(ids[0]).unwrap().groups[0].0;
    let query = "query Find($id: ID!) { scene: findScene(id: $id) { ...Basics studio { name parent_studio { name } }
        performers { id name image_path } tags { name } groups { group { id name } scene_index } __typename } }
        fragment Basics on Scene { id title details date rating100 organized code files { id path basename size duration fingerprints { type value } } }";
    let found = data(
        &mut client(&stash),
        query,
        json!({"id": ids[0].to_string()}),
    );
    let scene = &found["scene"];
    assert_eq!(
        (scene["id"].clone(), scene["title"].clone()),
        ("1".into(), "山 One".into())
    );
    assert_eq!(
        (scene["rating100"].clone(), scene["code"].clone()),
        (80.into(), Value::Null)
    );
    assert_eq!(scene["studio"], json!({"name": "S", "parent_studio": null}));
    assert_eq!(scene["performers"][1]["name"], "Grace");
    assert!(
        scene["performers"][0]["image_path"]
            .as_str()
            .unwrap()
            .ends_with("&default=true")
    );
    assert_eq!(
        scene["groups"],
        json!([{"group": {"id": group.to_string(), "name": "G"}, "scene_index": null}])
    );
    assert_eq!(scene["files"][0]["basename"], "scene 0.mp4");
    assert_eq!(scene["__typename"], "Scene");
    assert_eq!(scene.as_object().unwrap().len(), 13);
    let none = data(
        &mut client(&stash),
        "{ findScene(id: 99) { id } }",
        json!({}),
    );
    assert_eq!(none["findScene"], Value::Null);
}

#[test]
fn unknown_fields_and_arguments_fail_the_whole_query() {
    let (stash, _) = stash_with(1);
    let mut client = client(&stash);
    let answer = post(
        &mut client,
        "{ findScene(id: 1) { id nonsense } version { version } }",
        json!({}),
    );
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(
        body["errors"][0]["message"],
        "Cannot query field \"nonsense\" on type \"Scene\"."
    );
    assert_eq!(
        body["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    for query in [
        "{ findScene(no: 1) { id } }",
        "{ findScene(id: 1) }",
        "{ version { version { x } } }",
        "{ findScene(id: 1) {",
        "nonsense",
        "",
    ] {
        assert_eq!(post(&mut client, query, json!({})).status, 400, "{query}");
    }
    assert_eq!(client.ask("POST", "/graphql", b"no json").status, 400);
}

#[test]
fn an_older_version_lacks_fields_and_introspection_says_so() {
    let (stash, _) = stash_with(1);
    let mut client = client(&stash);
    let query = "{ __type(name: \"Scene\") { name fields { name type { kind name } } } }";
    let has_groups = |data: Value| {
        data["__type"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["name"] == "groups")
    };
    assert!(has_groups(data(&mut client, query, json!({}))));
    stash.set(|options| options.missing_fields = BEFORE_GROUPS.map(str::to_owned).to_vec());
    assert!(!has_groups(data(&mut client, query, json!({}))));
    assert_eq!(
        post(
            &mut client,
            "{ findScene(id: 1) { groups { scene_index } } }",
            json!({})
        )
        .status,
        400
    );
    assert_eq!(
        data(
            &mut client,
            "{ findScene(id: 1) { movies { scene_index } } }",
            json!({})
        )["findScene"]["movies"],
        json!([])
    );
    assert_eq!(
        data(
            &mut client,
            "{ __type(name: \"Nothing\") { name } }",
            json!({})
        )["__type"],
        Value::Null
    );
}

#[test]
fn scenes_by_ids_fail_as_a_whole_when_one_is_gone() {
    let (stash, ids) = stash_with(3);
    let mut client = client(&stash);
    let query = "query($ids: [ID!]) { findScenes(ids: $ids) { count scenes { id } } }";
    let found = data(&mut client, query, json!({"ids": ["3", "1"]}));
    assert_eq!(
        found["findScenes"],
        json!({"count": 2, "scenes": [{"id": "3"}, {"id": "1"}]})
    );
    stash.destroy_scene(ids[0]);
    let answer = post(&mut client, query, json!({"ids": ["3", "1"]}));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "scene with id 1 not found"
    );
    assert_eq!(answer.json()["data"], Value::Null);
}

#[test]
fn pages_filters_and_sorts() {
    let (stash, ids) = stash_with(60);
    let mut client = client(&stash);
    let query = "query($f: FindFilterType, $s: SceneFilterType) { findScenes(filter: $f, scene_filter: $s) { count scenes { id } } }";
    let mut found = |filter: Value, scene_filter: Value| {
        let data = data(&mut client, query, json!({"f": filter, "s": scene_filter}));
        let scenes = data["findScenes"]["scenes"].as_array().unwrap().iter();
        let ids: Vec<u64> = scenes
            .map(|scene| scene["id"].as_str().unwrap().parse().unwrap())
            .collect();
        (data["findScenes"]["count"].as_u64().unwrap(), ids)
    };
    assert_eq!(
        found(json!({}), json!(null)).1.len(),
        25,
        "the default page"
    );
    assert_eq!(found(json!({"per_page": -1}), json!(null)).1.len(), 60);
    assert_eq!(
        found(json!({"per_page": 25, "page": 3}), json!(null)),
        (60, ids[50..].to_vec())
    );
    assert_eq!(
        found(json!({"per_page": 25, "page": 9}), json!(null)),
        (60, vec![])
    );
    assert_eq!(
        found(
            json!({"per_page": 2, "sort": "id", "direction": "DESC"}),
            json!(null)
        )
        .1,
        [60, 59]
    );

    stash
        .edit(ids[7])
        .performers(&["Ada"])
        .tags(&["T"])
        .studio("S")
        .groups(&["G"]);
    for (name, kind, entity) in [
        ("performers", EntityKind::Performer, "Ada"),
        ("tags", EntityKind::Tag, "T"),
        ("studios", EntityKind::Studio, "S"),
        ("groups", EntityKind::Group, "G"),
    ] {
        let id = stash.named(kind, entity);
        let filter = json!({name: {"value": [id.to_string()], "modifier": "INCLUDES"}});
        assert_eq!(
            found(json!({"per_page": -1}), filter),
            (1, vec![ids[7]]),
            "{name}"
        );
    }
    let path = json!({"path": {"value": "scene 5.mp4", "modifier": "INCLUDES"}});
    assert_eq!(found(json!({}), path), (1, vec![ids[5]]));
    let bad = post(&mut client, query, json!({"s": {"nonsense": 1}}));
    assert!(
        bad.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("nonsense")
    );
}

#[test]
fn times_are_compared_as_text() {
    let stash = StashServer::start_with(StashOptions {
        now: Some(1_767_225_600),
        ..StashOptions::default()
    })
    .unwrap();
    let early = stash.add_scene("/data/early.mp4");
    stash.set(|options| (options.now, options.utc_offset) = (Some(1_767_225_900), -300));
    let late = stash.add_scene("/data/late.mp4");
    assert_eq!(
        stash.scene(early).unwrap().updated_at,
        "2026-01-01T00:00:00Z"
    );
    assert_eq!(
        stash.scene(late).unwrap().updated_at,
        "2025-12-31T19:05:00-05:00",
        "five minutes later"
    );
    let query = "query($t: String!) { findScenes(scene_filter: {updated_at: {value: $t, modifier: GREATER_THAN}}) { count } }";
    let found = data(
        &mut client(&stash),
        query,
        json!({"t": "2025-12-31T23:59:00Z"}),
    );
    assert_eq!(found["findScenes"]["count"], 1, "the later one is missed");
    let found = data(
        &mut client(&stash),
        query,
        json!({"t": "2026-01-01T00:00:00Z"}),
    );
    assert_eq!(found["findScenes"]["count"], 0, "greater, not equal");
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
