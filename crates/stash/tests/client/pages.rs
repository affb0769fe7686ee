//! Listings that take several pages, of a Stash that changes meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;

/// A Stash of these scenes, which loses one of those it has listed after each answer and gets a new
/// one.
async fn shifting(server: &mut ServerGuard, ids: impl IntoIterator<Item = u64>) -> Mock {
    let ids = Arc::new(Mutex::new(ids.into_iter().collect::<BTreeSet<_>>()));
    let mock = query(server, "ListScenes").with_body_from_request(move |request| {
        let body: Value = serde_json::from_slice(request.body().unwrap()).unwrap();
        let Value::Object(variables) = &body["variables"] else {
            panic!("{body}");
        };
        let number = |of: &Value| of.as_u64().map_or(0, |number| number as usize);
        let paging = &variables["filter"];
        let id = &variables["scene_filter"]["id"];
        assert!(id.is_null() || id["modifier"] == "GREATER_THAN");
        let (after, size) = (number(&id["value"]) as u64, number(&paging["per_page"]));
        let mut ids = ids.lock().unwrap();
        let matching: Vec<u64> = ids.iter().copied().filter(|id| *id > after).collect();
        let page = matching
            .iter()
            .skip((number(&paging["page"]) - 1) * size)
            .take(size);
        let rows: Vec<Value> = page.map(|id| json!({ "id": id.to_string() })).collect();
        let first = rows
            .first()
            .map(|row| row["id"].as_str().unwrap().parse().unwrap());
        let newest = ids.last().copied().unwrap_or_default();
        if let Some(first) = first {
            ids.remove(&first);
            if newest < 5000 {
                ids.insert(newest + 1);
            }
        }
        let found = json!({ "count": matching.len(), "scenes": rows });
        json!({"data": {"findScenes": found}}).to_string().into()
    });
    mock.create_async().await
}

#[tokio::test]
async fn a_deletion_between_two_pages_skips_nobody() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scenes = shifting(&mut server, 1..=3500).await;
    let stamps = client(&server.url())
        .stamps(SceneFilter::Performer(5))
        .await
        .unwrap();
    let ids: BTreeSet<u64> = stamps.iter().map(|stamp| stamp.id.0).collect();
    let missed: Vec<u64> = (1..=3500).filter(|id| !ids.contains(id)).collect();
    assert_eq!(missed, Vec::<u64>::new());
    assert_eq!(ids.len(), stamps.len(), "and none comes twice");
}

#[tokio::test]
async fn full_scenes_come_page_by_page() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scenes = shifting(&mut server, (1..=10).chain(4990..=5000)).await;
    let client = client(&server.url());
    let (mut after, mut ids, mut totals) = (None, vec![], vec![]);
    loop {
        let page = client
            .scenes_after(SceneFilter::All, after, 7)
            .await
            .unwrap();
        ids.extend(page.rows.iter().map(|scene| scene.id.0));
        totals.push(page.total);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids, (1..=10).chain(4990..=5000).collect::<Vec<_>>());
    assert_eq!(totals, [21, 14, 7]);
    // A scene that is gone is as good a start as any.
    let page = client
        .scenes_after(SceneFilter::All, Some(SceneId(100)), 1)
        .await
        .unwrap();
    assert!(page.rows[0].id.0 >= 4990);
    let none = client
        .scenes_after(SceneFilter::All, Some(SceneId(5000)), 7)
        .await
        .unwrap();
    assert_eq!((none.rows.len(), none.total, none.next), (0, 0, None));
}

/// All rows of a page may be ones that Stash lets through for its comparing times as text.
#[tokio::test]
async fn a_page_without_admitted_rows_is_not_the_last() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scenes = shifting(&mut server, 1..=10).await;
    let page = client(&server.url())
        .scenes_after(SceneFilter::UpdatedSince(1), None, 5)
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.next), (0, Some(SceneId(5))));
}

#[tokio::test]
async fn a_listing_that_does_not_go_on_is_an_error() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let _scenes = query(&mut server, "ListScenes")
        .with_body(r#"{"data":{"findScenes":{"count":9,"scenes":[{"id":"1"}]}}}"#)
        .create_async()
        .await;
    let error = client(&server.url())
        .stamps(SceneFilter::All)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Malformed(_)), "{error:?}");
}

#[tokio::test]
async fn a_row_that_is_not_understood_fails_alone_and_ends_nothing() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let rows = r#"[{"id":"1"},{"id":"2","title":7}]"#;
    let _scenes = query(&mut server, "ListScenes")
        .with_body(format!(
            r#"{{"data":{{"findScenes":{{"count":9,"scenes":{rows}}}}}}}"#
        ))
        .create_async()
        .await;
    let client = client(&server.url());
    let page = client
        .scenes_after(SceneFilter::All, None, 2)
        .await
        .unwrap();
    assert_eq!(page.rows[0].id, SceneId(1));
    assert_eq!(page.failed[0].0, SceneId(2));
    assert!(matches!(page.failed[0].1, Error::Unreadable(_)));
    assert_eq!(page.next, Some(SceneId(2)));
}

/// Of one scene Stash fails to tell a field: GraphQL gives nothing of the whole page then.
#[tokio::test]
async fn a_scene_that_spoils_its_page_costs_only_itself() {
    let mut server = Server::new_async().await;
    let _probe = no_probe(&mut server).await;
    let wrong = r#"{"errors":[{"message":"file with id 12 not found","path":["findScenes","scenes",1,"files"]}],"data":null}"#;
    let _pages = query(&mut server, "ListScenes")
        .with_body_from_request(move |request| {
            let body: Value = serde_json::from_slice(request.body().unwrap()).unwrap();
            match body["query"].as_str().unwrap().contains("files") {
                true => wrong.into(),
                false => json!({"data": {"findScenes": {"count": 9, "scenes": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}}})
                    .to_string()
                    .into(),
            }
        })
        .create_async()
        .await;
    let _scenes = query(&mut server, "FindScenes")
        .with_body(r#"{"errors":[{"message":"file with id 12 not found","path":["s2","files"]}],"data":{"s1":{"id":"1"},"s2":null,"s3":{"id":"3"}}}"#)
        .create_async()
        .await;
    let client = client(&server.url());
    let page = client
        .scenes_after(SceneFilter::All, None, 3)
        .await
        .unwrap();
    let rows: Vec<_> = page.rows.iter().map(|scene| scene.id.0).collect();
    let failed: Vec<_> = page.failed.iter().map(|(id, _)| id.0).collect();
    assert_eq!(
        (rows, failed, page.next),
        (vec![1, 3], vec![2], Some(SceneId(3)))
    );
    assert_eq!(page.total, 9);
}
