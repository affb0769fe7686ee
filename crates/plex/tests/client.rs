//! The requests that go out and what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fmt::Write as _;

use common::client;
use mockito::{Matcher, Server, ServerGuard};
use plex::{
    Edit, Field, FileSearch, FoundItems, ImageFormat, ImageKind, ItemKind, RatingKey, SectionId,
    Sort, TagKind, UserRating, image_sha1,
};

fn key() -> RatingKey {
    "7".parse().unwrap()
}

fn section() -> SectionId {
    "1".parse().unwrap()
}

#[tokio::test]
async fn an_edit_is_one_put_in_the_query_and_an_empty_one_none() {
    let mut server = Server::new_async().await;
    let put = server
        .mock("PUT", "/below/library/sections/1/all?type=1&id=7&genre[0].tag.tag=X&genre.locked=1&title.value=A%20%26%20B&title.locked=1")
        .match_header("x-plex-token", common::TOKEN)
        .match_header("accept", "application/json")
        .match_body("")
        .expect(1)
        .create_async()
        .await;
    let plex = client(&format!("{}/below/", server.url()));
    let empty = Edit::new(section(), ItemKind::Movie, key());
    plex.edit(&empty).await.unwrap();
    let edit = empty.set(Field::Title, "A & B").tags(TagKind::Genre, ["X"]);
    plex.edit(&edit).await.unwrap();
    put.assert_async().await;
}

#[tokio::test]
async fn an_item_shows_its_locks() {
    let mut server = Server::new_async().await;
    server
        .mock("GET", Matcher::Regex("^/library/metadata/7[?]".into()))
        .with_body(
            r#"{"MediaContainer":{"Metadata":[{"ratingKey":7,"type":"movie","userRating":"8","addedAt":"12","updatedAt":13,"deletedAt":"14",
            "title":true,"summary":null,"studio":["odd"],"tagline":{"odd":1},"duration":"1500",
            "Genre":{"tag":"alone"},"Label":null,"Role":[{"tag":""},{"role":"nobody"}],
            "Field":[{"name":"collection","locked":true},{"locked":"1","name":"thumb"},{"locked":0,"name":"title"}]}]}}"#,
        )
        .create_async()
        .await;
    let item = client(&server.url()).item(&key()).await.unwrap();
    assert!(item.is_locked(TagKind::Collection));
    assert!(item.is_locked(ImageKind::Poster));
    assert!(!item.is_locked(Field::Title));
    assert!(!item.is_locked(ImageKind::Background));
    assert_eq!(item.user_rating, Some(8.0));
    let times = (item.added_at, item.updated_at, item.deleted_at);
    assert_eq!(times, (Some(12), Some(13), Some(14)));
    assert_eq!(item.duration.unwrap().as_millis(), 1500);
    assert_eq!(item.tags(TagKind::Genre)[0].name, "alone");
    assert_eq!(item.tags(TagKind::Actor), []);
    for field in [Field::Summary, Field::Studio, Field::Tagline] {
        assert_eq!(item.field(field), "");
    }
}

#[tokio::test]
async fn several_items_take_one_request_and_none_takes_none() {
    let mut server = Server::new_async().await;
    let get = server
        .mock("GET", Matcher::Regex("^/library/metadata/7,8[?]".into()))
        .with_body(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"8"}]}}"#)
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    assert_eq!(plex.items(&[]).await.unwrap(), FoundItems::default());
    let found = plex.items(&[key(), "8".parse().unwrap()]).await.unwrap();
    assert_eq!(found.items[0].key.as_str(), "8");
    get.assert_async().await;
}

/// The keys a request asks for, when its line is short enough to pass every proxy.
fn asked(request: &mockito::Request) -> Vec<String> {
    let target = request.path_and_query();
    assert!("GET  HTTP/1.1".len() + target.len() <= plex::MAX_LINE);
    let path = target.split('?').next().unwrap();
    let (_, keys) = path.split_once("/library/metadata/").unwrap();
    keys.split(',').map(str::to_owned).collect()
}

#[tokio::test]
async fn any_number_of_items_is_asked_for_in_parts() {
    let key = |n: u32| n.to_string().parse::<RatingKey>().unwrap();
    let keys: Vec<RatingKey> = (1000..2500).map(key).collect();
    // With this path before them, fewer than a hundred fit into a line.
    for (path, requests) in [("", 15), ("/p".repeat(3800).as_str(), 26)] {
        let mut server = Server::new_async().await;
        let get = server
            .mock("GET", Matcher::Any)
            .with_body_from_request(|request| {
                let keys = asked(request);
                assert!(keys.len() <= 100);
                let items = keys.iter().map(|key| format!(r#"{{"ratingKey":"{key}"}}"#));
                let items = items.collect::<Vec<_>>().join(",");
                format!(r#"{{"MediaContainer":{{"Metadata":[{items}]}}}}"#).into()
            })
            .expect(requests)
            .create_async()
            .await;
        let plex = client(&format!("{}{path}", server.url()));
        let found = plex.items(&keys).await.unwrap();
        let found: Vec<_> = found.items.into_iter().map(|item| item.key).collect();
        assert_eq!(found, keys);
        get.assert_async().await;
    }
}

#[tokio::test]
async fn a_part_of_which_nothing_is_left_is_empty() {
    let keys: Vec<RatingKey> = (0..150)
        .map(|n: u32| n.to_string().parse().unwrap())
        .collect();
    let mut server = Server::new_async().await;
    let part = |first: &'static str| move |request: &mockito::Request| asked(request)[0] == first;
    let gone = server.mock("GET", Matcher::Any).match_request(part("0"));
    let gone = gone.with_status(404).expect(1).create_async().await;
    let left = server.mock("GET", Matcher::Any).match_request(part("100"));
    let left = left
        .with_body(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"149"}]}}"#)
        .expect(1)
        .create_async()
        .await;
    let found = client(&server.url()).items(&keys).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(found.items[0].key, keys[149]);
    for mock in [gone, left] {
        mock.assert_async().await;
    }
}

/// A library of `all` items; `file=` lets through those that `matching` accepts, or all.
async fn library(all: usize, matching: fn(usize) -> bool) -> ServerGuard {
    let mut server = Server::new_async().await;
    server
        .mock("GET", Matcher::Regex("^/library/sections/1/all[?]".into()))
        .with_body_from_request(move |request| {
            let url = format!("http://plex{}", request.path_and_query());
            let query: std::collections::HashMap<_, _> = reqwest::Url::parse(&url)
                .unwrap()
                .query_pairs()
                .into_owned()
                .collect();
            let number = |name| query[name].parse::<usize>().unwrap();
            let found: Vec<usize> = (0..all)
                .filter(|&n| !query.contains_key("file") || matching(n))
                .collect();
            let (start, size) = (
                number("X-Plex-Container-Start"),
                number("X-Plex-Container-Size"),
            );
            let mut items = String::new();
            for n in found.iter().skip(start).take(size) {
                let comma = if items.is_empty() { "" } else { "," };
                write!(items, r#"{comma}{{"ratingKey":"{n}","Media":[{{"Part":[{{"file":"/films/{n}.mkv"}}]}}]}}"#).unwrap();
            }
            let total = found.len();
            format!(r#"{{"MediaContainer":{{"totalSize":{total},"offset":{start},"librarySectionID":1,"Metadata":[{items}]}}}}"#)
                .into()
        })
        .create_async()
        .await;
    server
}

async fn find(server: &ServerGuard, path: &str) -> FileSearch {
    client(&server.url())
        .find_by_file(&section(), ItemKind::Movie, path)
        .await
        .unwrap()
}

fn keys(search: FileSearch) -> Vec<String> {
    match search {
        FileSearch::Candidates(items) => items.iter().map(|item| item.key.to_string()).collect(),
        FileSearch::Ignored => panic!("ignored"),
    }
}

#[tokio::test]
async fn a_file_is_found_by_its_name_wherever_it_lies() {
    let server = library(5000, |n| n == 42).await;
    for path in ["/films/42.mkv", r"\\?\D:\films\42.MKV", "42.mkv"] {
        assert_eq!(keys(find(&server, path).await), ["42"]);
    }
    let server = library(5000, |_| false).await;
    assert_eq!(keys(find(&server, "/films/42.mkv").await), [""; 0]);
}

#[tokio::test]
async fn a_filter_that_lets_everything_through_is_noticed_in_two_requests() {
    for all in [3, 5000] {
        let server = library(all, |_| true).await;
        assert_eq!(find(&server, "/films/x.mkv").await, FileSearch::Ignored);
    }
}

#[tokio::test]
async fn a_filter_that_lets_a_folder_through_gives_the_folder() {
    let server = library(5000, |n| n < 250).await;
    assert_eq!(keys(find(&server, "/films/120.mkv").await).len(), 250);
    let server = library(5000, |n| n < 4000).await;
    assert_eq!(find(&server, "/films/120.mkv").await, FileSearch::Ignored);
}

#[tokio::test]
async fn a_path_without_a_file_name_is_refused() {
    let plex = client("http://127.0.0.1:9");
    for path in ["", "/films/", r"D:\", "/films/ "] {
        let found = plex.find_by_file(&section(), ItemKind::Movie, path).await;
        assert!(matches!(found, Err(plex::Error::BadFile)), "{path:?}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let server = library(250, |_| true).await;
    let plex = client(&server.url());
    assert_eq!(
        plex.count(&section(), ItemKind::Movie).await.unwrap(),
        Some(250)
    );
    let (mut next, mut seen, mut requests) = (Some(0), vec![], 0);
    while let Some(start) = next {
        let page = plex
            .page(&section(), ItemKind::Movie, Sort::Title, start, 100)
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|item| item.key.to_string()));
        next = page.next;
        requests += 1;
    }
    assert_eq!(seen, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn a_page_has_its_order_and_leaves_out_what_is_long() {
    for (sort, name) in [
        (Sort::AddedDescending, "addedAt:desc"),
        (Sort::UpdatedDescending, "updatedAt:desc"),
        (Sort::Title, "titleSort"),
    ] {
        let mut server = Server::new_async().await;
        let get = server
            .mock("GET", "/library/sections/1/all")
            .match_query(Matcher::AllOf(vec![
                Matcher::UrlEncoded("type".into(), "4".into()),
                Matcher::UrlEncoded("sort".into(), name.into()),
                Matcher::UrlEncoded("excludeFields".into(), "summary,tagline".into()),
                Matcher::UrlEncoded("X-Plex-Container-Start".into(), "20".into()),
                Matcher::UrlEncoded("X-Plex-Container-Size".into(), "10".into()),
            ]))
            .with_body(r#"{"MediaContainer":{"totalSize":0}}"#)
            .expect(1)
            .create_async()
            .await;
        let plex = client(&server.url());
        let page = plex.page(&section(), ItemKind::Episode, sort, 20, 10).await;
        assert_eq!(page.unwrap().next, None);
        get.assert_async().await;
    }
}

#[tokio::test]
async fn a_server_that_ignores_paging_ends_the_listing() {
    let mut server = Server::new_async().await;
    server
        .mock("GET", Matcher::Any)
        .with_body(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"1"},{"ratingKey":"2"},{"ratingKey":"3"}]}}"#)
        .create_async()
        .await;
    let plex = client(&server.url());
    let page = plex
        .page(&section(), ItemKind::Movie, Sort::Title, 0, 2)
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.next), (3, None));
}

#[tokio::test]
async fn an_image_is_known_by_its_bytes_sent_and_selected() {
    let sha1 = image_sha1(b"picture");
    assert_eq!(sha1, "0e66b49d04a43c19bcb2e13a53aff5d174f610fc");
    let name = format!("upload://posters/{sha1}");
    let list = format!(
        r#"{{"MediaContainer":{{"Metadata":[{{"ratingKey":"https://agent/1"}},{{"ratingKey":"{name}","selected":"1"}}]}}}}"#
    );
    let mut server = Server::new_async().await;
    let get = server.mock("GET", "/library/metadata/7/posters");
    let get = get.with_body(list).create_async().await;
    let post = server
        .mock("POST", "/library/metadata/7/posters")
        .match_header("content-type", "image/jpeg")
        .match_body("picture")
        .create_async()
        .await;
    let put = server
        .mock("PUT", "/library/metadata/7/poster")
        .match_query(Matcher::UrlEncoded("url".into(), name))
        .create_async()
        .await;
    let (plex, kind) = (client(&server.url()), ImageKind::Poster);
    let images = plex.images(&key(), kind).await.unwrap();
    assert!(!images[0].selected && !images[0].is_upload_of(&sha1));
    assert!(images[1].selected && images[1].is_upload_of(&sha1));
    plex.upload_image(&key(), kind, ImageFormat::Jpeg, b"picture".to_vec())
        .await
        .unwrap();
    plex.select_image(&key(), kind, &images[1]).await.unwrap();
    for mock in [get, post, put] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn ratings_and_scans() {
    let mut server = Server::new_async().await;
    let mut expect = Vec::new();
    for (method, target) in [
        (
            "PUT",
            "/:/rate?key=7&identifier=com.plexapp.plugins.library&rating=7.5",
        ),
        (
            "PUT",
            "/:/rate?key=7&identifier=com.plexapp.plugins.library&rating=-1",
        ),
        (
            "GET",
            "/library/sections/1/refresh?path=%2Ffilms%2Fa%20%26%20b",
        ),
    ] {
        expect.push(server.mock(method, target).expect(1).create_async().await);
    }
    let plex = client(&server.url());
    plex.rate(&key(), UserRating::new(7.5)).await.unwrap();
    plex.rate(&key(), None).await.unwrap();
    plex.scan(&section(), "/films/a & b").await.unwrap();
    for mock in expect {
        mock.assert_async().await;
    }
    for rating in [-0.1, 10.1, f64::NAN, f64::INFINITY] {
        assert_eq!(UserRating::new(rating), None);
    }
}

#[tokio::test]
async fn the_owner_is_known_by_the_settings() {
    for (status, owner) in [(200, true), (403, false)] {
        let mut server = Server::new_async().await;
        let get = server.mock("GET", "/:/prefs").with_status(status);
        let get = get
            .with_body(r#"{"MediaContainer":{"size":1,"Setting":[{"id":"FriendlyName"}]}}"#)
            .create_async()
            .await;
        let checked = client(&server.url()).owner_check().await;
        assert_eq!(checked.is_ok(), owner, "{checked:?}");
        get.assert_async().await;
    }
}

/// A server, or something in its place, that gives one page for ever and does not say how many
/// there are.
#[tokio::test]
async fn a_page_that_comes_again_is_the_last() {
    for items in [
        r#"[{"ratingKey":"1"},{"ratingKey":"2"}]"#,
        r#"[{"ratingKey":7,"Media":3},null]"#,
    ] {
        let mut server = Server::new_async().await;
        let list = server.mock("GET", Matcher::Any);
        let list = list.with_body(format!(r#"{{"MediaContainer":{{"Metadata":{items}}}}}"#));
        let list = list.expect_at_most(5).create_async().await;
        let section = section();
        let found = client(&server.url())
            .find_by_file(&section, ItemKind::Movie, "/media/a.mkv")
            .await;
        assert!(found.is_ok(), "{found:?}");
        list.assert_async().await;
    }
}
