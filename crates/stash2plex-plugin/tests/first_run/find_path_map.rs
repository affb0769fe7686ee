//! Find Path Map: what it proposes, pasted into the settings, makes the scenes be found.

use super::*;

fn entry(text: &str) -> Option<&str> {
    let (_, map) = text.split_once(", then run Compare Only: ")?;
    map.lines().next()
}

#[test]
fn the_proposal_pasted_into_the_settings_makes_the_scenes_be_found() {
    let plugin = Installed::with(12, json!({"path_map": "/usb=>/volumes/usb"}));
    same_sizes(&plugin);
    let (text, output) = answered(&plugin.task("find_path_map"));
    says(
        &text,
        "i Path map (path_map): /data=>/media/scenes is suggested, seen on 12 scenes",
    );
    says(&text, "i For example /data/");
    says(&text, "No setting was changed");
    let map = entry(&text).unwrap();
    assert_eq!(map, "/data=>/media/scenes; /usb=>/volumes/usb");
    assert_eq!(output["path_map"], map);
    assert_eq!(output["scenes_by_rule"], json!([12]));
    assert_eq!(
        plugin.world.stash.plugin_settings("Stash2Plex")["path_map"],
        "/usb=>/volumes/usb"
    );
    let compare = |plugin: &Installed| answered(&plugin.task("compare_only")).1;
    assert_eq!(
        compare(&plugin)["would_change"],
        12,
        "found by name and size"
    );

    plugin.set(json!({"path_map": map, "strict_matching": true}));
    // Nothing but the path tells now.
    for item in &plugin.world.items {
        plugin
            .world
            .plex
            .change(*item, |item| item.media[0].parts[0].size += 1);
    }
    let found = compare(&plugin);
    assert_eq!(
        (&found["would_change"], &found["not_in_plex"]),
        (&json!(12), &json!(0))
    );
    same_sizes(&plugin);
    let (text, output) = answered(&plugin.task("find_path_map"));
    says(
        &text,
        "i Path map (path_map): right as it is. 12 scenes have a file that Plex has too",
    );
    assert_eq!((&output["agrees"], entry(&text)), (&json!(true), None));
    assert_eq!(changes(&plugin), 0);
    assert!(plugin.workers().is_empty());
}

#[test]
fn where_nothing_speaks_for_a_rule_none_is_proposed() {
    let plugin = Installed::with(3, json!({"path_map": ""}));
    // Other sizes: the files are not the same.
    let (text, output) = answered(&plugin.task("find_path_map"));
    says(
        &text,
        "w Path map (path_map): nothing to propose, since for no file of Stash Plex has exactly one of the same name and size",
    );
    says(&text, "Plex libraries (plex_library)");
    assert_eq!(
        (&output["proposed"], &output["path_map"]),
        (&json!(false), &json!(""))
    );
    assert_eq!(
        answered(&plugin.task("health_check")).1["next_step"],
        "path_map",
        "it is still to be found"
    );
}

#[test]
fn a_folder_that_cannot_be_entered_is_told() {
    let plugin = Installed::with(0, json!({"path_map": ""}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    for (name, from, to) in [
        ("x", "/data; old", "/media/scenes/old"),
        ("y", "/new", "/media/scenes/new"),
    ] {
        let scene = stash.add_scene(&format!("{from}/{name}.mp4"));
        let file = stash.scene(scene).unwrap().files[0].clone();
        let item = plex.add_file(plugin.world.section, &format!("{to}/{name}.mp4"));
        plex.change(item, |item| item.media[0].parts[0].size = file.size);
    }
    let (text, output) = answered(&plugin.task("find_path_map"));
    says(
        &text,
        "w Path map (path_map): a folder whose name holds ; or => cannot be entered",
    );
    assert_eq!(entry(&text), Some("/=>/media/scenes"));
    assert_eq!(output["scenes_by_rule"].as_array().unwrap().len(), 2);
}

#[test]
fn hidden_paths_stay_hidden() {
    let plugin = Installed::with(3, json!({"path_map": "", "obfuscate_paths": true}));
    same_sizes(&plugin);
    let run = plugin.task("find_path_map");
    let (text, output) = answered(&run);
    says(
        &text,
        "a rule is suggested, seen on 3 scenes. Turn off Hide paths in logs (obfuscate_paths) to see it",
    );
    for shown in [text, output.to_string()] {
        assert!(
            !shown.contains("/data") && !shown.contains("/media"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_needed_first_is_said() {
    let plugin = Installed::with(1, json!({"plex_url": "", "plex_token": ""}));
    for mode in ["find_path_map", "compare_only"] {
        let run = plugin.task(mode);
        let why = run.error().unwrap();
        says(
            why,
            "Plex was not asked. Plex address (plex_url): it is empty",
        );
        says(why, ". Plex token (plex_token): it is empty");
        says(why, ". Next step: enter Plex address (plex_url)");
    }
    plugin.set(json!({"plex_token": "a-guests-token-000"}));
    for mode in ["find_path_map", "compare_only"] {
        let why = plugin.task(mode).error().unwrap().to_owned();
        says(&why, "Plex is not healthy (");
    }
    plugin.set(json!({"plex_library": "Szenen"}));
    let why = plugin.task("compare_only").error().unwrap().to_owned();
    says(&why, "Plex has no video library named \"Szenen\"");
    plugin.set(json!({}));
    plugin.world.plex.down();
    let why = plugin.task("compare_only").error().unwrap().to_owned();
    says(&why, "Plex is not healthy (");
    plugin.world.stash.down();
    let why = plugin.task("compare_only").error().unwrap().to_owned();
    says(&why, "Stash does not answer");
}
