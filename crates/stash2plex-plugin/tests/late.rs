//! Plex, whose database is busy, carries out an edit long after its sender has gone: before, between and after the
//! edits of the next versions of the scene. In the end it shows what Stash has, and nothing of what came and went.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;
use std::time::Duration;

use common::Installed;
use serde_json::json;
use simulators::{Fault, Rule, TagKind};

const PERSONS: &str = "A person's";

/// So many versions come late before the last, tried again meanwhile or not.
#[test]
fn edits_that_come_late() {
    thread::scope(|scope| {
        for preserve in [false, true] {
            for (late, retried) in [(1, false), (2, false), (1, true)] {
                scope.spawn(move || story(preserve, late, retried));
            }
        }
    });
}

fn story(preserve: bool, late: u32, retried: bool) {
    let settings = json!({
        "preserve_plex_edits": preserve, "sync_rating": true, "read_timeout": 5, "idle_timeout": 30,
    });
    let mut plugin = Installed::with(1, settings);
    plugin.world.mapping.foreign_tags = true;
    plugin.world.mapping.rating = true;
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    let plex = &plugin.world.plex;
    let edit = |version: u32| {
        let text = |what: &str| format!("{what} {version}");
        let scene = plugin.world.stash.edit(scene);
        let scene = scene.title(&text("Title")).details(&text("Details"));
        scene.tags(&["Always", &text("Tag")]).rating(20 * version);
    };
    edit(1);
    plugin.save(scene);
    plugin.until_equal();
    plex.add_tag(item, TagKind::Genre, PERSONS);

    let edits = || {
        let requests = plex.requests();
        requests.iter().filter(|r| r.method == "PUT").count()
    };
    for version in 0..late {
        edit(2 + version);
        let before = edits();
        let busy = Fault::Slow(Duration::from_millis(3000 + 700 * u64::from(version)));
        plex.fail_when(
            Rule::new(busy)
                .path("/library/sections")
                .method("PUT")
                .times(1),
        );
        plugin.save(scene);
        plugin.until("sent", || edits() > before);
        plugin.kill_worker();
        plugin.until_no_worker();
        if retried {
            plugin.save(scene);
            plugin.until_equal();
        }
    }
    edit(2 + late);
    plugin.save(scene);
    plugin.until_equal();
    let all = || {
        plex.requests()
            .iter()
            .all(|request| request.ended.is_some())
    };
    plugin.until("carried out", all);
    let done = || plugin.queue().counts().unwrap().live() == 0;
    plugin.until("settled", done);

    let item = plex.item(item).unwrap();
    let mut tags = item.tag_names(TagKind::Genre);
    tags.sort_unstable();
    let log = || {
        format!(
            "preserve {preserve}, late {late}, retried {retried}\n{}",
            plugin.worker_log()
        )
    };
    assert_eq!(
        tags,
        [PERSONS, "Always", &format!("Tag {}", 2 + late)],
        "{}",
        log()
    );
    assert!(
        plugin.world.comparison().is_equal(),
        "{}\n{}",
        plugin.world.comparison(),
        log()
    );
}
