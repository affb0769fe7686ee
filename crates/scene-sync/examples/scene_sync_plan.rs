//! A scene's life: synced, edited in Plex, changed in Stash; what each sync would do, in words.
//!
//! `cargo run --example scene_sync_plan`
#![allow(clippy::unwrap_used)]

use scene_sync::{EditPlan, Field, Item, LastWritten, Policy, Scene, TagKind, plan};

fn main() {
    let mut scene = Scene {
        title: "Dawn".into(),
        details: "A walk before sunrise.".into(),
        date: "2024-05".into(),
        studio: Some("North Light".into()),
        performers: vec!["Ann".into(), "Bo".into()],
        tags: vec!["Outdoor".into(), "Solo".into()],
        ..Scene::default()
    };
    let mut item = Item {
        key: "7".into(),
        title: "dawn-1080p".into(),
        ..Item::default()
    };
    let policy = Policy::default();
    let preserving = Policy {
        preserve_plex_edits: true,
        ..Policy::default()
    };

    let first = plan(&scene, &item, None, &policy);
    show("First sync", &first);
    let ledger = send(&first, &mut item);

    show(
        "Nothing changed",
        &plan(&scene, &item, Some(&ledger), &policy),
    );

    item.summary = "My own words.".into();
    item.genres.push("Favourite".into());
    scene.details = "A long walk before sunrise.".into();
    scene.tags = vec!["outdoor".into(), "Sunrise".into()];
    println!("~ In Plex: another summary, genre Favourite added.");
    println!(
        "~ In Stash: another description, tag Solo gone, Sunrise new, Outdoor in lower case.\n"
    );
    show("Stash wins", &plan(&scene, &item, Some(&ledger), &policy));
    let kept = plan(&scene, &item, Some(&ledger), &preserving);
    show("Edits made in Plex are preserved", &kept);
    send(&kept, &mut item);
    let genres: Vec<_> = item.genres.iter().map(|tag| tag.name.as_str()).collect();
    println!("In the end: {:?}, genres {genres:?}", item.summary);
}

fn show(what: &str, plan: &EditPlan) {
    println!("{what}:");
    plan.to_string()
        .lines()
        .for_each(|line| println!("    {line}"));
    println!();
}

/// Stands for the client that sends the edit.
fn send(plan: &EditPlan, item: &mut Item) -> LastWritten {
    for edit in &plan.fields {
        let value = match edit.field {
            Field::Title => &mut item.title,
            Field::Summary => &mut item.summary,
            Field::Tagline => &mut item.tagline,
            Field::Studio => &mut item.studio,
            Field::Date => &mut item.date,
            Field::ContentRating => &mut item.content_rating,
        };
        value.clone_from(&edit.to);
    }
    for edit in &plan.tags {
        let tags = match edit.kind {
            TagKind::Genre => &mut item.genres,
            TagKind::Actor => &mut item.actors,
            TagKind::Collection => &mut item.collections,
        };
        tags.clone_from(&edit.target);
    }
    assert_eq!(plan.verify(item), None);
    plan.written.clone().unwrap()
}
