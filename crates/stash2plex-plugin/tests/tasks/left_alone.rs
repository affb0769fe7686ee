//! What tasks say where something is missing or broken, and that they leave it so.

use super::*;

const MODES: [&str; 4] = [
    "health_check",
    "queue_status",
    "outage_summary",
    "recover_outage_jobs",
];

#[test]
fn a_new_installation_is_answered_and_left_as_it_is() {
    let plugin = Installed::new(1);
    for mode in MODES {
        look(&plugin, mode);
        assert!(!plugin.data().exists(), "{mode} made the folder");
    }
    says(&look(&plugin, "health_check").0, "i Plex: healthy, ");
    says(
        &look(&plugin, "queue_status").0,
        "i Queue: empty, no change was recorded yet",
    );
}

#[test]
fn broken_settings_files_and_servers_are_told_in_words() {
    let plugin = Installed::new(1);
    plugin.set(json!({"plex_url": "nonsense", "enabled": false, "max_retries": "many"}));
    let (text, _) = look(&plugin, "health_check");
    says(
        &text,
        "w Nothing is sent to Plex, and changes are kept. Plex address (plex_url): it is not the address of a Plex server",
    );
    says(&text, "w max_retries: ");
    says(&text, "w Sync enabled (enabled) is off: ");
    says(
        &text,
        "w Plex: not checked: what is wrong above has to be corrected first",
    );

    set_breaker(&plugin, [0xFF; 100]);
    // Damage at its worst: what the write-ahead log still holds would heal a damaged file.
    drop(jobs(&plugin));
    let database = DataDir::locate(plugin.config.path()).database();
    for log in ["-wal", "-shm"] {
        let mut path = database.clone().into_os_string();
        path.push(log);
        let _ = std::fs::remove_file(path);
    }
    std::fs::write(database, "no database at all".repeat(10)).unwrap();
    plugin.world.stash.down();
    for mode in MODES {
        look(&plugin, mode);
    }
    let (text, output) = look(&plugin, "health_check");
    says(&text, "w Settings: not known: Stash does not answer");
    says(&text, "w Queue: cannot be read: ");
    says(
        &text,
        "w Plex: not checked: its address is in Stash's settings, which could not be read",
    );
    assert_eq!(output["circuit"]["state"], "unknown");
}
