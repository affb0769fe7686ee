//! What is left out, and what is a guess, is told once, where a person looks.

use simulators::{Part, PlexServer, SectionKind};

use super::*;

/// A cover that Plex cannot show, a date that is none, a title that is cut, tags over the limit.
#[test]
fn what_is_left_out_is_told_once_of_each_scene() {
    let settings = json!({"sync_poster": true, "max_tags": 10, "debug_logging": false});
    let plugin = installed(2, settings);
    let stash = &plugin.world.stash;
    let tags: Vec<_> = (0..13).map(|n| format!("Tag {n:02}")).collect();
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    for scene in plugin.world.scenes.clone() {
        let edit = stash.edit(scene).title(&"long ".repeat(60)).tags(&tags);
        edit.date("2024-13-45")
            .cover_bytes(b"GIF89a\x01\x00\x01\x00");
    }
    let reasons = [
        "the cover, which is image/gif. Choose a JPEG, PNG or WebP picture in Stash",
        "the date, which is not in the calendar. Correct it in Stash",
        "the end of the title, which is longer than Plex takes. Shorten it in Stash",
        "3 genres, more than max_tags allows. Raise it",
    ];
    let told_of = |scene: u64, reason: &str| {
        let log = plugin.worker_log();
        let start = format!("INFO  scene {scene}: left out: {reason}");
        log.matches(&start).count()
    };
    save_all(&plugin);
    worked_off(&plugin);
    for scene in &plugin.world.scenes {
        for reason in reasons {
            assert_eq!(
                told_of(*scene, reason),
                1,
                "{reason}\n{}",
                plugin.worker_log()
            );
        }
    }
    let (text, output) = told(&plugin, "queue_status");
    let left_out = output["left_out"].as_array().unwrap();
    for reason in reasons {
        let of = |one: &&Value| one["reason"].as_str().unwrap().starts_with(reason);
        let one = left_out.iter().find(of).unwrap();
        assert_eq!(one["scenes"], 2, "{reason}");
        let last = |scene| {
            let [one, two] = plugin.world.scenes[..] else {
                unreachable!()
            };
            let other = if scene == &one { two } else { one };
            text.contains(&format!(
                "Left out of 2 scenes ({scene}, {other}): {reason}"
            ))
        };
        assert!(plugin.world.scenes.iter().any(last), "{reason}\n{text}");
    }
    // Another save says nothing again, nor does another worker.
    for scene in plugin.world.scenes.clone() {
        stash.edit(scene).details("Another text");
    }
    save_all(&plugin);
    worked_off(&plugin);
    assert!(
        reasons
            .iter()
            .all(|reason| told_of(plugin.world.scenes[0], reason) == 1)
    );
    // What is put right is told no more.
    for scene in plugin.world.scenes.clone() {
        let edit = stash.edit(scene).title("Short").tags(&["One"]);
        edit.date("2024-01-02").cover(1);
    }
    save_all(&plugin);
    worked_off(&plugin);
    assert_eq!(told(&plugin, "queue_status").1["left_out"], json!([]));
}

/// With strict matching off, one of those that fit best is taken, and a person is warned that it is
/// a guess.
#[test]
fn a_guess_is_of_the_best_and_said() {
    let plugin = installed(0, json!({"path_map": "", "strict_matching": false}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let section = plex.add_section("X", SectionKind::Movie, &["/x"]);
    let scene = stash.add_scene("/data/three/same.mp4");
    stash.edit(scene).title("Guessed");
    let size = stash.scene(scene).unwrap().files[0].size;
    // Plex lists one first of which nothing but the name agrees.
    let items = [("/x/a", size + 1), ("/x/b", size), ("/x/c", size)].map(|(folder, size)| {
        let part = Part {
            file: format!("{folder}/same.mp4"),
            size,
            duration: 0,
        };
        plex.add_part(section, part)
    });
    plugin.save(scene);
    worked_off(&plugin);
    let title = |nth: usize| plex.item(items[nth]).unwrap().title().to_owned();
    assert_eq!([0, 1, 2].map(title), ["same", "Guessed", "same"]);
    let warned = format!("({}), which is a guess: ", items[1]);
    assert_eq!(said(&plugin, &warned), 1, "{}", plugin.worker_log());
    // A guess is no match, and speaks for no rule of the path map.
    assert_eq!(said(&plugin, "matched to"), 0, "{}", plugin.worker_log());
    assert_eq!(told(&plugin, "queue_status").1["path_hints"], json!([]));
    // What the line says.
    set(&plugin, json!({"path_map": "/data/three=>/x/c"}));
    work(&plugin, "reconcile_all");
    assert_eq!(title(2), "Guessed");
}

/// A Plex server of another name, with the same files.
pub fn other_plex(plugin: &Installed, id: &str) -> PlexServer {
    let other = PlexServer::start_with(simulators::PlexOptions {
        machine_identifier: id.repeat(40),
        token: Some(plugin.world.plex.token()),
        ..simulators::PlexOptions::default()
    })
    .unwrap();
    let section = other.add_section("Scenes", SectionKind::Movie, &["/media/scenes"]);
    for item in plugin.world.plex.items() {
        let files = item.media.iter().flat_map(|media| &media.parts);
        for part in files {
            other.add_part(section, part.clone());
        }
    }
    other
}
