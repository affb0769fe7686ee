//! A whole story, and then a search of everything it left behind: no token, key or password, and no
//! cookie but in the one file that hands the connection to the worker.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::Installed;
use serde_json::json;
use simulators::{Fault, Rule, Run, Trigger};

const WRONG_TOKEN: &str = "wrong-token-Vq83nPz1";
const PASSWORD: &str = "hunter2-Yw55";

const TASKS: [&str; 16] = [
    "health_check",
    "queue_status",
    "outage_summary",
    "recover_outage_jobs",
    "all",
    "recent",
    "reconcile_all",
    "reconcile_recent",
    "reconcile_7days",
    "reconcile_missing_metadata",
    "process_queue",
    "purge_dlq",
    "retry_failed",
    "clear_match_cache",
    "clear_queue",
    "clear_dlq",
];

struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn search(&self, place: &str, bytes: &[u8]) {
        for (name, secret) in &self.0 {
            let secret = secret.as_bytes();
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "the {name} is in {place}");
        }
    }

    fn search_folder(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += self.search_folder(&path);
            } else if path.ends_with("connection.json") {
                self.search_connection(&path);
                files += 1;
            } else {
                self.search(&path.display().to_string(), &fs::read(&path).unwrap());
                files += 1;
            }
        }
        files
    }

    /// The one file that holds the session, and nothing else, for its owner alone.
    fn search_connection(&self, path: &Path) {
        let meta = fs::metadata(path).unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&meta) & 0o777, 0o600);
        let _ = meta;
        let others = self.0.iter().filter(|(name, _)| *name != "Stash session");
        let others = Secrets(others.cloned().collect());
        others.search(&path.display().to_string(), &fs::read(path).unwrap());
    }

    /// What others see of the worker's process, where the system shows it.
    fn search_processes(&self, plugin: &Installed) {
        let workers = plugin.workers();
        let seen = !workers.is_empty() || !cfg!(target_os = "linux");
        assert!(seen, "no worker to look at");
        for pid in workers {
            for what in ["cmdline", "environ"] {
                let path = format!("/proc/{pid}/{what}");
                self.search(&path, &fs::read(&path).unwrap_or_default());
            }
        }
    }
}

/// Ends the worker, so that the next one reads the settings anew.
fn without_worker(plugin: &Installed) {
    plugin.kill_worker();
    plugin.until_no_worker();
}

#[test]
fn nothing_that_is_left_behind_holds_a_secret() {
    let settings = json!({
        "sync_poster": true, "sync_background": true, "sync_rating": true, "idle_timeout": 30,
        "trigger_plex_scan": true,
    });
    let plugin = Installed::with(6, settings.clone());
    let world = &plugin.world;
    let secrets = Secrets(vec![
        ("Plex token", world.plex.token()),
        ("wrong Plex token", WRONG_TOKEN.to_owned()),
        ("password", PASSWORD.to_owned()),
        ("Stash session", world.stash.session()),
        ("Stash API key", world.stash.api_key()),
    ]);
    let mut runs: Vec<(String, Run)> = Vec::new();
    let scenes = world.scenes.clone();

    for &scene in &scenes {
        runs.push(("a save".into(), plugin.save(scene)));
    }
    plugin.until_equal();
    secrets.search_processes(&plugin);
    runs.push((
        "a scan".into(),
        plugin.hook(&Trigger::SceneRescan(scenes[0])),
    ));

    world.plex.down();
    for &scene in &scenes {
        world.stash.edit(scene).title("Changed while Plex is down");
        runs.push(("a save in the outage".into(), plugin.save(scene)));
    }
    plugin.until("open", || {
        plugin.worker_log().contains("Sending to Plex is paused:")
    });
    for mode in TASKS.into_iter().take(4) {
        runs.push((format!("{mode} in the outage"), plugin.task(mode)));
    }
    world.plex.up().unwrap();
    plugin.until_equal();

    let refusal = Rule::new(Fault::Status(400)).method("PUT").times(1);
    world.plex.fail_when(refusal);
    world.stash.edit(scenes[1]).title("Refused by Plex");
    runs.push(("a save that Plex refuses".into(), plugin.save(scenes[1])));
    plugin.until("set aside", || plugin.queue().counts().unwrap().dead == 1);
    world.plex.clear_faults();

    without_worker(&plugin);
    plugin.set(json!({ "plex_token": WRONG_TOKEN }));
    world
        .stash
        .edit(scenes[0])
        .title("Changed with a wrong token");
    runs.push(("a save with a wrong token".into(), plugin.save(scenes[0])));
    plugin.until("refused", || {
        plugin.worker_log().contains("refuses the token")
    });
    secrets.search_processes(&plugin);
    for mode in TASKS.into_iter().take(4) {
        runs.push((format!("{mode} with a wrong token"), plugin.task(mode)));
    }

    without_worker(&plugin);
    plugin.set(json!({ "plex_url": format!("http://me:{PASSWORD}@127.0.0.1:9/plex") }));
    for mode in TASKS.into_iter().take(4) {
        runs.push((
            format!("{mode} with a password in plex_url"),
            plugin.task(mode),
        ));
    }
    let run = plugin.task("process_queue");
    runs.push(("process_queue with a password in plex_url".into(), run));

    // Before the tasks clear what is set aside.
    assert_eq!(plugin.queue().counts().unwrap().dead, 1);
    assert!(secrets.search_folder(plugin.config.path()) >= 5);
    plugin.set(settings);
    for mode in TASKS {
        runs.push((mode.to_owned(), plugin.task(mode)));
    }
    without_worker(&plugin);
    let stdin = world.stash.hook_stdin(&Trigger::SceneForm(scenes[1]));
    world.stash.expire_sessions();
    runs.push(("a save of a dead session".into(), plugin.run(&stdin)));
    plugin.until("refused by Stash", || {
        plugin.worker_log().contains("Stash refuses the login")
    });
    for cut in [stdin.len() / 3, stdin.len() / 2, stdin.len() - 2] {
        let cut = (0..=cut)
            .rev()
            .find(|at| stdin.is_char_boundary(*at))
            .unwrap();
        runs.push(("a cut input".into(), plugin.run(&stdin[..cut])));
    }
    without_worker(&plugin);

    for (what, run) in &runs {
        secrets.search(
            &format!("the answer to {what}"),
            run.reply.to_string().as_bytes(),
        );
        secrets.search(&format!("the log of {what}"), run.log_text().as_bytes());
    }
    assert!(secrets.search_folder(plugin.config.path()) >= 5);
    let requests = [world.plex.requests(), world.stash.requests()].concat();
    for (name, secret) in &secrets.0 {
        let told = requests.iter().any(|one| one.contains(secret));
        let used = told || *name == "password";
        assert!(used, "the story never used the {name}");
    }
    for request in &requests {
        secrets.search(
            "an address",
            format!("{}?{}", request.path, request.query).as_bytes(),
        );
    }
}
