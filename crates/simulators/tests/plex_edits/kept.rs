//! What becomes of edits that are long, or go to items that do not keep all of it.

use super::*;

#[test]
fn a_kind_of_item_may_not_keep_what_it_says_yes_to() {
    let film = film();
    let shows = film.plex.add_section("Shows", SectionKind::Show, &["/tv"]);
    let key = film.plex.add_file(shows, "/tv/Alpha/S01E01.mkv");
    film.plex
        .ignore_edits(shows, Kind::Episode, &["studio", "genre", "actor"]);
    let edit = "title.value=T&studio.value=S&studio.locked=1&genre[0].tag.tag=G&actor[0].tag.tag=A&director[0].tag.tag=D";
    let mut client = plex_client(&film.plex);
    for (section, kind, key) in [(shows, 4, key), (1, 1, film.key)] {
        let path = format!("/library/sections/{section}/all?type={kind}&id={key}&{edit}");
        assert_eq!(client.put(&path).status, 200);
    }
    let kept = |key: u64| {
        let item = film.plex.item(key).unwrap();
        let tags = [TagKind::Genre, TagKind::Actor, TagKind::Director];
        let counts = tags.map(|kind| item.tag_names(kind).len());
        (
            item.title().to_owned(),
            item.field("studio").to_owned(),
            item.locked.len(),
            counts,
        )
    };
    assert_eq!(kept(key), ("T".into(), String::new(), 0, [0, 0, 1]));
    assert_eq!(
        kept(film.key),
        ("T".into(), "S".into(), 1, [1, 1, 1]),
        "films keep it"
    );
    let details = client.get(&format!("/library/metadata/{key}")).container();
    assert_eq!(details["Metadata"][0].get("studio"), None);
}

/// 100 names of CJK make a line far over what proxies take; cut into several edits, each one
/// replaces the list.
#[test]
fn a_list_in_several_edits_is_the_last_part_where_edits_replace() {
    let mut film = film();
    let names: Vec<String> = (0..100)
        .map(|n| format!("{}{n}", "漢字の長い札".repeat(5)))
        .collect();
    let edit = |names: &[String]| {
        let tags = names.iter().enumerate();
        tags.map(|(at, name)| format!("&genre[{at}].tag.tag={}", encode(name)))
            .collect::<String>()
    };
    film.plex.set(|options| {
        (options.tag_mode, options.line_limit) = (TagMode::Replace, 100_000);
    });
    assert_eq!(film.edit(&edit(&names)).status, 200);
    assert_eq!(film.genres(), names);
    for part in names.chunks(25) {
        film.edit(&edit(part));
    }
    assert_eq!(film.genres(), names[75..]);
    film.plex.set(|options| options.tag_mode = TagMode::Add);
    for part in names.chunks(25) {
        film.edit(&edit(part));
    }
    assert_eq!(film.genres().len(), 100, "added");
}

#[test]
fn names_are_two_where_more_than_ascii_case_differs() {
    let mut film = film();
    let names = ["strasse", "straße", "É", "é", "İ", "i", "E\u{301}"];
    let tags = names.iter().enumerate();
    let edit: String = tags
        .map(|(at, name)| format!("&genre[{at}].tag.tag={}", encode(name)))
        .collect();
    film.edit(&edit);
    assert_eq!(film.genres(), names);
    film.edit(&format!("genre[].tag.tag-={}", encode(&encode("É"))));
    assert_eq!(film.genres().len(), 6, "é stays");
    film.edit(&format!("genre[].tag.tag-={}", encode("STRASSE")));
    assert_eq!(film.genres().len(), 5, "straße stays");
}

#[test]
fn long_lines_are_refused_for_listings_by_many_ids_too() {
    let mut film = film();
    film.plex
        .set(|options| options.proxy_line_limit = Some(1_000));
    let ids = vec![film.key.to_string(); 600].join(",");
    let path = format!("/library/metadata/{ids}");
    assert_eq!(film.client.get(&path).status, 414);
    assert_eq!(film.client.get(&path[..900]).status, 200);
    film.plex.set(|options| {
        (options.proxy_line_limit, options.line_limit) = (None, 1_000);
    });
    assert_eq!(film.client.get(&path).status, 400);
}
