//! Filters, pages, and what a listing leaves out.

use super::*;

#[test]
fn unknown_filters_are_ignored_and_known_ones_are_not() {
    let (plex, keys) = films(&["/media/Alpha.mp4", "/media/Beta.mp4"]);
    plex.change(keys[0], |item| item.added_at = 100);
    plex.change(keys[1], |item| item.added_at = 200);
    plex.add_tag(keys[1], TagKind::Genre, "Night");
    let genre = plex.item(keys[1]).unwrap().tags[&TagKind::Genre][0].id;
    let mut client = plex_client(&plex);
    let mut found = |query: &str| {
        let list = client
            .get(&format!("/library/sections/1/all?type=1&{query}"))
            .container();
        keys_of(&list)
            .into_iter()
            .map(|key| key.parse().unwrap())
            .collect::<Vec<u64>>()
    };
    let both = keys.clone();
    assert_eq!(found("nonsense=1"), both);
    assert_eq!(found("addedAt>==150"), both, "this spelling is ignored");
    assert_eq!(found("addedAt>=150"), [keys[1]]);
    assert_eq!(found("addedAt%3E%3E=150"), [keys[1]]);
    assert!(found("addedAt>>=200").is_empty(), "strictly greater");
    assert_eq!(found("title=lph"), [keys[0]]);
    assert!(found("title==lph").is_empty());
    assert_eq!(found("title==Alpha"), [keys[0]]);
    assert_eq!(found(&format!("genre={genre}")), [keys[1]]);
    assert_eq!(found("sort=addedAt:desc"), [keys[1], keys[0]]);
}

#[test]
fn pages_come_by_header_or_query_and_may_be_shorter_than_asked() {
    let files: Vec<String> = (0..25).map(|n| format!("/media/{n:02}.mp4")).collect();
    let (plex, keys) = films(&files.iter().map(String::as_str).collect::<Vec<_>>());
    plex.set(|options| options.page_limit = 10);
    let list = "/library/sections/1/all?type=1";
    let mut client = plex_client(&plex);
    let page = client.get(&format!(
        "{list}&X-Plex-Container-Start=20&X-Plex-Container-Size=10"
    ));
    assert_eq!(page.header("x-plex-container-start"), Some("20"));
    assert_eq!(page.header("x-plex-container-total-size"), Some("25"));
    let page = page.container();
    assert_eq!(
        (
            page["size"].clone(),
            page["totalSize"].clone(),
            page["offset"].clone()
        ),
        (5.into(), 25.into(), 20.into())
    );
    assert_eq!(
        keys_of(&page),
        keys[20..].iter().map(u64::to_string).collect::<Vec<_>>()
    );
    let mut asking = plex_client(&plex)
        .header("X-Plex-Container-Start", "0")
        .header("X-Plex-Container-Size", "100");
    assert_eq!(asking.get(list).container()["size"], 10);
    let totals = client
        .get(&format!(
            "{list}&X-Plex-Container-Start=0&X-Plex-Container-Size=0"
        ))
        .container();
    assert_eq!(
        (totals["size"].clone(), totals["totalSize"].clone()),
        (0.into(), 25.into())
    );
    let whole = client
        .get(&format!(
            "{list}&excludeElements=Media&excludeFields=summary"
        ))
        .container();
    assert_eq!(whole["size"], 25);
    assert!(
        whole["Metadata"][0].get("Media").is_none()
            && whole["Metadata"][0].get("summary").is_none()
    );
}

#[test]
fn listings_cut_tags_and_show_no_locks() {
    let (plex, keys) = films(&["/media/a.mp4"]);
    for kind in [
        TagKind::Genre,
        TagKind::Actor,
        TagKind::Writer,
        TagKind::Director,
        TagKind::Label,
    ] {
        for name in ["A", "B", "C", "D"] {
            plex.add_tag(keys[0], kind, name);
        }
    }
    plex.edit_by_hand(keys[0], "title", "By hand");
    let mut client = plex_client(&plex);
    let listed = client.get("/library/sections/1/all?type=1").container()["Metadata"][0].clone();
    let count = |item: &Value, name: &str| item[name].as_array().map_or(0, Vec::len);
    let names = ["Genre", "Role", "Writer", "Director", "Label", "Field"];
    assert_eq!(names.map(|name| count(&listed, name)), [2, 3, 2, 1, 0, 0]);
    let full = client
        .get(&format!("/library/metadata/{}", keys[0]))
        .container()["Metadata"][0]
        .clone();
    assert_eq!(names.map(|name| count(&full, name)), [4, 4, 4, 4, 4, 1]);
    assert_eq!(
        full["Field"][0],
        serde_json::json!({"locked": true, "name": "title"})
    );
    let two = client
        .get(&format!("/library/metadata/{0},{0}", keys[0]))
        .container();
    assert_eq!(two["size"], 2);
}
