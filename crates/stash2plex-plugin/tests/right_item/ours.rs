//! What we sent is ours; what people put into Plex is theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use simulators::{Requests, TagKind};

use crate::{
    Installed, add_file, add_scene, all_of, assert_at_rest, fill, installed, set, shown, work,
    worked_off,
};

/// A scene and its item, not synced yet.
fn pair(plugin: &Installed) -> (u64, u64) {
    let scene = add_scene(plugin, "/data/a/scene.mp4", "Scene");
    (scene, add_file(plugin, "/media/scenes/a/scene.mp4"))
}

/// Row 6: Plex showed all of it before, since a person typed it; what is dropped in Stash later is
/// not ours to remove.
#[test]
fn what_a_person_typed_stays_when_it_is_dropped_in_stash() {
    for preserve in [false, true] {
        let plugin = installed(json!({"sync_rating": true, "preserve_plex_edits": preserve}));
        let (scene, item) = pair(&plugin);
        let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
        stash
            .edit(scene)
            .tags(&["Typed", "Sent"])
            .performers(&["Person", "Other"])
            .rating(80);
        plex.add_tag(item, TagKind::Genre, "Typed");
        plex.add_tag(item, TagKind::Actor, "Person");
        plex.edit_by_hand(item, "summary", "About Scene");
        plex.change(item, |item| item.user_rating = Some(8.0));
        plugin.save(scene);
        worked_off(&plugin);
        let names = |kind| {
            let item = plugin.world.plex.item(item).unwrap();
            item.tag_names(kind)
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(TagKind::Genre), ["Typed", "Sent"]);

        stash
            .edit(scene)
            .tags(&[])
            .performers(&[])
            .details("")
            .rating(0);
        plugin.save(scene);
        worked_off(&plugin);
        assert_eq!(names(TagKind::Genre), ["Typed"], "only what we sent goes");
        assert_eq!(names(TagKind::Actor), ["Person"]);
        let now = plex.item(item).unwrap();
        assert_eq!(now.field("summary"), "About Scene");
        assert_eq!(now.user_rating, Some(8.0));
        assert_at_rest(&plugin);
    }
}

/// What was the person's and then changed by us is ours.
#[test]
fn what_we_wrote_over_it_is_ours_to_clear() {
    let plugin = installed(json!({"sync_rating": true}));
    let (scene, item) = pair(&plugin);
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    plex.edit_by_hand(item, "summary", "Typed");
    plex.change(item, |item| item.user_rating = Some(3.0));
    stash.edit(scene).rating(80);
    plugin.save(scene);
    worked_off(&plugin);
    let now = plex.item(item).unwrap();
    assert_eq!(
        (now.field("summary"), now.user_rating),
        ("About Scene", Some(8.0))
    );
    stash.edit(scene).details("").rating(0);
    plugin.save(scene);
    worked_off(&plugin);
    let now = plex.item(item).unwrap();
    assert_eq!((now.field("summary"), now.user_rating), ("", None));
    assert_at_rest(&plugin);
}

/// Row 7: a person edits in Plex between our look and our write, at 300 ms an answer. The look is
/// the last request before the write, so that only what comes within one answer of Plex is lost.
#[test]
fn an_edit_in_plex_right_before_ours_is_kept() {
    let plugin = installed(json!({"preserve_plex_edits": true, "concurrency": 4}));
    let plex = &plugin.world.plex;
    let scenes: Vec<_> = (0..4)
        .map(|n| {
            let name = format!("Scene {n}");
            let scene = add_scene(&plugin, &format!("/data/a/{n}.mp4"), &name);
            (
                scene,
                add_file(&plugin, &format!("/media/scenes/a/{n}.mp4")),
            )
        })
        .collect();
    work(&plugin, "all");
    for (n, (scene, _)) in scenes.iter().enumerate() {
        fill(&plugin, *scene, &format!("Changed {n}"));
    }
    plex.set_latency(Duration::from_millis(300));
    // While the first write is on its way, somebody edits all the others.
    let (items, done) = (scenes.clone(), Arc::new(AtomicUsize::new(usize::MAX)));
    let first = done.clone();
    plex.before(Requests::all().method("PUT").times(1), move |plex| {
        let writing = plex
            .requests()
            .into_iter()
            .rfind(|one| one.method == "PUT")
            .unwrap();
        for (n, (_, item)) in items.iter().enumerate() {
            if writing.query.contains(&format!("&id={item}&"))
                || writing.query.ends_with(&format!("&id={item}"))
            {
                first.store(n, Ordering::SeqCst);
            } else {
                plex.edit_by_hand(*item, "title", "By hand");
            }
        }
    });
    plex.take_requests();
    work(&plugin, "all");
    plex.set_latency(Duration::ZERO);
    let first = done.load(Ordering::SeqCst);
    assert_ne!(first, usize::MAX);
    let titles: Vec<_> = scenes
        .iter()
        .map(|(_, item)| shown(&plugin, *item).title)
        .collect();
    let kept = titles.iter().filter(|title| *title == "By hand").count();
    // One may have been looked at while the first was being written.
    assert!(kept >= scenes.len() - 2, "{titles:?}");
    assert_eq!(titles[first], format!("Changed {first}"));
    // What is not a person's arrives all the same.
    for (n, (_, item)) in scenes.iter().enumerate() {
        assert_eq!(shown(&plugin, *item).summary, format!("About Changed {n}"));
    }
}

/// The same for one scene alone: the edit comes before our look, which nothing separates from the
/// write.
#[test]
fn the_look_is_the_last_request_before_the_write() {
    let plugin = installed(json!({"preserve_plex_edits": true}));
    let (scene, item) = pair(&plugin);
    let plex = &plugin.world.plex;
    plugin.save(scene);
    worked_off(&plugin);
    fill(&plugin, scene, "Changed");
    plex.take_requests();
    plugin.save(scene);
    worked_off(&plugin);
    let asked = crate::asked(&plugin);
    let write = asked
        .iter()
        .position(|one| *one == format!("PUT {item}"))
        .unwrap();
    assert_eq!(
        asked[write - 1],
        format!("GET /library/metadata/{item}"),
        "{asked:?}"
    );
    assert_eq!(shown(&plugin, item), all_of("Changed"));

    // By hand after the search and before the look.
    fill(&plugin, scene, "Again");
    let sections = Requests::all()
        .method("GET")
        .path("/library/sections")
        .times(1);
    plex.after(sections, move |plex| {
        plex.edit_by_hand(item, "title", "By hand")
    });
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(shown(&plugin, item).title, "By hand");
    assert_eq!(shown(&plugin, item).summary, "About Again");
    set(&plugin, json!({"preserve_plex_edits": true}));
    assert_at_rest(&plugin);
}
