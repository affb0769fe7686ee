//! Plex, whose database is busy, carries out an edit long after its sender has gone: before,
//! between and after the edits of the next versions of the scene. In the end it shows what Stash
//! has, and nothing of what came and went.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;
use std::time::Duration;

use common::Installed;
use serde_json::json;
use simulators::{Fault, Rule, TagKind};

const PERSONS: &str = "A person's";

/// A kind of request.
type Kind = (&'static str, &'static str);
const EDIT: Kind = ("PUT", "/library/sections");
const RATING: Kind = ("PUT", "/:/rate");
const PICTURE: Kind = ("POST", "/library/metadata");

/// Such a request of so many versions comes late before the last version, tried again meanwhile or
/// not.
#[test]
fn edits_that_come_late() {
    thread::scope(|scope| {
        for preserve in [false, true] {
            for (kind, late, retried) in [
                (EDIT, 1, false),
                (EDIT, 2, false),
                (EDIT, 1, true),
                (RATING, 1, false),
                (PICTURE, 1, false),
            ] {
                scope.spawn(move || story(preserve, kind, late, retried));
            }
        }
    });
}

fn story(preserve: bool, kind: Kind, late: u32, retried: bool) {
    let settings = json!({
        "preserve_plex_edits": preserve, "sync_rating": true, "sync_poster": true, "read_timeout": 5, "idle_timeout": 30,
    });
    let mut plugin = Installed::with(1, settings);
    let mapping = &mut plugin.world.mapping;
    mapping.foreign_tags = true;
    mapping.rating = true;
    mapping.poster = true;
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    let plex = &plugin.world.plex;
    let edit = |version: u32| {
        let text = |what: &str| format!("{what} {version}");
        let stash = &plugin.world.stash;
        // Stash names a cover by the second of its last change.
        stash.set(|stash| stash.now = Some(stash.now.unwrap_or(1_800_000_000) + 1));
        let scene = stash.edit(scene);
        let scene = scene.title(&text("Title")).details(&text("Details"));
        let scene = scene.tags(&["Always", &text("Tag")]).rating(20 * version);
        scene.cover(version);
    };
    edit(1);
    plugin.save(scene);
    plugin.until_equal();
    plex.add_tag(item, TagKind::Genre, PERSONS);

    let (method, path) = kind;
    let sent = || {
        let requests = plex.requests();
        let sent = requests
            .iter()
            .filter(|one| one.method == method && one.path.starts_with(path));
        sent.count()
    };
    for version in 0..late {
        edit(2 + version);
        let before = sent();
        let busy = Fault::Slow(Duration::from_millis(3000 + 700 * u64::from(version)));
        plex.fail_when(Rule::new(busy).method(method).path(path).times(1));
        plugin.save(scene);
        plugin.until("sent", || sent() > before);
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
            "preserve {preserve}, {kind:?}, late {late}, retried {retried}\n{}",
            plugin.worker_log()
        )
    };
    assert_eq!(
        tags,
        [PERSONS, "Always", &format!("Tag {}", 2 + late)],
        "{}",
        log()
    );
    let found = plugin.world.comparison();
    assert!(found.is_equal(), "{found}\n{}", log());
}

/// The second edit waits for its turn while Plex leaves the first one unanswered, so it is given up
/// late, and comes later.
#[test]
fn edits_that_are_given_up_and_come() {
    let plugin = Installed::with(
        2,
        json!({ "read_timeout": 5, "idle_timeout": 30, "failure_threshold": 100 }),
    );
    let (world, plex) = (&plugin.world, &plugin.world.plex);
    let edit = |version: u32| {
        for scene in &world.scenes {
            let text = |what: &str| format!("{what} {version}");
            world
                .stash
                .edit(*scene)
                .title(&text("Title"))
                .tags(&[&text("Tag")]);
        }
    };
    edit(1);
    plugin.task("all");
    plugin.until_equal();
    edit(2);
    let busy = Fault::Slow(Duration::from_secs(12));
    plex.fail_when(
        Rule::new(busy)
            .path("/library/sections")
            .method("PUT")
            .times(2),
    );
    plugin.task("all");
    let edits = || {
        let requests = plex.requests();
        requests.iter().filter(|one| one.method == "PUT").count()
    };
    plugin.until("sent", || edits() > 2);
    edit(3);
    plugin.until_equal();
    let done = || plugin.queue().counts().unwrap().live() == 0;
    plugin.until("settled", done);
    assert!(
        plex.requests()
            .iter()
            .all(|request| request.ended.is_some())
    );
    assert!(
        world.comparison().is_equal(),
        "{}\n{}",
        world.comparison(),
        plugin.worker_log()
    );
}
