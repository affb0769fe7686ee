//! Edits that do not fit into one request line.

use super::*;

#[tokio::test]
async fn a_long_line_that_is_refused_goes_out_in_parts() {
    let mut server = Server::new_async().await;
    server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().len() > 5000)
        .with_status(400)
        .expect(1)
        .create_async()
        .await;
    let parts = server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().len() <= 5000)
        .expect(2)
        .create_async()
        .await;
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key())
        .set(Field::Summary, "s".repeat(3000))
        .set(Field::Tagline, "t".repeat(3000));
    client(&server.url()).edit(&edit).await.unwrap();
    parts.assert_async().await;
}

#[tokio::test]
async fn a_long_line_that_cannot_be_parted_is_an_error() {
    let mut server = Server::new_async().await;
    let put = server
        .mock("PUT", Matcher::Any)
        .with_status(414)
        .expect(1)
        .create_async()
        .await;
    let edit = Edit::new("1".parse().unwrap(), ItemKind::Movie, key())
        .set(Field::Summary, "s".repeat(5000));
    let error = client(&server.url()).edit(&edit).await.unwrap_err();
    let expected = format!(
        "PUT /library/sections/1/all?type=1&id=1&summary.value={}&summary.locked=1 HTTP/1.1",
        "s".repeat(5000)
    );
    match error {
        Error::LineTooLong { status: 414, bytes } => assert_eq!(bytes, expected.len()),
        other => panic!("{other:?}"),
    }
    put.assert_async().await;
}

#[tokio::test]
async fn a_whole_edit_is_one_request_or_none() {
    let edit = |tags: usize| {
        let names = (0..tags).map(|n| format!("genre number {n}"));
        Edit::new("1".parse().unwrap(), ItemKind::Movie, key()).tags(TagKind::Genre, names)
    };
    let mut server = Server::new_async().await;
    let put = server
        .mock("PUT", Matcher::Any)
        .match_request(|request| request.path_and_query().contains("genre[999].tag.tag="))
        .expect(1)
        .create_async()
        .await;
    let plex = client(&server.url());
    plex.edit_whole(&edit(0)).await.unwrap();
    plex.edit_whole(&edit(1000)).await.unwrap();
    let error = plex.edit_whole(&edit(2000)).await.unwrap_err();
    assert!(matches!(error, Error::TooLong(_)), "{error:?}");
    put.assert_async().await;

    let refused = server.mock("PUT", Matcher::Any).with_status(400);
    let refused = refused.expect(1).create_async().await;
    let error = plex.edit_whole(&edit(999)).await.unwrap_err();
    assert!(
        matches!(error, Error::LineTooLong { status: 400, bytes } if bytes > plex::MAX_LINE),
        "{error:?}"
    );
    refused.assert_async().await;
}
