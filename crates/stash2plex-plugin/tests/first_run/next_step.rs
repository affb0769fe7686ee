//! What is said to be done next, done literally, leads to a synced library.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

const NOTHING: [&str; 3] = ["plex_url", "plex_token", "path_map"];

/// Settings of which these are cleared, or were never entered.
fn without(keys: &[&str]) -> Value {
    let cleared = keys.iter().map(|key| ((*key).to_owned(), json!("")));
    Value::Object(cleared.collect())
}

/// The mode of a task, by the name that Stash's page shows.
fn mode(name: &str) -> &'static str {
    const MANIFEST: &str = include_str!("../../../../plugin/Stash2Plex.yml");
    let (_, rest) = MANIFEST.split_once(&format!("name: {name}\n")).unwrap();
    let (_, rest) = rest.split_once("mode: ").unwrap();
    rest.lines().next().unwrap()
}

/// The step that a text names, if any.
fn step(text: &str) -> Option<&str> {
    let (_, step) = text.split_once("Next step: ")?;
    step.lines().next()
}

#[test]
fn who_follows_each_step_has_a_synced_library() {
    let plugin = Installed::with(6, without(&NOTHING));
    same_sizes(&plugin);
    let first = plugin.save(plugin.world.scenes[0]);
    // A machine that is very busy lets the second save say it.
    let said = match first.error() {
        Some(said) => said.to_owned(),
        None => {
            assert!(first.took >= Duration::from_secs(2), "it did not wait");
            let told = || plugin.worker_log().contains("Next step: ");
            plugin.until("said", told);
            let second = plugin.save(plugin.world.scenes[0]);
            second.error().unwrap().to_owned()
        }
    };
    let enter = "enter Plex address (plex_url) and Plex token (plex_token) under Settings › Plugins › Stash2Plex";
    assert!(step(&said).unwrap().starts_with(enter), "{said}");
    says(&plugin.worker_log(), &format!("Next step: {enter}"));

    let mut entered = BTreeMap::new();
    let values = BTreeMap::from([
        ("plex_url", plugin.world.plex.url()),
        ("plex_token", plugin.world.plex.token()),
    ]);
    let (mut steps, mut proposed) = (Vec::new(), None);
    loop {
        let (text, output) = answered(&plugin.task("health_check"));
        let Some(step) = step(&text) else {
            assert_eq!(output["next_step"], Value::Null);
            break;
        };
        steps.push(output["next_step"].as_str().unwrap().to_owned());
        assert!(steps.len() < 12, "{steps:?}");
        if let Some(rest) = step.strip_prefix("enter ") {
            let (names, _) = rest.split_once(" under ").unwrap();
            for key in names.split(['(', ')']).skip(1).step_by(2) {
                entered.insert(key.to_owned(), json!(values[key]));
            }
        } else if let Some(map) = proposed.take() {
            entered.insert("path_map".to_owned(), json!(map));
        } else {
            let (_, rest) = step.split_once("run the task ").unwrap();
            let task = rest.split([',', '.']).next().unwrap();
            let run = plugin.task(mode(task));
            let (text, _) = answered(&run);
            let map = text.split_once(", then run Compare Only: ");
            proposed = map.map(|(_, map)| map.lines().next().unwrap().to_owned());
            if task == "Sync All Scenes" {
                plugin.until_equal();
            } else {
                // What was saved is written, and nothing else.
                assert!(plugin.world.comparison().equal() <= 1, "{task} wrote");
            }
        }
        let left = NOTHING.iter().filter(|key| !entered.contains_key(**key));
        let Value::Object(mut settings) = without(&left.copied().collect::<Vec<_>>()) else {
            panic!()
        };
        settings.extend(entered.clone());
        plugin.set(Value::Object(settings));
    }
    let order = ["address", "path_map", "path_map", "compare", "sync_all"];
    assert_eq!(steps, order);
    plugin.until_equal();
}

/// The words come with a save, once for each step, and as nothing that is wrong.
#[test]
fn a_save_is_answered_with_the_next_step_once() {
    let quick = |more: Value| {
        let mut all = json!({"idle_timeout": 0.1, "skip_not_found": true});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let plugin = Installed::with(3, quick(json!({"path_map": ""})));
    let mut told = Vec::new();
    let mut save = |steps: usize| {
        plugin.until("told", || {
            let run = plugin.save(plugin.world.scenes[0]);
            assert_eq!(run.error(), None);
            told.extend(step(&run.log_text()).map(str::to_owned));
            plugin.until_no_worker();
            told.len() >= steps
        });
        plugin.save(plugin.world.scenes[1]);
        plugin.until_no_worker();
        told.clone()
    };
    let said = save(1);
    assert!(
        said[0].starts_with("run the task Find Path Map, "),
        "{said:?}"
    );
    says(
        &said[0],
        "Until you have once run Sync All Scenes or Reconcile All Scenes (once more, if the database was replaced), only what you save is written \
         to Plex",
    );
    assert_eq!(said.len(), 1);
    says(
        &plugin.worker_log(),
        "INFO  Next step: run the task Find Path Map",
    );

    plugin.set(quick(json!({})));
    let said = save(2);
    assert!(
        said[1].starts_with("run the task Compare Only, "),
        "{said:?}"
    );
    answered(&plugin.task("compare_only"));
    let said = save(3);
    assert!(
        said[2].contains(" run the task Sync All Scenes, "),
        "{said:?}"
    );
    answered(&plugin.task("all"));
    plugin.until_equal();
    plugin.until_no_worker();
    let before = plugin.worker_log().matches("Next step: ").count();
    for _ in 0..2 {
        let run = plugin.save(plugin.world.scenes[0]);
        assert_eq!(step(&run.log_text()), None);
        plugin.until_no_worker();
    }
    assert_eq!(plugin.worker_log().matches("Next step: ").count(), before);
}

/// A reconciliation of all scenes is the other way to give consent; scenes found by their paths
/// need no path map.
#[test]
fn what_is_done_already_is_no_step() {
    let plugin = Installed::with(3, without(&["path_map"]));
    let health = |plugin: &Installed| answered(&plugin.task("health_check"));
    assert_eq!(health(&plugin).1["next_step"], "path_map");
    // Plex sees the same paths here.
    let same = plugin.world.stash.add_scene("/media/scenes/same.mp4");
    plugin.world.stash.edit(same).title("Same");
    plugin
        .world
        .plex
        .add_file(plugin.world.section, "/media/scenes/same.mp4");
    plugin.save_and_wait(same);
    assert_eq!(health(&plugin).1["next_step"], "compare");
    answered(&plugin.task("reconcile_all"));
    plugin.until("given", || health(&plugin).1["next_step"] == Value::Null);
    // While Plex is away, what it says to do is enough.
    let away = Installed::new(1);
    away.world.plex.down();
    let (text, output) = health(&away);
    assert_eq!(output["next_step"], Value::Null, "{text}");
}
