//! What a real Stash answered, served again over a socket.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use mockito::{Matcher, Server, ServerGuard};
use serde_json::{Value, json};
use stash::client::{Client, Endpoint, Error, Job, SceneFilter, SceneId};

/// A recorded answer, or `None` where the recordings are not installed.
fn recording(name: &str) -> Option<Value> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings/stash/graphql");
    if !folder.exists() {
        println!("skipped: no recordings at {}", folder.display());
        return None;
    }
    let text = fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A Stash that gives these answers to the operations of these names.
async fn stash(answers: &[(&str, usize, Value)]) -> (ServerGuard, Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut server = Server::new_async().await;
    for (operation, status, answer) in answers {
        let mock = server
            .mock("POST", "/graphql")
            .match_body(Matcher::Regex(format!("query {operation}\\b")))
            .with_status(*status)
            .with_body(answer.to_string());
        mock.create_async().await;
    }
    let endpoint = Endpoint::new(&server.url()).unwrap();
    let client = Client::new(reqwest::Client::builder(), &endpoint).unwrap();
    (server, client)
}

fn answer(recording: &Value) -> Value {
    recording["answer"].clone()
}

#[tokio::test]
async fn listings() {
    let (Some(probe), Some(page)) = (recording("schema-probe"), recording("list-page")) else {
        return;
    };
    let probe = answer(&probe);
    let (server, client) = stash(&[
        ("Probe", 200, probe.clone()),
        ("ListScenes", 200, answer(&page)),
    ])
    .await;
    let page = client
        .scenes_after(SceneFilter::All, None, 3)
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.total, page.failed.len()), (3, 12, 0));
    assert_eq!(page.next, page.rows.last().map(|scene| scene.id));
    assert_eq!(page.rows[0].title, "The First \"Film\" & more");
    assert_eq!(page.rows[0].performers[0].disambiguation, "");
    assert!(page.rows[0].updated_at > page.rows[0].created_at);
    drop(server);

    let ids = answer(&recording("list-ids-of-performer").unwrap());
    let (_server, client) = stash(&[("Probe", 200, probe), ("ListScenes", 200, ids)]).await;
    let stamps = client.stamps(SceneFilter::Performer(1)).await.unwrap();
    assert_eq!(stamps[0].id, SceneId(1));
    assert_eq!(stamps.len(), 1);
}

/// The scenes and the null are real; asked for in one request, they stand under names of their own.
#[tokio::test]
async fn scenes_by_id() {
    let (Some(scenes), Some(gone)) = (recording("scenes-by-ids"), recording("scene-missing"))
    else {
        return;
    };
    let scenes = &scenes["answer"]["data"]["findScenes"]["scenes"];
    let gone = &gone["answer"]["data"]["findScene"];
    let data = json!({"data": {"s1": scenes[0], "s6": gone, "s7": scenes[1]}});
    let probe = answer(&recording("schema-probe").unwrap());
    let (_server, client) = stash(&[("Probe", 200, probe), ("FindScenes", 200, data)]).await;
    let found = client.find_scenes(&[1, 6, 7].map(SceneId)).await.unwrap();
    assert_eq!(found.missing, [SceneId(6)]);
    assert_eq!(found.scenes[1].files.len(), 2, "from a merge");
    assert!(found.scenes.iter().all(|scene| scene.updated_at > 0));
}

#[tokio::test]
async fn settings_and_work() {
    let (Some(configuration), Some(queue)) =
        (recording("configuration"), recording("job-queue-empty"))
    else {
        return;
    };
    let (_server, client) = stash(&[
        ("Configuration", 200, answer(&configuration)),
        ("JobQueue", 200, answer(&queue)),
    ])
    .await;
    let configuration = client.configuration("Stash2Plex").await.unwrap();
    let url = configuration.stored.get("plex_url").unwrap();
    assert_eq!(url.value, "http://127.0.0.1:18400");
    assert!(configuration.api_key.is_none());
    assert_eq!(client.jobs().await.unwrap(), []);
}

#[tokio::test]
async fn what_stash_does_not_know() {
    let Some(unknown) = recording("unknown-field") else {
        return;
    };
    let status = usize::try_from(unknown["status"].as_u64().unwrap()).unwrap();
    let (_server, client) = stash(&[("SystemStatus", status, answer(&unknown))]).await;
    let error = client.config_path().await.unwrap_err();
    assert!(matches!(error, Error::Query { .. }), "{error:?}");
}

/// As Stash's schema has it; not recorded.
#[tokio::test]
async fn its_files_and_its_jobs() {
    let status = |path: Value| json!({"data": {"systemStatus": {"configPath": path}}});
    let jobs = json!({"data": {"jobQueue": [
        {"status": "RUNNING", "description": "Scanning..."},
        {"status": "READY", "description": "Running plugin task: Sync"},
        {"status": "STOPPING", "description": "Cleaning..."},
        {"status": "FINISHED", "description": "Generating..."},
        {"status": "CANCELLED", "description": "Identifying..."},
    ]}});
    let path = json!("/root/.stash/config.yml");
    let (_server, client) =
        stash(&[("SystemStatus", 200, status(path)), ("JobQueue", 200, jobs)]).await;
    let path = client.config_path().await.unwrap();
    assert_eq!(path.as_deref(), Some("/root/.stash/config.yml"));
    let job = |description: &str, running| Job {
        description: description.to_owned(),
        running,
    };
    let expected = [
        job("Scanning...", true),
        job("Running plugin task: Sync", false),
        job("Cleaning...", true),
    ];
    assert_eq!(client.jobs().await.unwrap(), expected);
    for path in [Value::Null, json!("")] {
        let (_server, client) = stash(&[("SystemStatus", 200, status(path))]).await;
        assert_eq!(client.config_path().await.unwrap(), None);
    }
}
