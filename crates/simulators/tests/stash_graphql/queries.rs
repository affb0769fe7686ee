//! What a query finds.

use super::*;

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
        (80.into(), "".into())
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
