//! Edits, tags, collections, images, ratings, scans of the simulated Plex.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod disk;
mod files;
mod kept;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use simulators::{Kind, PlexServer, SectionKind, TagKind, TagMode};
use support::{Answer, Client, encode, plex_client};

struct Film {
    plex: PlexServer,
    key: u64,
    client: Client,
}

fn film() -> Film {
    let plex = PlexServer::start().unwrap();
    let section = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    let key = plex.add_file(section, "/media/a.mp4");
    let client = plex_client(&plex);
    Film { plex, key, client }
}

impl Film {
    fn edit(&mut self, query: &str) -> Answer {
        self.client.put(&format!(
            "/library/sections/1/all?type=1&id={}&{query}",
            self.key
        ))
    }

    fn item(&self) -> simulators::Item {
        self.plex.item(self.key).unwrap()
    }

    fn genres(&self) -> Vec<String> {
        self.item()
            .tag_names(TagKind::Genre)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn an_edit_sets_and_locks_and_answers_nothing() {
    let mut film = film();
    let answer = film.edit(&format!(
        "title.value={}&title.locked=1&summary.value=a%2Bb%20c&originallyAvailableAt.value=2024-05-06&nonsense.value=1&userRating.value=7.5",
        encode("山 & Söhne")
    ));
    assert_eq!(
        (
            answer.status,
            answer.header("content-type"),
            answer.body.len()
        ),
        (200, Some("text/html"), 0)
    );
    let item = film.item();
    assert_eq!(
        (item.title(), item.field("summary"), item.field("year")),
        ("山 & Söhne", "a+b c", "2024")
    );
    assert_eq!(item.locked.iter().collect::<Vec<_>>(), ["title"]);
    assert_eq!(item.user_rating, Some(7.5));
    film.edit("summary.value=&title.locked=0");
    assert_eq!(
        (film.item().field("summary"), film.item().locked.len()),
        ("", 0)
    );
    film.plex.set(|options| options.edits_lock = true);
    film.edit("summary.value=x");
    assert!(film.item().locked.contains("summary"));
}

#[test]
fn the_same_edit_works_on_metadata_and_for_several() {
    let mut film = film();
    let other = film.plex.add_file(1, "/media/b.mp4");
    let (key, path) = (film.key, "/library/metadata");
    assert_eq!(
        film.client
            .put(&format!("{path}/{key},{other}?studio.value=S"))
            .status,
        200
    );
    assert_eq!(film.plex.item(other).unwrap().field("studio"), "S");
    assert_eq!(
        film.client
            .put(&format!("{path}/777?studio.value=S"))
            .status,
        404
    );
    assert_eq!(
        film.client
            .put("/library/sections/1/all?type=1&id=777&studio.value=S")
            .status,
        404
    );
    assert_eq!(
        film.client
            .put("/library/sections/9/all?type=1&id=1&studio.value=S")
            .status,
        404
    );
    assert_eq!(
        film.client
            .put("/library/sections/x/all?type=1&id=1&studio.value=S")
            .status,
        500
    );
}

#[test]
fn an_edit_without_id_hits_every_item_of_the_type() {
    let mut film = film();
    let other = film.plex.add_file(1, "/media/b.mp4");
    film.plex.add_tag(film.key, TagKind::Collection, "C");
    assert_eq!(
        film.client
            .put("/library/sections/1/all?type=1&studio.value=Oops")
            .status,
        200
    );
    assert_eq!(film.item().field("studio"), "Oops");
    assert_eq!(film.plex.item(other).unwrap().field("studio"), "Oops");
    let collection = film
        .plex
        .items()
        .into_iter()
        .find(|item| item.kind == Kind::Collection)
        .unwrap();
    assert_eq!(collection.field("studio"), "");
}

#[test]
fn bad_values_change_nothing() {
    let mut film = film();
    for query in [
        "title.value=x&originallyAvailableAt.value=2024-05",
        "title.value=x&originallyAvailableAt.value=2024-13-01",
        "title.value=x&year.value=soon",
    ] {
        assert_eq!(film.edit(query).status, 400, "{query}");
    }
    assert_eq!(film.item().title(), "a");
}

#[test]
fn indexed_tags_add_or_replace() {
    let mut film = film();
    film.edit("genre%5B0%5D.tag.tag=Alpha&genre%5B1%5D.tag.tag=Beta");
    film.edit("genre%5B0%5D.tag.tag=Gamma&actor[0].tag.tag=Ada&actor[0].tagging.text=Herself");
    assert_eq!(film.genres(), ["Alpha", "Beta", "Gamma"]);
    film.plex.set(|options| options.tag_mode = TagMode::Replace);
    film.edit("genre[0].tag.tag=Delta");
    assert_eq!(film.genres(), ["Delta"]);
    let actor = &film.item().tags[&TagKind::Actor][0];
    assert_eq!(
        (actor.name.as_str(), actor.role.as_deref()),
        ("Ada", Some("Herself")),
        "other kinds stay"
    );
}

#[test]
fn tags_are_removed_by_encoded_names() {
    let mut film = film();
    for name in ["A, B", "Köln", "Slow+Motion", "Stays"] {
        film.plex.add_tag(film.key, TagKind::Genre, name);
    }
    // Each name percent-encoded, joined by commas, and the whole encoded once more.
    let names = ["A%2C%20B", "K%C3%B6ln", "slow%2BMotion"].join(",");
    film.edit(&format!("genre%5B%5D.tag.tag-={}", encode(&names)));
    assert_eq!(film.genres(), ["Stays"]);
    film.edit("genre[].tag=");
    assert!(film.genres().is_empty());
}

#[test]
fn some_servers_honour_one_removal() {
    let mut film = film();
    film.plex.add_tag(film.key, TagKind::Genre, "G");
    film.plex.add_tag(film.key, TagKind::Actor, "A");
    film.plex.set(|options| options.one_removal_per_edit = true);
    film.edit("genre[].tag.tag-=G&actor[].tag.tag-=A");
    assert!(film.genres().is_empty());
    assert_eq!(film.item().tag_names(TagKind::Actor), ["A"]);
}

#[test]
fn tag_names_are_one_without_regard_to_ascii_case() {
    let mut film = film();
    let other = film.plex.add_file(1, "/media/b.mp4");
    film.plex.add_tag(other, TagKind::Genre, "Outdoor");
    film.edit("genre[0].tag.tag=OUTDOOR&genre[1].tag.tag=outdoor&genre[2].tag.tag=%C3%89t%C3%A9&genre[3].tag.tag=%C3%A9t%C3%A9");
    assert_eq!(
        film.genres(),
        ["Outdoor", "Été", "été"],
        "the first spelling stays; beyond ASCII case counts"
    );
}

#[test]
fn a_collection_tag_makes_the_collection() {
    let mut film = film();
    film.edit("collection[0].tag.tag=Northlight");
    film.edit("collection[0].tag.tag=NORTHLIGHT");
    let list = film
        .client
        .get("/library/sections/1/all?type=18")
        .container();
    assert_eq!(list["size"], 1);
    let collection = &list["Metadata"][0];
    assert_eq!(
        (collection["title"].clone(), collection["type"].clone()),
        ("Northlight".into(), "collection".into())
    );
    let children = film
        .client
        .get(collection["key"].as_str().unwrap())
        .container();
    assert_eq!(children["Metadata"][0]["ratingKey"], film.key.to_string());
    film.edit("collection[0].tag.tag=Second");
    let key = collection["ratingKey"].as_str().unwrap();
    assert_eq!(
        film.client
            .put(&format!("/library/metadata/{key}?title.value=second"))
            .status,
        409
    );
}

#[test]
fn long_request_lines_are_refused() {
    let mut film = film();
    let long = "x".repeat(9_000);
    assert_eq!(film.edit(&format!("summary.value={long}")).status, 200);
    film.plex
        .set(|options| options.proxy_line_limit = Some(8_000));
    let refused = film.edit(&format!("summary.value={long}"));
    assert_eq!(
        (refused.status, refused.header("x-plex-protocol")),
        (414, None),
        "the proxy says so"
    );
    film.plex.set(|options| options.proxy_line_limit = None);
    assert_eq!(
        film.edit(&format!("summary.value={}", "x".repeat(31_000)))
            .status,
        400
    );
}
