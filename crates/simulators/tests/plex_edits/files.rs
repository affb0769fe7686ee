//! Pictures, ratings, and files that come and go.

use super::*;

#[test]
fn uploads_are_named_by_content_selected_and_locked() {
    let mut film = film();
    let path = format!("/library/metadata/{}", film.key);
    let entries = |client: &mut Client| {
        client.get(&format!("{path}/posters")).container()["Metadata"].clone()
    };
    let before = entries(&mut film.client);
    assert_eq!(
        (
            before.as_array().unwrap().len(),
            before[0]["selected"].clone()
        ),
        (1, true.into())
    );

    let answer = film.client.ask("POST", &format!("{path}/posters"), b"abc");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let uploaded = "upload://posters/a9993e364706816aba3e25717850c26c9cd0d89d";
    let list = entries(&mut film.client);
    assert_eq!(
        (list[1]["ratingKey"].clone(), list[1]["selected"].clone()),
        (uploaded.into(), true.into())
    );
    assert_eq!(list[0]["selected"], false);
    assert!(film.item().locked.contains("thumb"));
    assert_eq!(
        film.item().posters.selected_sha1(),
        Some("a9993e364706816aba3e25717850c26c9cd0d89d")
    );
    assert_eq!(
        film.client.get(list[1]["key"].as_str().unwrap()).body,
        b"abc"
    );

    // Selecting takes the ratingKey; the key answers 200 and does nothing.
    let first = list[0]["ratingKey"].as_str().unwrap();
    for (url, selected) in [
        (first, first),
        (list[1]["key"].as_str().unwrap(), first),
        (uploaded, uploaded),
    ] {
        assert_eq!(
            film.client
                .put(&format!("{path}/poster?url={}", encode(url)))
                .status,
            200
        );
        assert_eq!(film.item().posters.selected.as_deref(), Some(selected));
    }
    // The same bytes again: no copy, and the selection stays.
    film.client
        .put(&format!("{path}/poster?url={}", encode(first)));
    film.client.ask("POST", &format!("{path}/posters"), b"abc");
    assert_eq!(entries(&mut film.client).as_array().unwrap().len(), 2);
    assert_eq!(film.item().posters.selected.as_deref(), Some(first));

    assert_eq!(
        film.client
            .ask(
                "DELETE",
                &format!("{path}/posters?url={}", encode(uploaded)),
                b""
            )
            .status,
        200
    );
    assert_eq!(
        film.client
            .ask(
                "DELETE",
                &format!("{path}/posters?url={}", encode(uploaded)),
                b""
            )
            .status,
        404
    );
    assert_eq!(
        film.client
            .ask("POST", &format!("{path}/arts"), b"abc")
            .status,
        200
    );
    assert_eq!(
        film.item().arts.selected.as_deref(),
        Some("upload://art/a9993e364706816aba3e25717850c26c9cd0d89d")
    );
    assert_eq!(
        film.client.ask("POST", &format!("{path}/arts"), b"").status,
        400
    );
    let photos = Client::connect(film.plex.port())
        .unwrap()
        .header("X-Plex-Token", &film.plex.token());
    let mut photos = photos;
    assert!(
        photos
            .get(&format!("{path}/posters"))
            .text()
            .contains("<Photo ")
    );
}

#[test]
fn a_rating_moves_no_time() {
    let mut film = film();
    film.plex.change(film.key, |item| item.updated_at = 5);
    let rate = |rating: &str, key: u64| {
        format!("/:/rate?key={key}&identifier=com.plexapp.plugins.library&rating={rating}")
    };
    assert_eq!(film.client.put(&rate("7.4", film.key)).status, 200);
    assert_eq!(
        (film.item().user_rating, film.item().updated_at),
        (Some(7.4), 5)
    );
    let full = film
        .client
        .get(&format!("/library/metadata/{}", film.key))
        .container();
    assert_eq!(full["Metadata"][0]["userRating"], 7.4);
    film.client.put(&rate("-1", film.key));
    assert_eq!(film.item().user_rating, None);
    assert_eq!(film.client.put(&rate("11", film.key)).status, 400);
    assert_eq!(film.client.put(&rate("5", 999)).status, 404);
}

#[test]
fn a_file_found_again_has_a_new_key_and_no_edits() {
    let mut film = film();
    film.edit("title.value=Edited&title.locked=1");
    let new = film.plex.re_add(film.key).unwrap();
    assert!(new > film.key);
    assert_eq!(
        film.client
            .get(&format!("/library/metadata/{}", film.key))
            .status,
        404
    );
    let list = film
        .client
        .get("/library/sections/1/all?type=1&file=a.mp4")
        .container();
    assert_eq!(list["Metadata"][0]["ratingKey"], new.to_string());
    assert_eq!(list["Metadata"][0]["title"], "a");
}

#[test]
fn a_partial_scan_finds_the_files_of_its_folder() {
    let mut film = film();
    film.plex.add_unscanned(1, "/media/new/b.mp4");
    film.plex.add_unscanned(1, "/media/newer/c.mp4");
    let scan = |path: &str| format!("/library/sections/1/refresh?path={}", encode(path));
    let answer = film.client.get(&scan("/media/new"));
    assert_eq!(
        (
            answer.status,
            answer.header("content-type"),
            answer.body.len()
        ),
        (200, Some("text/html"), 0)
    );
    assert_eq!(film.plex.items_with_file("/media/new/b.mp4").len(), 1);
    assert_eq!(film.plex.items_with_file("/media/newer/c.mp4").len(), 0);
    assert_eq!(
        film.client.get(&scan("/nowhere")).status,
        200,
        "accepted all the same"
    );

    film.plex
        .set(|options| options.scan_takes = Duration::from_millis(300));
    film.client.ask("POST", "/library/sections/1/refresh", b"");
    assert_eq!(
        film.client.get("/activities").container()["Activity"][0]["type"],
        "library.update.section"
    );
    assert_eq!(
        film.client.get("/library/sections").container()["Directory"][0]["refreshing"],
        true
    );
    assert_eq!(film.plex.items_with_file("/media/newer/c.mp4").len(), 0);
    let begun = Instant::now();
    while film.plex.items_with_file("/media/newer/c.mp4").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the scan never ended"
        );
        std::thread::yield_now();
    }
    assert_eq!(film.client.get("/activities").container()["size"], 0);
}

#[test]
fn prefs_are_listed() {
    let mut film = film();
    let prefs = film.client.get("/:/prefs").container();
    let settings = prefs["Setting"].as_array().unwrap();
    assert!(
        settings
            .iter()
            .any(|setting| setting["id"] == "ButlerStartHour" && setting["value"] == 2)
    );
}
