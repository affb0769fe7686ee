//! What keeps the plugin from working though Plex answers: Health Check says it before a first job
//! has failed.

use simulators::SectionKind;

use super::*;

#[test]
fn libraries_that_plex_does_not_have_are_named() {
    let plugin = Installed::new(1);
    let has = &plugin.world.plex;
    has.add_section("Filme: neue", SectionKind::Movie, &["/media/new"]);
    has.add_section("Musik", SectionKind::Artist, &["/media/music"]);
    let there = r#"it has "Scenes", "Filme: neue". Correct Plex libraries (plex_library)"#;
    for (names, found, missing) in [
        ("", "all", None),
        (" , ", "all", None),
        ("SCENES", "all", None),
        ("filme: neue, scenes", "all", None),
        ("Szenen", "none", Some(r#""Szenen""#)),
        ("Musik, Szenen", "none", Some(r#""Musik", "Szenen""#)),
        ("Scenes, Szenen", "some", Some(r#""Szenen""#)),
    ] {
        plugin.set(json!({ "plex_library": names }));
        let (text, output) = look(&plugin, "health_check");
        says(&text, "i Plex: healthy");
        assert_eq!(output["plex"]["searched"]["found"], found, "{names}");
        match missing {
            None => assert!(!text.contains("Libraries:"), "{text}"),
            Some(missing) => {
                says(
                    &text,
                    &format!("w Libraries: Plex has no video library named {missing}; {there}"),
                );
                let why = &output["plex"]["searched"]["why"];
                assert!(why.as_str().unwrap().contains(missing), "{why}");
            }
        }
        assert_eq!(
            text.contains("Changes are kept, and sent once it is corrected"),
            found == "none"
        );
    }

    // The circuit opened for that, and would open again.
    set_breaker(
        &plugin,
        json!({"state": "open", "opened_at": now() - 9.0, "retry_at": now() - 5.0, "reason": "no_library"})
            .to_string(),
    );
    plugin.set(json!({"plex_library": "Szenen"}));
    let (text, _) = look(&plugin, "health_check");
    assert!(!text.contains("Plex is back"), "{text}");
    plugin.set(json!({"plex_library": "Scenes"}));
    says(
        &look(&plugin, "health_check").0,
        "i Plex is back: sending goes on by itself",
    );

    plugin.set(json!({"plex_library": "Szenen"}));
    plugin.world.plex.down();
    let (text, output) = look(&plugin, "health_check");
    assert!(!text.contains("Libraries:"), "nobody knows: {text}");
    assert_eq!(output["plex"]["searched"], Value::Null);
}

/// The superuser may write everywhere, and then the task runs as nobody.
#[cfg(unix)]
#[test]
fn a_data_folder_that_cannot_be_written_is_told() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let plugin = Installed::new(1);
    let config = plugin.config.path();
    let superuser = chown(config, Some(NOBODY), Some(NOBODY)).is_ok();
    let check = || {
        let mut program = Command::new(common::binary());
        if superuser {
            program.uid(NOBODY).gid(NOBODY);
        }
        let stdin = plugin
            .world
            .stash
            .task_stdin(json!({"mode": "health_check"}));
        let before = files(&plugin.data());
        let run = simulators::run_command(&mut program, &stdin);
        assert_eq!(files(&plugin.data()), before);
        run.map(|run| answered(&run))
    };
    let Ok((text, output)) = check() else {
        println!("skipped: cannot run as nobody");
        return;
    };
    assert!(!text.contains("Data folder:"), "{text}");
    assert_eq!(output["unwritable"], Value::Null);
    let there = std::fs::read_dir(config).unwrap().flatten();
    let there: Vec<_> = there.map(|entry| entry.file_name()).collect();
    assert_eq!(there, ["config.yml"], "left alone");
    let told = |path: &Path| {
        let (text, output) = check().unwrap();
        says(&text, "i Plex: healthy");
        let words = format!("w Data folder: cannot write {}: ", path.display());
        says(&text, &words);
        says(&text, "writable for the user that Stash runs as");
        assert!(output["unwritable"].is_string());
    };

    mode(config, 0o500);
    told(config);
    mode(config, 0o700);
    // Nothing is due, or the task would start a worker for it.
    let job = NewJob::new(Job::Scene {
        id: 1,
        force: false,
    });
    let later = job.due_in(Duration::from_secs(3600));
    jobs(&plugin).enqueue(later).unwrap();
    let data = plugin.data();
    for entry in std::fs::read_dir(&data).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(check().unwrap().1["unwritable"], Value::Null);
    mode(&data, 0o500);
    told(&data);
    mode(&data, 0o700);
    let database = data.join("stash2plex.db");
    mode(&database, 0o400);
    told(&database);
    let mut program = Command::new(common::binary());
    if superuser {
        program.uid(NOBODY).gid(NOBODY);
    }
    let save = plugin
        .world
        .stash
        .hook_stdin(&simulators::Trigger::SceneForm(2));
    let run = simulators::run_command(&mut program, &save).unwrap();
    let words = format!("{} cannot be written: make it", database.display());
    says(run.error().unwrap(), &words);
}

#[test]
fn an_empty_file_in_the_queues_place_is_told_and_mended() {
    let plugin = Installed::new(1);
    let database = DataDir::create(plugin.config.path()).unwrap().database();
    std::fs::write(&database, "").unwrap();
    let (text, _) = look(&plugin, "health_check");
    let words = format!(
        "w Queue: cannot be read: {} is not this plugin's database",
        database.display()
    );
    says(&text, &words);
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
}

/// The first line is the one that a person acts on; that the circuit is closed would be taken for
/// good news.
#[test]
fn what_matters_stands_first() {
    let plugin = Installed::with(1, json!({"plex_url": "", "max_tags": "lots"}));
    let (text, _) = look(&plugin, "health_check");
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with(
            "w Nothing is sent to Plex, and changes are kept. Plex address (plex_url): it is empty"
        ),
        "{text}"
    );
    // Stash shows the newest line first: each says by itself what to do.
    assert!(first.ends_with("then run the task Process Queue"), "{text}");
    assert!(!text.contains("Sending to Plex: yes"), "{text}");
    plugin.set(json!({}));
    let (text, _) = look(&plugin, "health_check");
    assert!(text.starts_with("i Sending to Plex: yes"), "{text}");
}

/// Another program, such as a database browser, keeps the database for itself.
#[test]
fn a_locked_database_is_told() {
    let plugin = Installed::new(1);
    plugin.save_and_wait(plugin.world.scenes[0]);
    plugin.until_no_worker();
    let words = "stash2plex.db, Stash2Plex's database, is locked by another program, so that nothing can be recorded";
    assert!(!look(&plugin, "health_check").0.contains(words));
    let other = queue::rusqlite::Connection::open(plugin.data().join("stash2plex.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for task in ["health_check", "queue_status"] {
        let (text, output) = look(&plugin, task);
        says(&text, words);
        says(
            &text,
            "end that program, then save again what you saved meanwhile",
        );
        assert!(!text.contains("Sending to Plex: yes"), "{text}");
        // The heading is the line's own.
        let reason = output["unwritable"].as_str().unwrap();
        assert!(reason.contains(words) && !reason.contains("Data folder"));
        says(&text, &format!("w Data folder: {reason}"));
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert!(!look(&plugin, "health_check").0.contains(words));
}

/// A session ends with its hour, an API key does not.
#[test]
fn an_api_key_is_advised_where_stash_has_a_login_and_none() {
    let plugin = Installed::with(1, json!({"idle_timeout": 30}));
    let stash = &plugin.world.stash;
    let advice = "w Login: Stash asks for a password and has no API key";
    assert!(!look(&plugin, "health_check").0.contains(advice));
    stash.set(|options| (options.api_key, options.credentials) = (None, false));
    assert!(
        !look(&plugin, "health_check").0.contains(advice),
        "no login"
    );
    stash.set(|options| options.credentials = true);
    let (text, output) = look(&plugin, "health_check");
    says(&text, advice);
    says(&text, "Generate an API key under Settings › Security");
    assert_eq!(output["settings"]["session_only"], true);

    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
    stash.expire_sessions();
    let stale = stash.hook_stdin(&simulators::Trigger::SceneForm(plugin.world.scenes[0]));
    stash.expire_sessions();
    plugin.run(&stale);
    plugin.until("said", || {
        plugin
            .worker_log()
            .contains("If Stash has no API key yet, generate one")
    });
    plugin.until_no_worker();
    let (text, output) = look(&plugin, "queue_status");
    says(
        &text,
        "w Worker: not running, since Stash, or a proxy in front of it, refuses the login that it had",
    );
    assert_eq!(output["worker"]["state"], "logged_out");
    let run = plugin.save(plugin.world.scenes[0]);
    says(
        run.error().unwrap(),
        "Changes waited until this save, since",
    );
}
