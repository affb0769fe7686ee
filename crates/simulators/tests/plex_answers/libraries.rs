//! Several libraries, shows with seasons, and answers that are no documents.

use simulators::Spoilt;

use super::*;

#[test]
fn two_libraries_may_hold_the_same_file_and_hide_their_folders() {
    let plex = PlexServer::start().unwrap();
    let films = plex.add_section("Films", SectionKind::Movie, &["/media/a", "/media/b"]);
    let all = plex.add_section("All", SectionKind::Movie, &["/media"]);
    let keys = [films, all].map(|section| plex.add_file(section, "/media/a/one.mkv"));
    let mut client = plex_client(&plex);
    for (section, key) in [(films, keys[0]), (all, keys[1])] {
        let path = format!("/library/sections/{section}/all?type=1&file=one.mkv");
        assert_eq!(keys_of(&client.get(&path).container()), [key.to_string()]);
    }
    let folders = |client: &mut Client| {
        let list = client.get("/library/sections").container();
        let folders = list["Directory"].as_array().unwrap().iter();
        folders
            .map(|section| {
                section
                    .get("Location")
                    .map_or(0, |l| l.as_array().unwrap().len())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(folders(&mut client), [2, 1]);
    plex.set(|options| options.tells_locations = false);
    assert_eq!(folders(&mut client), [0, 0]);
}

#[test]
fn episodes_with_one_name_lie_in_seasons_of_shows() {
    let plex = PlexServer::start().unwrap();
    let section = plex.add_section("Shows", SectionKind::Show, &["/tv"]);
    let files = [
        "/tv/Alpha/Season 01/S01E01.mkv",
        "/tv/Alpha/Season 02/S01E01.mkv",
        "/tv/Beta/S01E01.mkv",
        "/tv/Beta/S01E02.mkv",
    ];
    plex.add_files(section, files);
    let mut client = plex_client(&plex);
    let found = client
        .get("/library/sections/1/all?type=4&file=S01E01.mkv")
        .container();
    let place = |item: &Value| {
        ["grandparentTitle", "parentTitle", "parentIndex", "index"].map(|name| item[name].clone())
    };
    let places: Vec<_> = found["Metadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect();
    let expected = [("Alpha", 1), ("Alpha", 2), ("Beta", 1)];
    for (place, (show, season)) in places.iter().zip(expected) {
        let title = format!("Season {season}");
        let wanted = [show.into(), title.into(), season.into(), Value::from(1)];
        assert_eq!(*place, wanted);
    }
    assert_eq!(places.len(), 3);
    assert_eq!(
        client.get("/library/sections/1/all?type=2").container()["size"],
        2
    );
    assert_eq!(
        client.get("/library/sections/1/all?type=3").container()["size"],
        3
    );
}

#[test]
fn two_files_in_one_version_are_one_item() {
    let (plex, _) = films(&[]);
    let key = plex.add_stacked(1, &["/media/film cd1.mkv", "/media/film cd2.mkv"]);
    let item = plex_client(&plex)
        .get(&format!("/library/metadata/{key}"))
        .container();
    let media = item["Metadata"][0]["Media"].as_array().unwrap();
    assert_eq!(
        (media.len(), media[0]["Part"].as_array().unwrap().len()),
        (1, 2)
    );
    assert_eq!(plex.items_with_file("/media/film cd2.mkv")[0].key, key);
}

#[test]
fn a_spoilt_item_makes_its_answers_no_documents() {
    let (plex, keys) = films(&["/media/a.mkv", "/media/b.mkv"]);
    let mut client = plex_client(&plex);
    let own = format!("/library/metadata/{}", keys[0]);
    plex.spoil(keys[0], Spoilt::InvalidUtf8);
    for path in [own.as_str(), "/library/sections/1/all?type=1"] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200);
        let text = b"\"title\":\"a\xff\"";
        assert!(
            answer.body.windows(text.len()).any(|part| part == text),
            "{path}"
        );
        assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    }
    plex.spoil(keys[0], Spoilt::ControlCharacter);
    let answer = client.get(&own);
    assert!(answer.text().contains("\"summary\":\"\u{1}\""));
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    plex.spoil(keys[0], Spoilt::WrongShape);
    assert_eq!(client.get(&own).container()["Metadata"][0]["Media"], 7);
    client
        .get(&format!("/library/metadata/{}", keys[1]))
        .container();
}
