//! The data folder is for its owner alone, where that can be had.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use super::*;

/// Something else has the folder's name.
#[test]
fn a_file_in_the_data_folders_place_is_told_and_left_alone() {
    let plugin = Installed::new(1);
    std::fs::write(plugin.data(), "somebody's").unwrap();
    let mode = || {
        std::fs::metadata(plugin.data())
            .unwrap()
            .permissions()
            .mode()
    };
    let before = mode();
    let todo = "a file has the place of that folder: move the file away";
    let stash = &plugin.world.stash;
    let saved = stash.hook_stdin(&simulators::Trigger::SceneForm(plugin.world.scenes[0]));
    says(plugin.run(&saved).error().unwrap(), todo);
    says(plugin.task("process_queue").error().unwrap(), todo);
    for task in ["health_check", "queue_status"] {
        says(&answered(&plugin.task(task)).0, todo);
    }
    assert_eq!(mode(), before);
    std::fs::remove_file(plugin.data()).unwrap();
    plugin.save_and_wait(plugin.world.scenes[0]);
}

/// Files without which no worker can begin.
#[test]
fn a_file_that_cannot_be_written_is_named() {
    for name in ["client_identifier", "circuit_breaker.json.lock"] {
        let plugin = Installed::with(1, json!({"idle_timeout": 0.1}));
        plugin.save_and_wait(plugin.world.scenes[0]);
        let path = plugin.data().join(name);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        plugin.save(plugin.world.scenes[0]);
        for task in ["health_check", "queue_status"] {
            says(&answered(&plugin.task(task)).0, name);
        }
        std::fs::remove_dir(&path).unwrap();
        assert_eq!(plugin.task("process_queue").error(), None);
        plugin.until("done", || plugin.queue().counts().unwrap().live() == 0);
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_others_can_read_is_closed() {
    let plugin = Installed::new(1);
    let data = plugin.data();
    std::fs::create_dir(&data).unwrap();
    set_mode(&data, 0o777);
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// Needs a superuser, who may give a folder away and run the program as somebody else.
#[test]
fn a_foreign_folder_that_can_be_written_will_do_and_is_told() {
    const OWNER: u32 = 1;
    const STASH: u32 = 65_534;
    let plugin = Installed::new(1);
    let data = plugin.data();
    std::fs::create_dir(&data).unwrap();
    set_mode(&data, 0o777);
    set_mode(plugin.config.path(), 0o755);
    if chown(&data, Some(OWNER), Some(OWNER)).is_err() {
        println!("skipped: needs a superuser");
        return;
    }
    let run = |stdin: &str| {
        let mut program = Command::new(common::binary());
        program.uid(STASH).gid(STASH);
        simulators::run_command(&mut program, stdin)
    };
    let health = plugin
        .world
        .stash
        .task_stdin(json!({"mode": "health_check"}));
    let Ok(health) = run(&health) else {
        println!("skipped: cannot run as another user");
        return;
    };
    let (text, output) = answered(&health);
    let words = format!(
        "w Data folder: {} belongs to another user and is open to others",
        data.display()
    );
    says(&text, &words);
    assert!(output["exposed"].is_string());
    assert_eq!(output["unwritable"], Value::Null);

    let scene = simulators::Trigger::SceneForm(plugin.world.scenes[0]);
    let save = run(&plugin.world.stash.hook_stdin(&scene)).unwrap();
    assert_eq!(save.error(), None);
    plugin.until_equal();
    assert_eq!(mode(&data), 0o777, "not ours to change");
    assert_eq!(mode(&data.join("stash2plex.db")), 0o600);

    chown(&data, Some(STASH), Some(STASH)).unwrap();
    let health = plugin
        .world
        .stash
        .task_stdin(json!({"mode": "health_check"}));
    let (text, output) = answered(&run(&health).unwrap());
    assert!(!text.contains("Data folder"), "{text}");
    assert_eq!(output["exposed"], Value::Null);
}

/// Somebody made it for a group, elsewhere: that is told, and left.
#[test]
fn a_shared_folder_is_told_and_not_changed() {
    let plugin = Installed::new(1);
    let data = plugin.data();
    let elsewhere = plugin.config.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    set_mode(&elsewhere, 0o2775);
    std::os::unix::fs::symlink(&elsewhere, &data).unwrap();
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert_eq!(mode(&elsewhere), 0o775);
    assert_eq!(mode(&data.join("stash2plex.db")), 0o600);
    let health = plugin
        .world
        .stash
        .task_stdin(json!({"mode": "health_check"}));
    let (text, _) = answered(&simulators::run_plugin(common::binary(), &health).unwrap());
    says(&text, "is a shared folder and open to others");
    set_mode(&elsewhere, 0o700);
    let (text, _) = answered(&simulators::run_plugin(common::binary(), &health).unwrap());
    assert!(!text.contains("Data folder"), "{text}");
}
