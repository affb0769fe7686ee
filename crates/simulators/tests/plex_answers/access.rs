//! Who is let in, and what errors look like.

use super::*;

#[test]
fn identity_has_the_recorded_shape_in_both_forms_and_needs_no_token() {
    let plex = PlexServer::start().unwrap();
    let json = Client::connect(plex.port())
        .unwrap()
        .header("Accept", "application/json")
        .get("/identity");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.header("x-plex-protocol"), Some("1.0"));
    assert_eq!(json.header("keep-alive"), Some("timeout=20"));
    let ours = json.container();
    assert_eq!(ours["claimed"], true);
    assert_eq!(ours["machineIdentifier"].as_str().unwrap().len(), 40);
    if let Some(text) = recording("plex/wire/identity_claimed.json") {
        let recorded: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            missing(&recorded["MediaContainer"], &ours, &[]),
            Vec::<String>::new()
        );
    }

    let xml = Client::connect(plex.port()).unwrap().get("/identity");
    assert_eq!(xml.header("content-type"), Some("text/xml;charset=utf-8"));
    let document = roxmltree::Document::parse(xml.text()).unwrap();
    let root = document.root_element();
    assert_eq!(
        (root.tag_name().name(), root.attribute("claimed")),
        ("MediaContainer", Some("1"))
    );
    assert_eq!(
        root.attribute("machineIdentifier"),
        ours["machineIdentifier"].as_str()
    );
}

#[test]
fn an_unclaimed_server_needs_no_token() {
    let plex = PlexServer::start_with(PlexOptions {
        token: None,
        ..PlexOptions::default()
    })
    .unwrap();
    let mut client = Client::connect(plex.port())
        .unwrap()
        .header("Accept", "application/json");
    assert_eq!(client.get("/identity").container()["claimed"], false);
    assert_eq!(client.get("/").container()["myPlexMappingState"], "unknown");
    assert_eq!(client.get("/library/sections").container()["size"], 0);
}

#[test]
fn a_wrong_token_gets_the_recorded_html_even_for_json() {
    let plex = PlexServer::start().unwrap();
    let mut client = Client::connect(plex.port())
        .unwrap()
        .header("Accept", "application/json");
    for (path, name) in [
        ("/", "401_root.html"),
        ("/library/sections", "401_any_path.html"),
    ] {
        for token in ["", "?X-Plex-Token=wrong"] {
            let answer = client.get(&format!("{path}{token}"));
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (401, Some("text/html"))
            );
            if let Some(recorded) = recording(&format!("plex/errors/{name}")) {
                assert_eq!(answer.text(), recorded);
            }
        }
    }
    let token = plex.token();
    assert_eq!(client.get(&format!("/?X-Plex-Token={token}")).status, 200);
    assert!(
        plex.requests().last().unwrap().contains(&token),
        "secrets are recorded as sent"
    );
}

#[test]
fn a_guest_reads_no_paths_and_changes_nothing() {
    let options = PlexOptions {
        guest_token: Some("guest".into()),
        ..PlexOptions::default()
    };
    let plex = PlexServer::start_with(options).unwrap();
    let section = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    let key = plex.add_file(section, "/media/a.mp4");
    let mut client = Client::connect(plex.port())
        .unwrap()
        .header("Accept", "application/json")
        .header("X-Plex-Token", "guest");
    let item = format!("/library/metadata/{key}");
    for path in ["/library/sections", "/library/sections/1/all?type=1", &item] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            !answer.text().contains("\"/media"),
            "{path}: {}",
            answer.text()
        );
    }
    let details = client.get(&item).container();
    assert!(details["Metadata"][0]["Media"][0]["Part"][0]["size"].is_number());
    for refusal in [403, 401] {
        plex.set(|options| options.guest_refusal = refusal);
        let edit = client.put(&format!("{item}?title.value=x"));
        assert_eq!(edit.status, refusal);
        assert_eq!(client.get("/:/prefs").status, refusal);
    }
    assert_eq!(plex.item(key).unwrap().title(), "a");
    let owner = plex_client(&plex).get(&item).container();
    assert_eq!(
        owner["Metadata"][0]["Media"][0]["Part"][0]["file"],
        "/media/a.mp4"
    );
}

#[test]
fn other_errors_have_their_recorded_bodies() {
    let (plex, _) = films(&[]);
    let mut client = plex_client(&plex);
    for (path, status, name) in [
        (
            "/library/metadata/999",
            404,
            "404_same_form_unverified.html",
        ),
        ("/library/sections/Films/all", 500, "500.html"),
        ("/library/sections/1/all?file=a.mp4", 500, "500.html"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, status, "{path}");
        if let Some(recorded) = recording(&format!("plex/errors/{name}")) {
            assert_eq!(answer.text(), recorded);
        }
    }
}
