//! The simulated Stash's answers against every one that a real Stash v0.30.1 gave to the same
//! request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulators::{EntityKind, StashOptions, StashServer};
use support::{Client, recordings};

/// 2026-11-28, 21:56:30 UTC: between the edits recorded and those that auto tag and a cover made.
const LATER: i64 = 1_795_902_990;

/// A Stash that holds what the recorded one held.
fn as_recorded(answers: &BTreeMap<String, Value>) -> StashServer {
    let options = StashOptions {
        credentials: false,
        api_key: None,
        now: Some(LATER - 600),
        ..StashOptions::default()
    };
    let stash = StashServer::start_with(options).unwrap();
    for number in 1..=13 {
        stash.add_scene(&format!("/media/library/films/Film {number:02} (2024).mp4"));
    }
    // 6 was merged into 7.
    stash.merge_scenes(7, &[6]);
    for name in ["list-page", "scenes-by-ids"] {
        let found = &answers[name]["answer"]["data"]["findScenes"];
        for scene in found["scenes"].as_array().unwrap() {
            fill(&stash, scene);
        }
    }
    stash.set(|options| options.now = Some(LATER));
    stash.auto_tag(10, EntityKind::Tag, "Interview");
    stash.generate_cover(9);

    let settings = &answers["configuration"]["answer"]["data"]["configuration"]["plugins"];
    for (plugin, settings) in settings.as_object().unwrap() {
        stash.set_plugin_settings(plugin, settings.clone());
    }
    let operation = &answers["plugin-operation"]["answer"]["data"]["runPluginOperation"];
    stash.answer_operation("Stash2Plex", operation.clone());
    stash
}

fn fill(stash: &StashServer, recorded: &Value) {
    let id: u64 = recorded["id"].as_str().unwrap().parse().unwrap();
    let text = |name: &str| recorded[name].as_str().unwrap_or_default();
    let names = |list: &str, name: &dyn Fn(&Value) -> Value| -> Vec<String> {
        let list = recorded[list].as_array().unwrap().iter();
        list.map(|entry| name(entry).as_str().unwrap().to_owned())
            .collect()
    };
    let performers = names("performers", &|performer| performer["name"].clone());
    let tags = names("tags", &|tag| tag["name"].clone());
    let groups = names("groups", &|group| group["group"]["name"].clone());
    fn refs(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }
    stash
        .edit(id)
        .title(text("title"))
        .details(text("details"))
        .date(text("date"))
        .rating(recorded["rating100"].as_u64().unwrap_or(0) as u32)
        .studio(recorded["studio"]["name"].as_str().unwrap_or_default())
        .performers(&refs(&performers))
        .tags(&refs(&tags))
        .groups(&refs(&groups))
        .with(|scene| {
            text("code").clone_into(&mut scene.code);
            text("director").clone_into(&mut scene.director);
        });
}

/// What follows from times, ids and bytes of the recorded server.
const ITS_OWN: [&str; 7] = [
    "id",
    "created_at",
    "updated_at",
    "image_path",
    "screenshot",
    "size",
    "duration",
];

/// Says where two answers differ: in keys, in types, in what both should tell alike.
fn differ(path: &str, ours: &Value, recorded: &Value, found: &mut Vec<String>) {
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => {
            let keys = |map: &serde_json::Map<String, Value>| {
                let mut keys: Vec<String> = map.keys().cloned().collect();
                keys.sort();
                keys
            };
            if keys(ours) != keys(recorded) {
                found.push(format!(
                    "{path}: {:?}, recorded {:?}",
                    keys(ours),
                    keys(recorded)
                ));
            }
            for (key, value) in ours {
                if let Some(other) = recorded.get(key) {
                    differ(&format!("{path}.{key}"), value, other, found);
                }
            }
        }
        (Value::Array(ours), Value::Array(recorded)) => {
            if ours.len() != recorded.len() {
                found.push(format!(
                    "{path}: {}, recorded {}",
                    ours.len(),
                    recorded.len()
                ));
            }
            let pairs = ours.iter().zip(recorded);
            pairs.for_each(|(ours, recorded)| differ(path, ours, recorded, found));
        }
        _ => {
            let own = ITS_OWN
                .iter()
                .any(|name| path.ends_with(&format!(".{name}")));
            let kind = |value: &Value| std::mem::discriminant(value);
            let alike = ours == recorded || (own && kind(ours) == kind(recorded));
            if !alike {
                found.push(format!("{path}: {ours}, recorded {recorded}"));
            }
        }
    }
}

/// Names stand in no order in a schema.
fn sorted(value: &mut Value) {
    if let Value::Array(list) = value {
        list.iter_mut().for_each(sorted);
        list.sort_by_key(|entry| entry["name"].to_string());
    } else if let Value::Object(map) = value {
        map.values_mut().for_each(sorted);
    }
}

#[test]
fn every_recorded_request_is_answered_alike() {
    let answers: BTreeMap<String, Value> = recordings("stash/graphql");
    if answers.is_empty() {
        return;
    }
    assert!(answers.len() >= 15, "only {} recordings", answers.len());
    let stash = as_recorded(&answers);
    let mut found = Vec::new();
    for (name, recorded) in &answers {
        let request = &recorded["request"];
        let mut client = Client::connect(stash.port())
            .unwrap()
            .header("Accept", request["accept"].as_str().unwrap());
        let body = json!({"query": request["query"], "variables": request["variables"]});
        let answer = client.ask("POST", "/graphql", body.to_string().as_bytes());
        let kind = answer.header("content-type");
        let head = json!({"status": answer.status, "content_type": kind});
        let wanted = json!({
            "status": recorded["status"], "content_type": recorded["content_type"],
        });
        differ(name, &head, &wanted, &mut found);
        let (mut ours, mut wanted) = (answer.json(), recorded["answer"].clone());
        if name == "schema-probe" {
            sorted(&mut ours);
            sorted(&mut wanted);
        }
        differ(name, &ours, &wanted, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(
        stash.error_log().len(),
        2,
        "one for an id that is gone, one for a plugin"
    );
}
