//! Files that go, come back or move, and items that are split and merged.

use super::*;

/// `ratingKey` and `deletedAt` of everything the library lists.
fn listed(film: &mut Film) -> Vec<(u64, bool)> {
    let list = film
        .client
        .get("/library/sections/1/all?type=1")
        .container();
    let items = list["Metadata"].as_array().into_iter().flatten();
    let mut items: Vec<_> = items
        .map(|item| {
            let key = item["ratingKey"].as_str().unwrap().parse().unwrap();
            (key, item["deletedAt"].is_number())
        })
        .collect();
    items.sort_unstable();
    items
}

#[test]
fn a_file_that_is_gone_puts_its_item_into_the_trash() {
    let mut film = film();
    let key = film.key;
    film.plex.delete_file("/media/a.mp4");
    assert_eq!(listed(&mut film), [(key, false)], "no scan has missed it");
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(key, true)]);
    let details = film
        .client
        .get(&format!("/library/metadata/{key}"))
        .container();
    assert!(details["Metadata"][0]["deletedAt"].is_number());
    assert_eq!(film.edit("title.value=Still").status, 200);

    // The file is back: the same item, edits and all.
    film.plex.add_unscanned(1, "/media/a.mp4");
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(key, false)]);
    assert_eq!(film.item().title(), "Still");

    film.plex.delete_file("/media/a.mp4");
    film.plex.scan(1);
    film.plex.empty_trash(1);
    assert_eq!(listed(&mut film), []);
    assert_eq!(
        film.client.get(&format!("/library/metadata/{key}")).status,
        404
    );
}

#[test]
fn a_moved_file_is_a_new_item_and_the_old_one_lies_in_the_trash() {
    let mut film = film();
    film.plex.move_file("/media/a.mp4", "/media/new/a.mp4");
    let new = film.key + 1;
    // Plex sees each end of the move when it scans that folder.
    film.client
        .get("/library/sections/1/refresh?path=%2Fmedia%2Fnew");
    assert_eq!(listed(&mut film), [(film.key, false), (new, false)]);
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(film.key, true), (new, false)]);
    let [old, moved] = [film.key, new].map(|key| film.plex.item(key).unwrap());
    assert_eq!(moved.files().collect::<Vec<_>>(), ["/media/new/a.mp4"]);
    let size = |item: &simulators::Item| item.parts().map(|part| part.size).sum::<u64>();
    assert_eq!(size(&old), size(&moved));
    film.plex.empty_trash(1);
    assert_eq!(listed(&mut film), [(new, false)]);
}

#[test]
fn a_moved_file_may_keep_its_key() {
    let mut film = film();
    film.plex.set(|options| options.moves_keep_keys = true);
    film.edit("title.value=Edited");
    film.plex.move_file("/media/a.mp4", "/media/new/a.mp4");
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(film.key, false)]);
    assert_eq!(film.item().title(), "Edited");
    assert!(film.plex.items_with_file("/media/a.mp4").is_empty());
    assert_eq!(film.plex.items_with_file("/media/new/a.mp4").len(), 1);
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(film.key, false)]);
}

#[test]
fn a_file_moves_between_libraries_by_their_folders() {
    let mut film = film();
    let other = film
        .plex
        .add_section("Other", SectionKind::Movie, &["/other"]);
    film.plex.move_file("/media/a.mp4", "/other/a.mp4");
    film.plex.scan(1);
    film.plex.scan(other);
    assert_eq!(listed(&mut film), [(film.key, true)]);
    assert_eq!(film.plex.items_with_file("/other/a.mp4")[0].section, other);
}

#[test]
fn a_version_that_is_gone_leaves_the_item() {
    let mut film = film();
    film.plex.add_version(film.key, "/media/b.mp4");
    film.plex.delete_file("/media/a.mp4");
    film.plex.scan(1);
    assert_eq!(listed(&mut film), [(film.key, false)]);
    assert_eq!(film.item().files().collect::<Vec<_>>(), ["/media/b.mp4"]);
}

#[test]
fn a_split_makes_an_item_of_each_version_and_a_merge_one_of_all() {
    let mut film = film();
    film.edit("title.value=Edited");
    for file in ["/media/b.mp4", "/media/c.mp4"] {
        film.plex.add_version(film.key, file);
    }
    let keys = film.plex.split(film.key);
    assert_eq!((keys.len(), keys[0]), (3, film.key));
    let what = |film: &Film, key: u64| {
        let item = film.plex.item(key).unwrap();
        (item.title().to_owned(), item.files().collect::<String>())
    };
    let whats: Vec<_> = keys.iter().map(|key| what(&film, *key)).collect();
    let expected = [
        ("Edited", "/media/a.mp4"),
        ("b", "/media/b.mp4"),
        ("c", "/media/c.mp4"),
    ];
    assert_eq!(
        whats,
        expected.map(|(title, file)| (title.into(), file.into()))
    );
    assert_eq!(film.plex.items_with_file("/media/c.mp4")[0].key, keys[2]);

    film.plex.merge(film.key, &keys[1..]);
    assert_eq!(listed(&mut film), [(film.key, false)]);
    let details = film
        .client
        .get(&format!("/library/metadata/{}", film.key))
        .container();
    assert_eq!(details["Metadata"][0]["Media"].as_array().unwrap().len(), 3);
    assert_eq!(film.plex.items_with_file("/media/c.mp4")[0].key, film.key);
    assert_eq!(
        film.client
            .get(&format!("/library/metadata/{}", keys[1]))
            .status,
        404
    );
}

#[test]
fn a_file_is_renamed_or_exchanged_under_the_same_key() {
    let film = film();
    film.plex.change(film.key, |item| item.added_at = 5);
    film.plex.set(|options| options.now = Some(1_000));
    let size = film.item().parts().map(|part| part.size).sum::<u64>();
    film.plex.rename_file("/media/a.mp4", "/media/renamed.mp4");
    let item = film.item();
    assert_eq!((item.added_at, item.updated_at), (5, 1_000));
    assert_eq!(item.parts().map(|part| part.size).sum::<u64>(), size);
    assert_eq!(film.plex.items_with_file("/media/renamed.mp4").len(), 1);
    assert_eq!(film.plex.items_with_file("/media/a.mp4").len(), 0);

    film.plex
        .exchange_file("/media/renamed.mp4", "/media/better.mp4");
    let item = film.item();
    assert_eq!(item.files().collect::<Vec<_>>(), ["/media/better.mp4"]);
    assert_ne!(item.parts().map(|part| part.size).sum::<u64>(), size);
}

#[test]
fn files_changed_by_hand_are_found_too() {
    let film = film();
    film.plex.change(film.key, |item| {
        item.media[0].parts[0].file = "/media/x.mp4".into()
    });
    assert_eq!(film.plex.items_with_file("/media/x.mp4").len(), 1);
    assert_eq!(film.plex.items_with_file("/media/a.mp4").len(), 0);
}
