//! Several scenes in one request, of which one that is gone or odd costs none of the others.

use super::*;

fn answering(server: &mut ServerGuard, answer: &Value) -> Mock {
    query(server, "FindScenes").with_body(answer.to_string())
}

#[tokio::test]
async fn each_scene_is_asked_for_under_a_name_of_its_own() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let scenes = answering(
        &mut server,
        &json!({"data": {"s45": {"id": "45"}, "s7": null}}),
    )
    .match_request(|request| {
        let body: Value = serde_json::from_slice(request.body().unwrap()).unwrap();
        let query = body["query"].as_str().unwrap();
        query.contains(r#"s45: findScene(id: "45") { ...Whole }"#)
            && query.contains(r#"s7: findScene(id: "7") { ...Whole }"#)
            && query.matches("updated_at").count() == 1
            && !query.contains("findScenes(")
    })
    .expect(1)
    .create_async()
    .await;
    let found = client(&server.url())
        .find_scenes(&[7.into(), 45.into()])
        .await
        .unwrap();
    assert_eq!(found.missing, [SceneId(7)]);
    assert_eq!(found.scenes[0].id, SceneId(45));
    assert_eq!(found.failed, []);
    scenes.assert_async().await;
}

#[tokio::test]
async fn a_scene_that_fails_fails_alone() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let answer = json!({
        "errors": [
            {"message": "sql: Scan error", "path": ["s8"]},
            {"message": "context canceled", "path": ["s9", "studio", "name"]},
        ],
        "data": {
            "s7": null, "s8": null, "s9": {"id": "9", "studio": null},
            "s10": {"id": "10", "title": 5}, "s45": {"id": "45"},
        },
    });
    let _scenes = answering(&mut server, &answer).create_async().await;
    let ids = [7, 8, 9, 10, 45].map(SceneId);
    let found = client(&server.url()).find_scenes(&ids).await.unwrap();
    assert_eq!(found.missing, [SceneId(7)]);
    assert_eq!(found.scenes.len(), 1);
    let failed: Vec<_> = found
        .failed
        .iter()
        .map(|(id, error)| (id.0, error.to_string()))
        .collect();
    // A scene without its studio would be taken for one that has none.
    assert_eq!(
        failed[0],
        (
            8,
            "Stash could not answer the query: sql: Scan error".into()
        )
    );
    assert_eq!(
        failed[1],
        (
            9,
            "Stash could not answer the query: context canceled".into()
        )
    );
    assert_eq!(failed[2].0, 10);
    assert!(
        matches!(found.failed[2].1, Error::Unreadable(_)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn when_no_scene_can_be_answered_for_it_is_stash_that_fails() {
    for answer in [
        json!({"errors": [{"message": "locked", "path": ["s8"]}], "data": {"s8": null}}),
        json!({"errors": [{"message": "locked", "path": ["s8"]}], "data": null}),
        json!({"errors": [{"message": "locked"}], "data": {"s8": {"id": "8"}}}),
    ] {
        let mut server = Server::new_async().await;
        let _probe = no_probe(&mut server).await;
        let _scenes = answering(&mut server, &answer).create_async().await;
        let error = client(&server.url())
            .find_scenes(&[8.into()])
            .await
            .unwrap_err();
        let messages = vec!["locked".to_owned()];
        assert_eq!(error, Error::Resolver { messages }, "{answer}");
    }
}

/// An error may quote the API key.
#[tokio::test]
async fn credentials_that_are_echoed_are_not_told() {
    for errors in [
        json!([{"message": "bad key KEY-1234 given"}]),
        json!([{"message": "bad key KEY-1234 given", "path": ["s8"]}]),
    ] {
        let mut server = Server::new_async().await;
        let _probe = no_probe(&mut server).await;
        let answer = json!({"errors": errors, "data": {"s8": null}});
        let _scenes = answering(&mut server, &answer).create_async().await;
        let client = client(&server.url());
        client.use_api_key(stash::Secret::new("KEY-1234")).unwrap();
        let error = client.find_scenes(&[8.into()]).await.unwrap_err();
        let messages = vec!["bad key [secret] given".to_owned()];
        assert_eq!(error, Error::Resolver { messages });
    }
}

/// One scene of unheard-of size fails alone: the others are asked for without it.
#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_for_in_parts() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let ids = [1, 2, 3, 4, 5].map(SceneId);
    let all = ids.map(|id| (format!("s{id}"), json!({"id": id.to_string()})));
    let all: serde_json::Map<_, _> = all.into_iter().collect();
    let asks_for_it = |request: &mockito::Request| {
        let body = request.utf8_lossy_body().unwrap().into_owned();
        body.contains("s3: findScene")
    };
    let _scenes = answering(&mut server, &json!({"data": all}))
        .match_request(move |request| !asks_for_it(request))
        .create_async()
        .await;
    let _huge = query(&mut server, "FindScenes")
        .with_body(" ".repeat(65 * 1024 * 1024))
        .match_request(asks_for_it)
        .create_async()
        .await;
    let found = client(&server.url()).find_scenes(&ids).await.unwrap();
    let scenes: Vec<_> = found.scenes.iter().map(|scene| scene.id.0).collect();
    assert_eq!(scenes, [1, 2, 4, 5]);
    assert_eq!(found.failed.len(), 1);
    assert_eq!(found.failed[0].0, SceneId(3));
    assert!(matches!(found.failed[0].1, Error::TooLarge { .. }));
}

#[tokio::test]
async fn many_scenes_take_a_request_for_each_hundred() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let ids: Vec<SceneId> = (1..=250).map(SceneId).collect();
    let scenes: Value = ids
        .iter()
        .map(|id| (format!("s{id}"), json!({"id": id.to_string()})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mock = answering(&mut server, &json!({"data": scenes}))
        .expect(3)
        .create_async()
        .await;
    let client = client(&server.url());
    let found = client.find_scenes(&ids).await.unwrap();
    assert_eq!(
        found
            .scenes
            .iter()
            .map(|scene| scene.id)
            .collect::<Vec<_>>(),
        ids
    );
    assert_eq!(client.find_scenes(&[]).await.unwrap().scenes, []);
    mock.assert_async().await;
}

#[tokio::test]
async fn a_scene_that_is_left_out_is_not_taken_for_one_that_is_gone() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scenes = answering(&mut server, &json!({"data": {"s7": {"id": "7"}}}))
        .create_async()
        .await;
    let found = client(&server.url())
        .find_scenes(&[7.into(), 8.into()])
        .await;
    assert!(matches!(found, Err(Error::Malformed(_))), "{found:?}");
}
