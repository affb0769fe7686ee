//! What does not go as it should is told where a person looks, with what to do.

use simulators::{PlexOptions, PlexServer, SectionKind, Trigger};

use super::*;

/// Runs what waits, once, in the foreground.
fn process(plugin: &Installed) -> String {
    answered(&plugin.task("process_queue")).0
}

#[test]
fn a_scan_is_asked_for_as_plex_spells_the_folder() {
    let settings = json!({
        "trigger_plex_scan": true, "scan_delay": 0, "idle_timeout": 0.2, "not_found_base": 600,
        "path_map": "/win=>D:/new; /share=>//nas/films; /mac=>/media/\u{e9}; /lost=>/nowhere",
    });
    let plugin = Installed::with(0, settings);
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let folders = [r"d:\New", r"\\NAS\Films", "/media/e\u{301}"];
    plex.add_section("Odd", SectionKind::Movie, &folders);
    for folder in ["/win/a", "/share/b", "/mac/c", "/lost/d"] {
        let scene = stash.add_scene(&format!("{folder}/x.mp4"));
        stash.edit(scene).title("Not scanned");
        plugin.hook(&Trigger::SceneRescan(scene));
    }
    let asked = || {
        let requests = plex.requests();
        let scans = requests.iter().filter(|one| one.path.ends_with("/refresh"));
        scans.map(|one| one.query.clone()).collect::<Vec<_>>()
    };
    plugin.until("asked", || asked().len() == 3);
    let asked = asked().join(" ");
    says(&asked, "path=d%3A%5CNew%5Ca");
    says(&asked, "path=%5C%5CNAS%5CFilms%5Cb");
    says(&asked, "path=%2Fmedia%2Fe%CC%81%2Fc");
    plugin.until("told", || {
        plugin.worker_log().contains("WARN  the scan of a folder: ")
    });
    says(
        &plugin.worker_log(),
        "the scan of a folder: Plex was not asked to scan /nowhere/d: no library that is searched holds this folder. Add it to one in Plex, \
         or correct Path map (path_map)",
    );
    // No scan finds it, and one may find the others.
    plugin.until("tried", || plugin.queue().counts().unwrap().waiting == 4);
    let text = plugin.task("queue_status").log_text();
    says(
        &text,
        "/nowhere/d/x.mp4 yet; no Plex library holds this folder: add it to one in Plex, or correct Path map (path_map). What to do: ",
    );
    assert_eq!(text.matches("no Plex library holds").count(), 1, "{text}");
}

/// A file's name may hold what a terminal obeys.
#[test]
fn control_characters_are_escaped_in_every_log() {
    let plugin = Installed::with(0, json!({"not_found_base": 30, "idle_timeout": 60}));
    let scene = plugin
        .world
        .stash
        .add_scene("/data/a\u{1b}[2J\u{7}\u{9b}.mp4");
    plugin.world.stash.edit(scene).title("Bell\u{7}");
    plugin.save(scene);
    plugin.until("tried", || plugin.worker_log().contains("[2J"));
    plugin.kill_worker();
    plugin.until_no_worker();
    let escaped = "/media/scenes/a\\u{1b}[2J\\u{7}\\u{9b}.mp4";
    let raw = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    let log = plugin.worker_log();
    says(&log, escaped);
    assert!(!raw(&log), "{log:?}");
    let (text, _) = look(&plugin, "queue_status");
    says(&text, escaped);
    says(&text, "\"Bell\\u{7}\"");
    assert!(!raw(&text), "{text:?}");
    let run = plugin.run(&plugin.world.stash.task_stdin(json!({"mode": "\u{1b}[2J"})));
    assert!(!raw(run.error().unwrap()), "{:?}", run.error());
}

#[test]
fn a_hook_without_a_readable_id_is_an_error_in_words() {
    let plugin = Installed::new(1);
    let stdin = |trigger: &Trigger<'_>, id: Value| {
        let mut stdin: Value =
            serde_json::from_str(&plugin.world.stash.hook_stdin(trigger)).unwrap();
        stdin["args"]["hookContext"]["id"] = id;
        stdin.to_string()
    };
    let scene = plugin.world.scenes[0];
    for id in [json!("4x"), json!(-1), json!(null), json!({"id": 1})] {
        let run = plugin.run(&stdin(&Trigger::SceneForm(scene), id));
        let error = run.error().unwrap();
        says(
            error,
            "Stash says that a scene changed and gives no id that can be read",
        );
        says(error, "was not recorded: save it again");
    }
    assert!(!plugin.data().exists());
    // What the text says to do works.
    answered(&plugin.task("reconcile_all"));
    plugin.until_equal();
}

#[test]
fn another_plex_is_told_before_the_first_write() {
    let plugin = Installed::with(2, json!({"idle_timeout": 0.1}));
    let old = plugin.world.plex.url();
    plugin.save_and_wait(plugin.world.scenes[0]);
    let other = PlexServer::start_with(PlexOptions {
        machine_identifier: "b".repeat(40),
        token: Some(plugin.world.plex.token()),
        ..PlexOptions::default()
    })
    .unwrap();
    other.add_section("Scenes", SectionKind::Movie, &["/media/scenes"]);
    plugin.set(json!({"plex_url": other.url()}));
    let (text, output) = look(&plugin, "health_check");
    let words = format!(
        "w Plex address (plex_url): this is another Plex server (id {}) than the one written to so far (id {}, at {old}). \
         Nothing was written to it yet. If this is a mistake, correct Plex address (plex_url) before the next change",
        "b".repeat(40),
        PlexOptions::default().machine_identifier
    );
    says(&text, &words);
    assert_eq!(output["plex"]["instead_of"]["url"], old.as_str());

    // Corrected, as the text says, nothing is lost, and nothing came to the other one.
    plugin.set(json!({}));
    let (text, output) = look(&plugin, "health_check");
    assert!(!text.contains("another Plex"), "{text}");
    assert_eq!(output["plex"]["instead_of"], Value::Null);
    plugin.save_and_wait(plugin.world.scenes[1]);
    assert!(plugin.world.comparison().is_equal());
    let written = |plex: &PlexServer| plex.requests().iter().any(|one| one.method != "GET");
    assert!(!written(&other) && written(&plugin.world.plex));
}

#[test]
fn what_failed_and_what_waits_is_listed_with_reason_and_advice() {
    let plugin = Installed::with(1, json!({"enabled": false, "not_found_base": 600}));
    let stash = &plugin.world.stash;
    let (nowhere, missing) = (
        stash.add_scene_without_file(),
        stash.add_scene("/data/new/m.mp4"),
    );
    stash.edit(nowhere).title("No file");
    stash.edit(missing).title("Not scanned");
    let untouched = plugin.world.scenes[0];
    for scene in [nowhere, missing, untouched] {
        plugin.save(scene);
    }
    plugin.until_no_worker();
    plugin.set(json!({"not_found_base": 600}));
    process(&plugin);
    plugin.kill_worker();
    plugin.until_no_worker();

    let (text, output) = look(&plugin, "queue_status");
    says(&text, "i Queue: 1 change waiting (next attempt in ");
    says(&text, "w Failed ");
    says(
        &text,
        "the scene has no file. What to do: Give the scene a file",
    );
    says(
        &text,
        &format!(" ago: scene {nowhere} \"No file\": the scene has no file"),
    );
    says(&text, "w Waiting after 1 attempt, next attempt in ");
    says(&text, &format!(": scene {missing} \"Not scanned\""));
    says(&text, "/media/scenes/new/m.mp4");
    let failed = &output["queue"]["failed_jobs"][0];
    assert_eq!(
        (&failed["scene"], &failed["title"]),
        (&json!(nowhere), &json!("No file"))
    );
    assert_eq!(failed["error_type"], "InvalidScene");
    assert!(
        failed["advice"]
            .as_str()
            .unwrap()
            .contains("a save tries again")
    );
    let tried = &output["queue"]["tried_jobs"][0];
    assert_eq!(tried["path"], "/media/scenes/new/m.mp4");
    assert!(
        tried["reason"]
            .as_str()
            .unwrap()
            .contains("Plex has no file"),
        "{tried}"
    );
    assert!(tried["due"].as_f64().unwrap() > now());

    // Health Check says so too, and not four green lines.
    let (text, _) = look(&plugin, "health_check");
    says(
        &text,
        "w 1 change failed; View Queue Status says which, why, and what to do. The newest: scene",
    );
    says(&text, &format!(": scene {missing} \"Not scanned\""));

    // Stash away, or paths hidden: what is known is told.
    plugin.set(json!({"obfuscate_paths": true}));
    let (_, output) = look(&plugin, "queue_status");
    let path = output["queue"]["tried_jobs"][0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(path.starts_with("path-"), "{path}");
    plugin.world.stash.down();
    let (text, _) = look(&plugin, "queue_status");
    says(
        &text,
        &format!(" ago: scene {nowhere}: the scene has no file"),
    );
}

#[test]
fn only_the_newest_twenty_are_listed() {
    let plugin = Installed::new(1);
    let mut queue = jobs(&plugin);
    (1..=25).for_each(|id| die(&mut queue, id, "NotInPlex"));
    drop(queue);
    let (text, output) = look(&plugin, "queue_status");
    says(
        &text,
        "w 5 more changes failed earlier and not listed here: ",
    );
    let listed = output["queue"]["failed_jobs"].as_array().unwrap();
    let scenes: Vec<_> = listed
        .iter()
        .map(|job| job["scene"].as_u64().unwrap())
        .collect();
    assert_eq!(scenes, (6..=25).rev().collect::<Vec<_>>());
    assert_eq!(text.matches(" ago: scene ").count(), 20);
}

#[test]
fn writing_nothing_is_told() {
    let plugin = Installed::with(1, json!({"sync_master": false}));
    for mode in ["health_check", "queue_status"] {
        let (text, output) = look(&plugin, mode);
        says(
            &text,
            "w Write to Plex (master switch) (sync_master) is off: nothing is written to Plex",
        );
        assert_eq!(output["settings"]["writes"], false);
    }
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert!(!plugin.world.comparison().is_equal());
    // What the text says to do.
    plugin.set(json!({}));
    assert!(!look(&plugin, "health_check").0.contains("sync_master"));
    answered(&plugin.task("reconcile_all"));
    plugin.until_equal();
}

/// Stash shows a drawing of its own for a scene without a cover: that is no cover, so none is left
/// out.
#[test]
fn only_a_cover_that_there_is_can_be_left_out() {
    let plugin = Installed::with(2, json!({"sync_poster": true}));
    let [bare, gif] = [0, 1].map(|n| plugin.world.scenes[n]);
    let covers = [(bare, None), (gif, Some(b"GIF89a".as_slice().into()))];
    for (id, cover) in covers {
        let stash = &plugin.world.stash;
        stash.change_silently(id, |scene| scene.cover = cover);
    }
    plugin.save_and_wait(bare);
    let (text, _) = answered(&plugin.task("queue_status"));
    assert!(!text.contains("Left out"), "{text}");
    assert!(!plugin.worker_log().contains("left out"));
    plugin.save_and_wait(gif);
    let (text, _) = answered(&plugin.task("queue_status"));
    says(&text, &format!("i Left out of scene {gif}: "));
}

#[test]
fn what_was_left_out_and_what_the_path_map_lacks_is_told() {
    let plugin = Installed::new(1);
    let queue = jobs(&plugin);
    ledger::create(queue.sql()).unwrap();
    let reason = "the cover is a GIF, which Plex does not show".to_owned();
    for scene in [3, 8, 5] {
        ledger::put_left_out(queue.sql(), scene, std::slice::from_ref(&reason)).unwrap();
        ledger::hint_path(queue.sql(), scene, Some("/data=>/media")).unwrap();
    }
    drop(queue);
    let (text, output) = look(&plugin, "queue_status");
    says(
        &text,
        "i Left out of 3 scenes (5, 8, 3): the cover is a GIF, which Plex does not show",
    );
    assert_eq!(
        output["left_out"],
        json!([{"reason": reason, "scenes": 3, "newest": [5, 8, 3]}])
    );
    for mode in ["health_check", "queue_status"] {
        let (text, output) = look(&plugin, mode);
        says(
            &text,
            "i Path map (path_map): /data=>/media is suggested, seen on 3 scenes",
        );
        assert_eq!(
            output["path_hints"],
            json!([{"rule": "/data=>/media", "scenes": 3}])
        );
    }
    plugin.set(json!({"obfuscate_paths": true}));
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "i Path map (path_map): a rule is suggested, seen on 3 scenes. Turn off Hide paths in logs",
    );
    assert_eq!(output["path_hints"][0]["rule"], Value::Null);
    // It was entered: the scenes that spoke for it are not looked at again before their next save.
    plugin.set(json!({"path_map": "/else=>/where; /data=>/media"}));
    let (text, output) = look(&plugin, "queue_status");
    assert!(!text.contains("suggested"), "{text}");
    assert_eq!(output["path_hints"], json!([]));
}
