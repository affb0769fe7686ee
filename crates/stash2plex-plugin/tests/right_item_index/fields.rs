//! Row 20: a TV library whose episodes do not keep all that they are sent.

use simulators::{Kind, SectionKind};

use super::*;

const IGNORED: [&str; 3] = ["studio", "genre", "actor"];

/// Episodes, none of them synced.
fn series(episodes: usize) -> (Installed, Vec<(u64, u64)>) {
    let settings = json!({"path_map": "/tv=>/media/series"});
    let plugin = installed(0, PlexOptions::default(), settings);
    let plex = &plugin.world.plex;
    // Long ago: what is read of them is certain at once, and no look at Stash reads it again.
    plugin
        .world
        .stash
        .set(|stash| stash.now = Some(1_700_000_000));
    let section = plex.add_section("Series", SectionKind::Show, &["/media/series"]);
    plex.ignore_edits(section, Kind::Episode, &IGNORED);
    let mut pairs = Vec::new();
    for n in 1..=episodes {
        let path = format!("Northern/Season 01/S01E{n:02}.mp4");
        let scene = scene(&plugin, &format!("/tv/{path}"));
        let edit = plugin.world.stash.edit(scene).studio("Northlight");
        edit.performers(&["Ada Lovelace"]).details("Of the north.");
        pairs.push((
            scene,
            plex.add_file(section, &format!("/media/series/{path}")),
        ));
    }
    (plugin, pairs)
}

const GIVEN_UP: &str =
    "does not keep studio, genre, actor for its items: that is not sent to them any more";

fn lists_sent(requests: &[Recorded]) -> usize {
    let bears = |one: &&Recorded| IGNORED.iter().any(|name| one.query.contains(*name));
    requests
        .iter()
        .filter(|one| one.method == "PUT")
        .filter(bears)
        .count()
}

#[test]
fn what_episodes_do_not_keep_is_not_claimed_nor_sent_again() {
    let (plugin, pairs) = series(6);
    // One after the other, each by a worker of its own: what one learned the next one knows.
    for (nth, (scene, item)) in pairs.iter().enumerate() {
        plugin.world.plex.take_requests();
        plugin.save(*scene);
        worked_off(&plugin);
        let log = plugin.worker_log();
        let wrote = lines(&plugin, &format!("scene {scene}: wrote "));
        let [wrote] = &wrote[..] else {
            panic!("{wrote:?} in {log}")
        };
        assert!(
            wrote.contains("wrote title, summary to Plex item \"")
                && wrote.ends_with(&format!(" ({item})")),
            "{wrote}"
        );
        assert_eq!(
            lines(&plugin, GIVEN_UP).len(),
            usize::from(nth >= 2),
            "{log}"
        );
        // Until that is known, what does not show is told once and listed.
        let missing = "Plex does not show what was sent of ";
        let warned = lines(&plugin, &format!("scene {scene}: {missing}"));
        assert_eq!(warned.len(), usize::from(nth < 2), "{log}");
        let status = plugin.task("queue_status").log_text();
        let listed =
            status.contains(", which was sent and which Plex does not show; the next save");
        assert!(listed, "{status}");
        let requests = asked(&plugin);
        if nth >= 3 {
            assert_eq!(lists_sent(&requests), 0, "{}", told(&requests));
            assert_eq!(requests.len(), 3, "{}", told(&requests));
        } else {
            assert!(lists_sent(&requests) > 0);
        }
        let shown = plugin.world.plex.item(*item).unwrap();
        assert_eq!(
            (shown.field("summary"), shown.field("studio")),
            ("Of the north.", "")
        );
    }
    assert_eq!(dead(&plugin), []);
    // The first two may be tried once more, now that it is known why they do not show all.
    for mode in ["reconcile_all", "reconcile_missing_metadata"] {
        work(&plugin, mode);
        assert_eq!(lists_sent(&asked(&plugin)), 0, "{mode}");
    }
    is_stable(&plugin);
    assert_eq!(lines(&plugin, GIVEN_UP).len(), 1, "said once");

    // A change of what they keep arrives, one of what they do not keep costs nothing but the look.
    let (scene, item) = pairs[0];
    plugin
        .world
        .stash
        .edit(scene)
        .tags(&["Indoor"])
        .title("New");
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(lists_sent(&asked(&plugin)), 0);
    assert_eq!(title(&plugin, item), "New");
    is_stable(&plugin);
}

/// Plex has learned to keep them, or the library is another one: Clear Match Cache tries again.
#[test]
fn clear_match_cache_forgets_what_episodes_do_not_keep() {
    let (plugin, pairs) = series(4);
    work(&plugin, "all");
    assert_eq!(lines(&plugin, GIVEN_UP).len(), 1, "{}", plugin.worker_log());
    let section = plugin.world.plex.item(pairs[0].1).unwrap().section;
    plugin.world.plex.ignore_edits(section, Kind::Episode, &[]);
    is_stable(&plugin);

    let run = plugin.task("clear_match_cache");
    assert_eq!(run.output().unwrap(), &json!({"forgotten": 4}));
    work(&plugin, "all");
    for (_, item) in &pairs {
        let shown = plugin.world.plex.item(*item).unwrap();
        assert_eq!(
            shown.field("studio"),
            "Northlight",
            "{}",
            plugin.worker_log()
        );
        assert_eq!(
            tags(&plugin, *item, TagKind::Actor),
            set_of(&["Ada Lovelace"])
        );
        assert_eq!(tags(&plugin, *item, TagKind::Genre), set_of(&["Outdoor"]));
    }
    assert_eq!(dead(&plugin), []);
    is_stable(&plugin);
    assert_eq!(lines(&plugin, GIVEN_UP).len(), 1);
}

/// The films beside them keep all of it.
#[test]
fn a_library_is_judged_by_its_own_items() {
    let (plugin, pairs) = series(4);
    plugin.set(json!({"path_map": "/tv=>/media/series; /data=>/media/scenes"}));
    work(&plugin, "all");
    assert_eq!(lines(&plugin, GIVEN_UP).len(), 1, "{}", plugin.worker_log());
    let film = scene(&plugin, "/data/film.mp4");
    plugin.world.stash.edit(film).studio("Northlight");
    let item = plugin
        .world
        .plex
        .add_file(plugin.world.section, "/media/scenes/film.mp4");
    plugin.save(film);
    worked_off(&plugin);
    assert_eq!(
        plugin.world.plex.item(item).unwrap().field("studio"),
        "Northlight"
    );
    assert_eq!(tags(&plugin, item, TagKind::Genre), set_of(&["Outdoor"]));
    assert_eq!(tags(&plugin, pairs[3].1, TagKind::Genre), set_of(&[]));
    assert_eq!(dead(&plugin), []);
    is_stable(&plugin);
}
