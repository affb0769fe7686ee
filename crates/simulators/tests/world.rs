//! Whole worlds: comparison, and libraries as large as real ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use simulators::{EntityKind, Mapping, PlexServer, Scene, TagKind, World};
use support::{Client, encode, plex_client};

/// What a perfect sync does, through HTTP.
fn sync(world: &World, client: &mut Client, scene: &Scene) {
    let file = world.mapping.to_plex(&scene.files[0].path);
    let name = file.rsplit('/').next().unwrap();
    let found = client
        .get(&format!(
            "/library/sections/{}/all?type=1&file={}",
            world.section,
            encode(name)
        ))
        .container();
    let items = found["Metadata"].as_array().unwrap();
    let item = items
        .iter()
        .find(|item| item["Media"][0]["Part"][0]["file"] == file.as_str())
        .unwrap();
    let mut edit = format!(
        "/library/sections/{}/all?type=1&id={}",
        world.section,
        item["ratingKey"].as_str().unwrap()
    );
    let studio = scene
        .studio
        .map(|id| world.stash.name_of(EntityKind::Studio, id))
        .unwrap_or_default();
    let texts = [
        ("title", &scene.title),
        ("summary", &scene.details),
        ("originallyAvailableAt", &scene.date),
        ("studio", &studio),
    ];
    for (field, value) in texts {
        edit += &format!("&{field}.value={}&{field}.locked=1", encode(value));
    }
    for (name, kind, ids) in [
        ("actor", EntityKind::Performer, &scene.performers),
        ("genre", EntityKind::Tag, &scene.tags),
    ] {
        for (at, id) in ids.iter().enumerate() {
            edit += &format!(
                "&{name}%5B{at}%5D.tag.tag={}",
                encode(&world.stash.name_of(kind, *id))
            );
        }
    }
    edit += &format!("&collection%5B0%5D.tag.tag={}", encode(&studio));
    assert_eq!(client.put(&edit).status, 200);
}

#[test]
fn a_world_is_unequal_until_it_is_synced() {
    let world = World::new(40, 7).unwrap();
    assert_eq!(
        world.comparison().to_string().lines().next(),
        Some("0 of 40 scenes equal")
    );
    let mut client = plex_client(&world.plex);
    for scene in world.stash.scenes() {
        sync(&world, &mut client, &scene);
    }
    assert_eq!(world.comparison().to_string(), "40 of 40 scenes equal");
    assert!(world.comparison().is_equal());
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let scenes = |seed| {
        let stash = World::new(30, seed).unwrap().stash;
        stash
            .scenes()
            .into_iter()
            .map(|scene| (scene.title, scene.files[0].path.clone(), scene.performers))
            .collect::<Vec<_>>()
    };
    assert_eq!(scenes(1), scenes(1));
    assert_ne!(scenes(1), scenes(2));
    let paths: BTreeSet<String> = scenes(1).into_iter().map(|scene| scene.1).collect();
    assert_eq!(paths.len(), 30, "every scene has a file of its own");
    assert!(paths.iter().any(|path| !path.is_ascii()));
}

/// One scene synced, with everything optional in the mapping.
fn synced() -> (World, Mapping, u64) {
    let world = World::new(1, 3).unwrap();
    let scene = world.stash.scenes().remove(0);
    sync(&world, &mut plex_client(&world.plex), &scene);
    let mapping = Mapping {
        collection: true,
        rating: true,
        poster: true,
        background: true,
        content_rating: Some("XXX".into()),
        tagline: Some(|scene| scene.title.clone()),
        ..world.mapping.clone()
    };
    let key = world.items[0];
    let mut client = plex_client(&world.plex);
    let cover = scene.cover.unwrap();
    for shelf in ["posters", "arts"] {
        assert_eq!(
            client
                .ask("POST", &format!("/library/metadata/{key}/{shelf}"), &cover)
                .status,
            200
        );
    }
    world.plex.change(key, |item| {
        item.user_rating = scene.rating100.map(|rating| f64::from(rating) / 10.0);
        item.set_field("contentRating", "XXX");
        item.set_field("tagline", &scene.title);
    });
    (world, mapping, key)
}

#[test]
fn every_difference_is_found_and_named() {
    type Change = fn(&PlexServer, u64);
    let changes: [(&str, Change); 14] = [
        ("title", |plex, key| plex.edit_by_hand(key, "title", "x")),
        ("summary", |plex, key| plex.edit_by_hand(key, "summary", "")),
        ("date", |plex, key| {
            plex.edit_by_hand(key, "originallyAvailableAt", "1990-01-01")
        }),
        ("studio", |plex, key| plex.edit_by_hand(key, "studio", "x")),
        ("performers", |plex, key| {
            plex.add_tag(key, TagKind::Actor, "Stranger")
        }),
        ("tags", |plex, key| {
            plex.change(key, |item| {
                _ = item.tags.get_mut(&TagKind::Genre).unwrap().pop()
            })
        }),
        ("collection", |plex, key| {
            plex.add_tag(key, TagKind::Collection, "x")
        }),
        ("rating", |plex, key| {
            plex.change(key, |item| item.user_rating = Some(0.05))
        }),
        ("content rating", |plex, key| {
            plex.edit_by_hand(key, "contentRating", "G")
        }),
        ("tagline", |plex, key| plex.edit_by_hand(key, "tagline", "")),
        ("poster", |plex, key| {
            plex.change(key, |item| item.posters.selected = None)
        }),
        ("background", |plex, key| {
            plex.change(key, |item| {
                item.arts.selected = Some("upload://art/00".into())
            })
        }),
        ("item", |plex, key| _ = plex.remove(key)),
        ("item", |plex, key| {
            let file = plex.item(key).unwrap().files().next().unwrap().to_owned();
            plex.add_file(1, &file);
        }),
    ];
    for (what, change) in changes {
        let (world, mapping, key) = synced();
        let compare = || simulators::compare(&world.stash, &world.plex, &mapping);
        assert_eq!(compare().to_string(), "1 of 1 scenes equal");
        change(&world.plex, key);
        let after = compare();
        assert_eq!(
            after.differences.iter().map(|d| d.what).collect::<Vec<_>>(),
            [what]
        );
        assert!(
            after
                .to_string()
                .starts_with("0 of 1 scenes equal\n  scene 1 "),
            "{after}"
        );
    }
}

#[test]
fn what_is_no_difference() {
    let (world, mut mapping, key) = synced();
    let equal =
        |mapping: &Mapping| simulators::compare(&world.stash, &world.plex, mapping).is_equal();
    world.plex.change(key, |item| {
        let genres = item.tags.get_mut(&TagKind::Genre).unwrap();
        genres.reverse();
        genres
            .iter_mut()
            .for_each(|tag| tag.name = tag.name.to_ascii_uppercase());
    });
    assert!(equal(&mapping), "neither order nor ASCII case");
    world.plex.add_tag(key, TagKind::Genre, "By hand");
    assert!(!equal(&mapping));
    mapping.foreign_tags = true;
    assert!(equal(&mapping), "a tag of somebody else, where allowed");
    world.stash.edit(1).title("").date("2024-05");
    mapping.tagline = None;
    assert!(!equal(&mapping), "the old date is not of that month");
    world
        .plex
        .edit_by_hand(key, "originallyAvailableAt", "2024-05-01");
    assert!(
        equal(&mapping),
        "an empty title clears nothing; a partial date may be completed"
    );
    world.plex.edit_by_hand(key, "originallyAvailableAt", "");
    assert!(equal(&mapping), "… or left out");
    world.stash.add_scene_without_file();
    assert_eq!(
        simulators::compare(&world.stash, &world.plex, &mapping).scenes,
        1
    );
}

#[test]
fn fifty_thousand_items_are_served() {
    let world = World::new(10, 1).unwrap();
    world.fill_plex(50_000);
    let mut client = plex_client(&world.plex);
    let list = format!("/library/sections/{}/all?type=1", world.section);
    let mut keys = BTreeSet::new();
    for (start, size) in [(0, 300), (25_000, 300), (49_800, 200), (50_000, 0)] {
        let page = client
            .get(&format!(
                "{list}&X-Plex-Container-Start={start}&X-Plex-Container-Size=300"
            ))
            .container();
        assert_eq!(
            (page["totalSize"].clone(), page["size"].clone()),
            (50_000.into(), size.into())
        );
        let items = page["Metadata"].as_array().map_or(&[][..], Vec::as_slice);
        keys.extend(
            items
                .iter()
                .map(|item| item["ratingKey"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(keys.len(), 800, "no item stands on two pages");
    let file = world
        .plex
        .item(world.items[9])
        .unwrap()
        .files()
        .next()
        .unwrap()
        .to_owned();
    let found = client
        .get(&format!("{list}&file={}", encode(&file)))
        .container();
    assert_eq!(
        (
            found["size"].clone(),
            found["Metadata"][0]["ratingKey"].clone()
        ),
        (1.into(), world.items[9].to_string().into())
    );
}
