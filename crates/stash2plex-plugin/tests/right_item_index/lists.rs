//! Row 19: a long list of tags where Plex replaces the list at each edit.

use simulators::{EntityKind, TagMode};

use super::*;

const TAGS: usize = 100;
const SHORT: &str = "accepts only short requests, so long lists of tags or performers are cut";

/// A name of 30 characters that take nine bytes each in a request.
fn name(nth: usize) -> String {
    let start = u32::from('一');
    let letters = (0..30).map(|n| char::from_u32(start + (nth * 31 + n * 7) as u32).unwrap());
    letters.collect()
}

fn replacing(limit: Option<usize>) -> (Installed, u64, u64) {
    let options = PlexOptions {
        tag_mode: TagMode::Replace,
        proxy_line_limit: limit,
        line_limit: 60_000,
        ..PlexOptions::default()
    };
    let plugin = installed(1, options, json!({"max_tags": TAGS}));
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    let names: Vec<_> = (0..TAGS).map(name).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    plugin.world.stash.edit(scene).tags(&names);
    (plugin, scene, item)
}

/// A save of the scene as it is, and another one with another title: the list is not sent again.
fn is_not_sent_again(plugin: &Installed, scene: u64, item: u64) {
    let before = tags(plugin, item, TagKind::Genre);
    plugin.world.plex.take_requests();
    for _ in 0..2 {
        plugin.save(scene);
        worked_off(plugin);
        assert_eq!(asked(plugin).len(), 0, "unchanged");
    }
    plugin.world.stash.edit(scene).title("Another title");
    plugin.save(scene);
    worked_off(plugin);
    let requests = asked(plugin);
    assert_eq!(writes(&requests), 1, "{}", told(&requests));
    assert!(
        !requests
            .iter()
            .any(|one| one.query.contains("genre%5B") || one.query.contains("genre["))
    );
    assert_eq!(title(plugin, item), "Another title");
    is_stable(plugin);
    assert_eq!(tags(plugin, item, TagKind::Genre), before);
    assert_eq!(dead(plugin), []);
}

#[test]
fn a_long_list_arrives_whole_and_is_not_sent_again() {
    let (plugin, scene, item) = replacing(None);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(
        tags(&plugin, item, TagKind::Genre).len(),
        TAGS,
        "{}",
        plugin.worker_log()
    );
    is_not_sent_again(&plugin, scene, item);

    // What Plex does is known now: one request, and a look at what came of it.
    let fewer: Vec<_> = (10..TAGS).map(name).collect();
    let fewer: Vec<_> = fewer.iter().map(String::as_str).collect();
    plugin.world.stash.edit(scene).tags(&fewer);
    plugin.world.plex.take_requests();
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(tags(&plugin, item, TagKind::Genre), set_of(&fewer));
    assert_eq!(writes(&asked(&plugin)), 1);
    is_stable(&plugin);
}

/// A proxy refuses longer lines: as many tags as one request holds.
#[test]
fn what_does_not_fit_into_a_line_is_told_once_and_left_out() {
    let (plugin, scene, item) = replacing(Some(8_000));
    plugin.save(scene);
    worked_off(&plugin);
    // 289 bytes a tag, and 7,200 for the list, so that line and lock fit too.
    let shown = |scene, item| {
        let stash = &plugin.world.stash;
        let scene = stash.scene(scene).unwrap();
        let names = scene
            .tags
            .iter()
            .map(|id| stash.name_of(EntityKind::Tag, *id));
        let (shown, all) = (tags(&plugin, item, TagKind::Genre), names.collect());
        assert!(shown.is_subset(&all));
        shown.len()
    };
    assert_eq!(shown(scene, item), 24, "{}", plugin.worker_log());
    assert_eq!(lines(&plugin, SHORT).len(), 1, "{}", plugin.worker_log());
    let left_out =
        format!("scene {scene}: left out: 76 genres, more than one request to this Plex holds");
    assert_eq!(
        lines(&plugin, &left_out).len(),
        1,
        "{}",
        plugin.worker_log()
    );
    is_not_sent_again(&plugin, scene, item);

    // All of them others: those that go do not tear the list apart.
    let others: Vec<_> = (TAGS..2 * TAGS).map(name).collect();
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    plugin.world.stash.edit(scene).tags(&others);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(shown(scene, item), 24, "{}", plugin.worker_log());
    is_stable(&plugin);

    // The next worker knows it, and the next scene has its tags in one request.
    let next = crate::scene(&plugin, "/data/next.mp4");
    let (section, path) = (plugin.world.section, "/media/scenes/next.mp4");
    let next_item = plugin.world.plex.add_file(section, path);
    plugin.world.stash.edit(next).tags(&others);
    plugin.world.plex.take_requests();
    plugin.save(next);
    worked_off(&plugin);
    assert_eq!(shown(next, next_item), 24);
    let requests = asked(&plugin);
    let lists = requests
        .iter()
        .filter(|one| one.method == "PUT" && one.query.contains("genre"));
    assert_eq!(lists.count(), 1, "{}", told(&requests));
    assert_eq!(lines(&plugin, SHORT).len(), 1, "told once");
    assert_eq!(dead(&plugin), []);
    is_stable(&plugin);
}

/// Longer than any request may be: 100 names of 255 letters. And later a proxy comes that takes
/// less still.
#[test]
fn a_list_longer_than_any_request_is_no_failure() {
    let (plugin, scene, item) = replacing(None);
    let long = |n: usize| format!("{n:03}{}", "字".repeat(200));
    let names: Vec<_> = (0..TAGS).map(long).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    plugin.world.stash.edit(scene).tags(&names);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(dead(&plugin), []);
    let shown = tags(&plugin, item, TagKind::Genre);
    assert!(
        !shown.is_empty() && shown.is_subset(&set_of(&names)),
        "{}",
        plugin.worker_log()
    );
    assert_eq!(lines(&plugin, SHORT).len(), 1, "{}", plugin.worker_log());
    is_not_sent_again(&plugin, scene, item);
}

#[test]
fn a_proxy_that_came_later_is_noticed() {
    let (plugin, scene, item) = replacing(None);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(tags(&plugin, item, TagKind::Genre).len(), TAGS);
    plugin
        .world
        .plex
        .set(|plex| plex.proxy_line_limit = Some(8_000));
    let others: Vec<_> = (TAGS..2 * TAGS).map(name).collect();
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    plugin.world.stash.edit(scene).tags(&others);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(dead(&plugin), []);
    let shown = tags(&plugin, item, TagKind::Genre);
    assert!(shown.is_subset(&set_of(&others)), "{}", plugin.worker_log());
    assert_eq!(shown.len(), 24, "{}", plugin.worker_log());
    assert_eq!(lines(&plugin, SHORT).len(), 1, "{}", plugin.worker_log());
    is_not_sent_again(&plugin, scene, item);
}
