//! Plex's answers against what real servers answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod file_filter;
mod libraries;
mod listings;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use simulators::{FileFilter, PlexOptions, PlexServer, SectionKind, TagKind};
use support::{Client, encode, plex_client, recording};

fn films(files: &[&str]) -> (PlexServer, Vec<u64>) {
    let plex = PlexServer::start().unwrap();
    let section = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    let keys = plex.add_files(section, files.iter().copied());
    (plex, keys)
}

fn keys_of(list: &Value) -> Vec<&str> {
    list["Metadata"].as_array().map_or(Vec::new(), |l| {
        l.iter().map(|m| m["ratingKey"].as_str().unwrap()).collect()
    })
}

/// Names and kinds of the members of `recorded` that `ours` lacks or has in another kind.
fn missing(recorded: &Value, ours: &Value, allowed: &[&str]) -> Vec<String> {
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    let members = recorded.as_object().unwrap().iter();
    let differs = members.filter(|(name, value)| {
        !allowed.contains(&name.as_str()) && ours.get(name.as_str()).map(kind) != Some(kind(value))
    });
    differs
        .map(|(name, value)| format!("{name}: {} (ours {:?})", kind(value), ours.get(name)))
        .collect()
}

#[test]
fn sections_have_the_recorded_shape() {
    let (plex, _) = films(&[]);
    let ours = plex_client(&plex).get("/library/sections").container();
    assert_eq!(ours["Directory"][0]["key"], "1", "a string");
    assert_eq!(ours["Directory"][0]["Location"][0]["path"], "/media");
    let xml = Client::connect(plex.port())
        .unwrap()
        .header("X-Plex-Token", &plex.token())
        .get("/library/sections");
    let document = roxmltree::Document::parse(xml.text()).unwrap();
    if let Some(text) = recording("plex/wire/library_sections_1movie.xml") {
        let recorded = roxmltree::Document::parse(&text).unwrap();
        let section = |document: &roxmltree::Document| {
            let node = document
                .descendants()
                .find(|n| n.has_tag_name("Directory"))
                .unwrap();
            node.attributes()
                .map(|a| a.name().to_owned())
                .collect::<Vec<_>>()
        };
        let ours = section(&document);
        let lacking: Vec<_> = section(&recorded)
            .into_iter()
            .filter(|name| !ours.contains(name))
            .collect();
        assert_eq!(lacking, ["metadataAgentProviderGroupId"]);
    }
}

#[test]
fn listings_and_details_have_the_recorded_members() {
    let (plex, keys) = films(&["/media/Big Buck Bunny.mkv"]);
    for kind in [
        TagKind::Genre,
        TagKind::Director,
        TagKind::Country,
        TagKind::Collection,
        TagKind::Actor,
    ] {
        plex.add_tag(keys[0], kind, "Some");
    }
    plex.change(keys[0], |item| {
        for (field, value) in [
            ("studio", "S"),
            ("contentRating", "G"),
            ("rating", "6.2"),
            ("tagline", "t"),
        ] {
            item.set_field(field, value);
        }
        item.set_field("originallyAvailableAt", "2008-04-10");
        item.set_field("year", "2008");
        item.set_field("audienceRating", "4.9");
    });
    let mut client = plex_client(&plex);
    let list = client.get("/library/sections/1/all?type=1").container();
    if let Some(text) = recording("plex/movie_library.json") {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let recorded = &recorded["MediaContainer"];
        assert_eq!(missing(recorded, &list, &[]), Vec::<String>::new());
        assert_eq!(
            missing(&recorded["Metadata"][0], &list["Metadata"][0], &[]),
            Vec::<String>::new()
        );
        let media = |value: &Value| value["Metadata"][0]["Media"][0].clone();
        assert_eq!(
            missing(
                &media(recorded),
                &media(&list),
                &["audioProfile", "videoProfile"]
            ),
            Vec::<String>::new()
        );
        let part = |value: &Value| media(value)["Part"][0].clone();
        assert_eq!(
            missing(&part(recorded), &part(&list), &["audioProfile"]),
            Vec::<String>::new()
        );
    }
    let full = client
        .get(&format!("/library/metadata/{}", keys[0]))
        .container();
    if let Some(text) = recording("plex/metadata_1036.json") {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let agent = [
            "viewCount",
            "lastViewedAt",
            "audienceRatingImage",
            "primaryExtraKey",
            "ratingImage",
            "Guid",
            "Rating",
            "Similar",
            "Writer",
            "Producer",
        ];
        assert_eq!(
            missing(
                &recorded["MediaContainer"]["Metadata"][0],
                &full["Metadata"][0],
                &agent
            ),
            Vec::<String>::new()
        );
        let role = |value: &Value| value["Metadata"][0]["Role"][0].clone();
        assert_eq!(
            missing(
                &role(&recorded["MediaContainer"]),
                &role(&full),
                &["tagKey", "role", "thumb"]
            ),
            Vec::<String>::new()
        );
    }
}

#[test]
fn the_file_filter_answers_as_recorded() {
    let (plex, keys) = films(&[
        "/media/a/Test (2024).mkv",
        "/media/b/Test (2024).mkv",
        "/media/b/Other.mkv",
    ]);
    let mut client = plex_client(&plex);
    let base = "/library/sections/1/all?type=1&file=";
    let hit = client.get(&format!("{base}{}", encode("Test (2024).mkv")));
    assert_eq!(hit.header("x-plex-container-total-size"), Some("2"));
    assert_eq!(
        keys_of(&hit.container()),
        [keys[0].to_string(), keys[1].to_string()]
    );
    let exact = client
        .get(&format!("{base}{}", encode("/media/b/Test (2024).mkv")))
        .container();
    assert_eq!(keys_of(&exact), [keys[1].to_string()]);
    let miss = client.get(&format!("{base}nothing.mkv"));
    assert_eq!(miss.header("x-plex-container-total-size"), Some("0"));
    assert_eq!(
        (
            miss.container()["size"].clone(),
            miss.container()["totalSize"].clone()
        ),
        (0.into(), 0.into())
    );
    let mut xml = Client::connect(plex.port())
        .unwrap()
        .header("X-Plex-Token", &plex.token());
    let ours = xml.get(&format!("{base}Other.mkv"));
    let document = roxmltree::Document::parse(ours.text()).unwrap();
    assert_eq!(
        document
            .descendants()
            .filter(|node| node.has_tag_name("Video"))
            .count(),
        1
    );
    let part = document
        .descendants()
        .find(|node| node.has_tag_name("Part"))
        .unwrap();
    assert_eq!(part.attribute("file"), Some("/media/b/Other.mkv"));
    if let Some(text) = recording("plex/wire/all_file_hit.xml") {
        let recorded = roxmltree::Document::parse(&text).unwrap();
        for name in ["MediaContainer", "Video", "Media", "Part"] {
            let attributes = |document: &roxmltree::Document| -> Vec<String> {
                let node = document
                    .descendants()
                    .find(|node| node.has_tag_name(name))
                    .unwrap();
                node.attributes()
                    .map(|attribute| attribute.name().to_owned())
                    .collect()
            };
            let ours = attributes(&document);
            let agent = [
                "slug",
                "year",
                "originallyAvailableAt",
                "videoProfile",
                "hasVoiceActivity",
                "indexes",
            ];
            let lacking = attributes(&recorded)
                .into_iter()
                .filter(|n| !ours.contains(n) && !agent.contains(&n.as_str()));
            assert_eq!(lacking.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
        }
    }
    plex.set(|options| options.file_filter = FileFilter::Ignored);
    assert_eq!(
        client.get(&format!("{base}Other.mkv")).container()["totalSize"],
        3,
        "the whole library"
    );
}

#[test]
fn shows_have_episodes_and_artists_have_none() {
    let plex = PlexServer::start().unwrap();
    let shows = plex.add_section("Shows", SectionKind::Show, &["/tv"]);
    let music = plex.add_section("Music", SectionKind::Artist, &["/music"]);
    let episode = plex.add_file(shows, "/tv/The Show/one.mkv");
    plex.add_file(shows, "/tv/The Show/two.mkv");
    plex.add_item(music, simulators::Kind::Artist, "Somebody");
    let mut client = plex_client(&plex);
    let list = client
        .get("/library/sections/1/all?type=4&file=one.mkv")
        .container();
    assert_eq!(keys_of(&list), [episode.to_string()]);
    assert_eq!(list["Metadata"][0]["grandparentTitle"], "The Show");
    let shows = client.get("/library/sections/1/all").container();
    assert_eq!(
        (shows["size"].clone(), shows["Metadata"][0]["type"].clone()),
        (1.into(), "show".into())
    );
    let show = shows["Metadata"][0]["ratingKey"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        client
            .get(&format!("/library/metadata/{show}/allLeaves"))
            .container()["size"],
        2
    );
    assert_eq!(
        client.get("/library/sections/2/all").container()["Metadata"][0]["type"],
        "artist"
    );
    assert_eq!(
        client.get("/library/sections/2/all?type=1").container()["size"],
        0
    );
}

#[test]
fn loose_types_turn_numbers_and_truths_into_strings() {
    let (plex, _) = films(&["/media/a.mp4"]);
    plex.set(|options| options.loose_types = true);
    let list = plex_client(&plex)
        .get("/library/sections/1/all?type=1")
        .container();
    assert_eq!(
        (list["size"].clone(), list["allowSync"].clone()),
        ("1".into(), "1".into())
    );
    assert!(list["Metadata"][0]["Media"][0]["Part"][0]["size"].is_string());
}

#[test]
fn xml_escapes_what_people_write() {
    let (plex, keys) = films(&["/media/a.mp4"]);
    plex.edit_by_hand(keys[0], "summary", "a < b & \"c\"\nnew line 山\u{1}");
    let mut client = Client::connect(plex.port())
        .unwrap()
        .header("X-Plex-Token", &plex.token());
    let answer = client.get(&format!("/library/metadata/{}", keys[0]));
    let document = roxmltree::Document::parse(answer.text()).unwrap();
    let video = document
        .descendants()
        .find(|node| node.has_tag_name("Video"))
        .unwrap();
    assert_eq!(
        video.attribute("summary"),
        Some("a < b & \"c\"\nnew line 山")
    );
    let lock = video
        .children()
        .find(|node| node.has_tag_name("Field"))
        .unwrap();
    assert_eq!(
        (lock.attribute("locked"), lock.attribute("name")),
        (Some("1"), Some("summary"))
    );
}
