//! Settings, tokens, logins, ports: how the plugin gets at Stash and at Plex.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use simulators::Fault;

use super::server::Real;

pub const TOKEN: &[&str] = &["Plex refuses the token"];
pub const LOGIN: &[&str] = &[
    "Login: Stash asks for a password and has no API key",
    "has expired, and there is no API key",
];

pub fn first_save(real: &mut Real) {
    // As the README says.
    let plugins = real.ask("{ configuration { general { pluginsPath } } }", json!({}));
    let folder = plugins["configuration"]["general"]["pluginsPath"]
        .as_str()
        .unwrap();
    let folder = Path::new(folder).join("stash2plex");
    fs::create_dir_all(&folder).unwrap();
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin");
    for name in ["Stash2Plex.yml", "stash2plex.js"] {
        fs::copy(plugin.join(name), folder.join(name)).unwrap();
    }
    let program = folder.join("stash2plex");
    fs::copy(env!("CARGO_BIN_EXE_stash2plex"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    real.ask("mutation { reloadPlugins }", json!({}));
    let known = real.ask("{ plugins { id } }", json!({}));
    assert_eq!(known["plugins"][0]["id"], "Stash2Plex");

    real.scan();
    // A scan is over when its hooks are; its worker found no address.
    real.until("the worker ended", || {
        real.data().join("standstill.json").exists() || !real.worker_log().is_empty()
    });
    real.until("no worker", || real.workers().is_empty());
    real.save(&real.scene(0), json!({"title": "First"}));
    real.until("told", || real.log().contains("Nothing is sent to Plex"));
}

pub fn settings_are_set(real: &mut Real) {
    real.set(json!({}));
    let log = real.task("Health Check");
    assert!(log.contains("Plex: healthy"), "{log}");
    real.task("Process Queue");
    real.until("the first title", || {
        real.item(&real.film(0)).title() == "First"
    });
    real.until_worked_off();
}

pub fn token(real: &mut Real) {
    let (scene, film) = (real.scene(16), real.film(16));
    real.set(json!({"plex_token": "not-the-owners-token"}));
    // A worker at work sees within ten seconds that the settings changed; a new one reads them
    // first.
    real.kill_workers();
    real.save(&scene, json!({"title": "Refused"}));
    real.until("refused", || {
        real.worker_log().contains("Plex refuses the token")
    });
    // The next save brings the words along, once the worker has left them.
    real.until("told", || {
        real.save(&scene, json!({"title": "Refused again"}));
        real.log().contains("Plex refuses the token")
    });
    real.set(json!({}));
    real.until("sent with the right one", || {
        real.item(&film).title() == "Refused again"
    });
    real.until_worked_off();
}

pub fn other_port(real: &mut Real) {
    let (scene, film) = (real.scene(17), real.film(17));
    real.save(&scene, json!({"title": "Before the restart"}));
    real.until("shown", || real.item(&film).title() == "Before the restart");
    assert_eq!(real.workers().len(), 1);
    real.restart();
    real.save(&scene, json!({"title": "After the restart"}));
    real.until("shown after it", || {
        real.item(&film).title() == "After the restart"
    });
    assert_eq!(
        real.workers().len(),
        1,
        "the one of before, with the new port"
    );
}

/// Sessions end after so many seconds.
const SESSION: u64 = 4;

fn general(real: &Real, input: Value) {
    let query =
        "mutation ($input: ConfigGeneralInput!) { configureGeneral(input: $input) { username } }";
    real.ask(query, json!({"input": input}));
}

fn log_in(real: &mut Real) {
    let form = "username=owner&password=secret+of+test&returnURL=%2F".to_owned();
    let answer = real.post("/login", "application/x-www-form-urlencoded", form);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    real.cookie = cookie.split(';').next().unwrap().to_owned();
}

fn is_refused(real: &Real) -> bool {
    let answer = real.answer("{ version { version } }", json!({}));
    answer.get("data").is_none()
}

pub fn login(real: &mut Real) {
    let (scene, film) = (real.scene(18), real.film(18));
    real.kill_workers();
    general(
        real,
        json!({"username": "owner", "password": "secret of test", "maxSessionAge": SESSION}),
    );
    // It reads the age of sessions as it starts.
    real.restart();
    log_in(real);
    let log = real.task("Health Check");
    assert!(log.contains("Generate an API key"), "{log}");

    // Without a key the worker cannot outlast the session of the save.
    log_in(real);
    real.plex.fail_with(Fault::maintenance());
    let pauses = || {
        real.worker_log()
            .matches("Sending to Plex is paused:")
            .count()
    };
    let before = pauses();
    real.save(&scene, json!({"title": "Waits for a login"}));
    real.until("Plex was asked", || pauses() > before);
    // The worker has asked Stash for the last time before this login.
    log_in(real);
    real.until("our own login ended", || is_refused(real));
    real.plex.clear_faults();
    real.until("the worker's too", || {
        real.worker_log()
            .contains("the login that Stash gave this plugin has expired")
    });
    log_in(real);
    real.save(&scene, json!({"details": "Another save"}));
    real.until("shown with a new login", || {
        real.item(&film).title() == "Waits for a login"
    });
    real.until_worked_off();
    real.kill_workers();

    // With a key it can.
    log_in(real);
    let made = real.ask("mutation { generateAPIKey(input: {}) }", json!({}));
    let key = made["generateAPIKey"].as_str().unwrap().to_owned();
    real.plex.fail_with(Fault::maintenance());
    real.save(&scene, json!({"title": "Outlasts the login"}));
    real.until("our own login ended", || is_refused(real));
    real.plex.clear_faults();
    real.until("shown all the same", || {
        real.item(&film).title() == "Outlasts the login"
    });
    assert!(!real.worker_log().contains(&key), "the key is told");

    log_in(real);
    general(
        real,
        json!({"username": "", "password": "", "maxSessionAge": 3600}),
    );
    real.cookie.clear();
}

/// As an update from 0.25 leaves them, or as 0.25 gives them back.
pub fn renamed_over_https(real: &mut Real) {
    let (scene, film) = (real.scene(19), real.film(19));
    real.kill_workers();
    real.configure("Stash2Plex", json!({}));
    let (url, token) = (real.plex.url(), real.plex.token());
    real.configure(
        "stash2Plex",
        json!({"plexUrl": url, "plexToken": token, "probeInterval": 0.1}),
    );
    real.stop();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=stash",
        ])
        .args(["-keyout", "stash.key", "-out", "stash.crt"])
        .current_dir(real.config())
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("this story needs openssl").success());
    real.scheme = "https";
    real.start();
    real.save(&scene, json!({"title": "Over https"}));
    real.until("shown", || real.item(&film).title() == "Over https");
    real.until_worked_off();
    let version = real.ask("{ version { version } }", json!({}));
    let version = version["version"]["version"].as_str().unwrap();
    if version.starts_with("v0.24") || version.starts_with("v0.25") {
        // They keep no key as it is written.
        return;
    }
    let kept = real.ask(
        "{ configuration { plugins(include: [\"Stash2Plex\"]) } }",
        json!({}),
    );
    let kept = &kept["configuration"]["plugins"]["Stash2Plex"];
    assert_eq!(kept["plex_url"], url, "the page shows it again: {kept}");
}
