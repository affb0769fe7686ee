//! What Stash tells beside the answer to a query: its log, how settings are spelt, whether a cover
//! is known already.

use simulators::SettingsSpelling;

use super::*;

#[test]
fn only_a_failed_query_stands_in_the_log() {
    let (stash, _) = stash_with(2);
    let mut client = client(&stash);
    data(&mut client, "{ findScene(id: 9) { id } }", json!({}));
    let by_filter = "{ findScenes(scene_filter: {id: {value: 9, modifier: EQUALS}}) { count } }";
    data(&mut client, by_filter, json!({}));
    assert_eq!(stash.error_log(), [""; 0]);
    post(
        &mut client,
        "{ findScenes(ids: [1, 9]) { count } }",
        json!({}),
    );
    assert_eq!(stash.error_log(), ["findScenes: scene with id 9 not found"]);
}

#[test]
fn scenes_are_listed_by_id_after_the_last_one_seen() {
    let (stash, ids) = stash_with(7);
    stash.destroy_scene(ids[3]);
    let query = "query($after: Int!) { findScenes(filter: {sort: \"id\", direction: ASC, page: 1, per_page: 3},
        scene_filter: {id: {value: $after, modifier: GREATER_THAN}}) { count scenes { id } } }";
    let mut client = client(&stash);
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let found = data(&mut client, query, json!({"after": after}))["findScenes"].take();
        let scenes = found["scenes"].as_array().unwrap().iter();
        let page: Vec<u64> = scenes
            .map(|s| s["id"].as_str().unwrap().parse().unwrap())
            .collect();
        let Some(last) = page.last() else { break };
        after = *last;
        seen.extend(page);
    }
    assert_eq!(seen, [1, 2, 3, 5, 6, 7]);
}

#[test]
fn several_scenes_are_asked_for_by_aliases() {
    let (stash, _) = stash_with(2);
    let query =
        "{ a: findScene(id: 1) { id } b: findScene(id: 9) { id } c: findScene(id: 2) { id } }";
    let found = data(&mut client(&stash), query, json!({}));
    assert_eq!(
        found,
        json!({"a": {"id": "1"}, "b": null, "c": {"id": "2"}})
    );
}

#[test]
fn refused_queries_have_another_status_for_clients_of_plain_json() {
    let (stash, _) = stash_with(1);
    for (accept, status) in [
        ("application/json", 422),
        ("application/graphql-response+json", 400),
    ] {
        let mut client = client(&stash).header("Accept", accept);
        for query in [
            "{\n  findScene(id: 1) {\n    id nonsense } }",
            "{ findScene(id: 1) {",
        ] {
            assert_eq!(
                post(&mut client, query, json!({})).status,
                status,
                "{accept}"
            );
        }
        let body = post(&mut client, "{\n  version {\n    nonsense } }", json!({})).json();
        assert_eq!(
            body["errors"][0]["locations"],
            json!([{"line": 3, "column": 5}])
        );
        assert_eq!(client.ask("POST", "/graphql", b"no json").status, 400);
    }
}

#[test]
fn settings_come_back_in_the_spelling_of_each_version() {
    let (stash, _) = stash_with(0);
    stash.set_plugin_settings("Stash2Plex", json!({"plex_url": "u", "enabled": true}));
    let mut client = client(&stash);
    let mut told = |spelling, include: &[&str]| {
        stash.set(|options| options.settings_spelling = spelling);
        let query = "query($include: [ID!]) { configuration { plugins(include: $include) } }";
        data(&mut client, query, json!({"include": include}))["configuration"]["plugins"].take()
    };
    let both = ["Stash2Plex", "stash2Plex"];
    let exact = json!({"Stash2Plex": {"plex_url": "u", "enabled": true}});
    assert_eq!(told(SettingsSpelling::Exact, &both), exact);
    let camel = json!({"plexUrl": "u", "enabled": true});
    assert_eq!(
        told(SettingsSpelling::CamelKeys, &both),
        json!({"Stash2Plex": camel})
    );
    assert_eq!(
        told(SettingsSpelling::CamelKeysAndId, &both),
        json!({"stash2Plex": camel})
    );
    assert_eq!(
        told(SettingsSpelling::CamelKeysAndId, &both[..1]),
        json!({})
    );
}

#[test]
fn a_cover_is_known_by_the_md5_of_its_bytes() {
    let (stash, ids) = stash_with(1);
    stash.edit(ids[0]).cover_bytes(b"abc");
    let path = "/scene/1/screenshot";
    let tag = client(&stash).get(path).header("etag").unwrap().to_owned();
    assert_eq!(tag, "\"900150983cd24fb0d6963f7d28e17f72\"");
    stash.edit(ids[0]).title("Moves updated_at");
    let same = client(&stash).header("If-None-Match", &tag).get(path);
    assert_eq!(
        (same.status, same.body.len(), same.header("etag")),
        (304, 0, Some(tag.as_str()))
    );
    stash.edit(ids[0]).cover(2);
    let other = client(&stash).header("If-None-Match", &tag).get(path);
    assert_eq!(other.status, 200);
    assert_ne!(other.header("etag"), Some(tag.as_str()));
}

#[test]
fn performers_of_one_name_are_told_apart() {
    let (stash, ids) = stash_with(1);
    stash.edit(ids[0]).performers(&["Ada"]);
    let ada = stash.named(EntityKind::Performer, "Ada");
    let query = "{ findScene(id: 1) { performers { name disambiguation } } }";
    let mut client = client(&stash);
    let mut told = || data(&mut client, query, json!({}))["findScene"]["performers"][0].take();
    assert_eq!(told(), json!({"name": "Ada", "disambiguation": ""}));
    stash.change_entity(EntityKind::Performer, ada, |ada| {
        ada.disambiguation = "2".into()
    });
    assert_eq!(told(), json!({"name": "Ada", "disambiguation": "2"}));
}
