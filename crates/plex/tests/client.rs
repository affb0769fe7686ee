//! The requests that go out and what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::client;
use plex::{Edit, Field, FileSearch, ItemKind, TagKind};

#[tokio::test]
async fn an_edit_is_one_put_in_the_query_and_an_empty_one_none() {
    let mut server = mockito::Server::new_async().await;
    let put = server
        .mock(
            "PUT",
            "/library/sections/1/all?type=1&id=7&title.value=A%20%26%20B&title.locked=1&genre[0].tag.tag=X&genre.locked=1",
        )
        .match_header("x-plex-token", "token-for-tests")
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    let empty = Edit::new("1".parse().unwrap(), ItemKind::Movie, "7".parse().unwrap());
    plex.edit(&empty).await.unwrap();
    let edit = empty.set(Field::Title, "A & B").tags(TagKind::Genre, ["X"]);
    plex.edit(&edit).await.unwrap();
    put.assert_async().await;
}

#[tokio::test]
async fn a_file_is_found_by_its_name() {
    let mut server = mockito::Server::new_async().await;
    server
        .mock("GET", "/library/sections/1/all")
        .match_query(mockito::Matcher::UrlEncoded("file".into(), "a b.mkv".into()))
        .with_body(r#"{"MediaContainer":{"size":1,"totalSize":1,"offset":0,"librarySectionID":1,"Metadata":[
            {"ratingKey":"5","type":"movie","Media":[{"Part":[{"file":"/films/A b.mkv","size":"12"}]}]}]}}"#)
        .create_async()
        .await;
    let found = client(&server.url())
        .find_by_file(&"1".parse().unwrap(), ItemKind::Movie, r"D:\films\a b.mkv")
        .await
        .unwrap();
    let FileSearch::Candidates(items) = found else {
        panic!("{found:?}");
    };
    assert_eq!(items[0].key.as_str(), "5");
    assert_eq!(items[0].section.as_ref().unwrap().as_str(), "1");
    assert_eq!(items[0].files().next().unwrap().size, Some(12));
}
