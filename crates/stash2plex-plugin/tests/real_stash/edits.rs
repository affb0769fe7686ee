//! Edits of scenes, as Stash's forms and dialogs make them.

use std::ops::Range;
use std::time::Instant;

use serde_json::json;
use simulators::{Fault, Item, TagKind};

use super::server::Real;

/// What Stash says of the hook that it kills.
pub const LEFT: &[&str] = &["error executing post hooks: operation cancelled"];

/// The films of bulk edits.
fn many() -> Range<usize> {
    20..60
}

type Shows = fn(&Item) -> bool;

pub fn each_field(real: &mut Real) {
    let (scene, film) = (real.scene(1), real.film(1));
    let performer = real.make("Performer", "Ada Field");
    let studio = real.make("Studio", "Field Films");
    let tag = real.make("Tag", "Field Tag");
    let cover = format!("data:image/png;base64,{PNG}");
    let fields: [(_, Shows); 9] = [
        (json!({"title": "A Title"}), |item| {
            item.title() == "A Title"
        }),
        (json!({"details": "Much to tell"}), |item| {
            item.field("summary") == "Much to tell"
        }),
        (json!({"code": "AB-12"}), |item| {
            item.field("tagline") == "AB-12"
        }),
        (json!({"date": "2021-03-04"}), |item| {
            item.field("originallyAvailableAt") == "2021-03-04"
        }),
        (json!({"studio_id": studio}), |item| {
            item.field("studio") == "Field Films"
                && item.tag_names(TagKind::Collection) == ["Field Films"]
        }),
        (json!({"performer_ids": [performer]}), |item| {
            item.tag_names(TagKind::Actor) == ["Ada Field"]
        }),
        (json!({"tag_ids": [tag]}), |item| {
            item.tag_names(TagKind::Genre) == ["Field Tag"]
        }),
        (json!({"rating100": 80}), |item| {
            item.user_rating == Some(8.0)
        }),
        (json!({"cover_image": cover}), |item| {
            item.posters.selected_sha1().is_some()
                && item.posters.selected_sha1() == item.arts.selected_sha1()
        }),
    ];
    for (field, shows) in fields {
        let began = Instant::now();
        real.save(&scene, field.clone());
        let saved = began.elapsed().as_millis();
        real.until(&format!("shown: {field:.60}"), || shows(&real.item(&film)));
        let key = field.as_object().unwrap().keys().next().unwrap();
        println!(
            "          {key}: saved in {saved} ms, shown after {} ms",
            began.elapsed().as_millis()
        );
    }
    real.until_worked_off();
}

pub fn taken_away(real: &mut Real) {
    let (scene, film) = (real.scene(1), real.film(1));
    real.save(
        &scene,
        json!({"details": "", "date": null, "studio_id": null, "performer_ids": [], "tag_ids": [], "rating100": null}),
    );
    real.until("taken away", || {
        let item = real.item(&film);
        let tags = [TagKind::Actor, TagKind::Genre, TagKind::Collection];
        item.field("summary").is_empty()
            && item.field("studio").is_empty()
            && item.user_rating.is_none()
            && tags.iter().all(|kind| item.tag_names(*kind).is_empty())
    });
    assert_eq!(real.item(&film).title(), "A Title");
}

pub fn several_inputs(real: &mut Real) {
    let input = |n: usize| json!({"id": real.scene(n), "title": format!("One of several {n}")});
    let inputs: Vec<_> = (2..6).map(input).collect();
    real.ask(
        "mutation ($input: [SceneUpdateInput!]!) { scenesUpdate(input: $input) { id } }",
        json!({"input": inputs}),
    );
    for n in 2..6 {
        let title = format!("One of several {n}");
        real.until(&title, || real.item(&real.film(n)).title() == title);
    }
}

const BULK: &str =
    "mutation ($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }";

/// What a bulk edit takes, in milliseconds for each scene.
fn time_bulk(real: &Real, ids: &[String], tag: &str) -> f64 {
    let began = Instant::now();
    let tags = json!({"ids": [tag], "mode": "SET"});
    real.ask(BULK, json!({"input": {"ids": ids, "tag_ids": tags}}));
    began.elapsed().as_secs_f64() * 1000.0 / ids.len() as f64
}

pub fn bulk(real: &mut Real) {
    let ids: Vec<_> = many().map(|n| real.scene(n)).collect();
    let [tag, other] = ["Of a bulk", "Without the plugin"].map(|name| real.make("Tag", name));
    let enable = |is_on: bool| {
        let query = "mutation ($map: BoolMap!) { setPluginsEnabled(enabledMap: $map) }";
        real.ask(query, json!({"map": {"Stash2Plex": is_on}}));
    };
    enable(false);
    let without = time_bulk(real, &ids, &other);
    enable(true);
    let with = time_bulk(real, &ids, &tag);
    println!(
        "          {} scenes, {with:.1} ms each; without the plugin {without:.1} ms",
        ids.len()
    );
    real.until("all have the tag", || {
        many().all(|n| real.item(&real.film(n)).tag_names(TagKind::Genre) == ["Of a bulk"])
    });
}

pub fn bulk_left(real: &mut Real) {
    let ids: Vec<_> = many().map(|n| real.scene(n)).collect();
    real.until_worked_off();
    // What is recorded can be counted while Plex is away.
    real.plex.fail_with(Fault::maintenance());
    real.ask_and_leave(
        BULK,
        json!({"input": {"ids": ids, "details": "Left behind"}}),
        || real.waiting() > 0,
    );
    real.plex.clear_faults();
    real.until("all have the details", || {
        many().all(|n| real.item(&real.film(n)).field("summary") == "Left behind")
    });
    real.until_worked_off();
}

/// A red picture.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGM4ISdHEmIY1TCqYfhqAADkYgQQ60fIxgAAAABJRU5ErkJggg==";
