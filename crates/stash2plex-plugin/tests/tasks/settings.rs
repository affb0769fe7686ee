//! Settings that make no sense, as the settings page and the API let people store them.

use super::*;

/// A cleared field, a switch as text and numbers out of range stop nothing; each is said, all at
/// once, where a person looks.
#[test]
fn bad_values_are_said_together_and_stop_nothing() {
    let plugin = Installed::with(
        2,
        json!({
            "reconcile_interval": "", "sync_tags": "on", "enabled": "yes", "plex_library": "",
            "max_retries": 99, "max_tags": "lots", "read_timeout": -1, "strict_matching": "perhaps",
        }),
    );
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_equal();
    plugin.until_no_worker();
    let (text, output) = look(&plugin, "health_check");
    let log = plugin.worker_log();
    for words in [
        "max_retries: 99 is outside 1–20; using 20. Enter 1 to 20",
        "max_tags: \"lots\" is not a number; using 100",
        "read_timeout: -1 is outside 5–120; using 5",
        "Strict matching (strict_matching): \"perhaps\" is neither on (true) nor off (false); using on",
    ] {
        says(&text, &format!("w {words}"));
        says(&log, words);
    }
    assert_eq!(output["settings"]["faults"].as_array().unwrap().len(), 4);
}

/// What people copy out of a browser is taken for what they mean, and said.
#[test]
fn a_pasted_address_and_token_work_and_are_told() {
    let plugin = Installed::new(1);
    let (url, token) = (plugin.world.plex.url(), plugin.world.plex.token());
    plugin.set(json!({
        "plex_url": format!("{url}/web/index.html#!/settings/server"),
        "plex_token": format!("\"X-Plex-Token={token}\""),
    }));
    let (text, _) = look(&plugin, "health_check");
    let address = format!(
        "w Plex address (plex_url): the address is that of a page of Plex; only the server's own part of it is used; using {url}"
    );
    says(&text, &address);
    says(
        &text,
        "w Plex token (plex_token): what stood around the token was left out",
    );
    says(&text, "i Plex: healthy");
    says(
        &text,
        "i Plex token (plex_token): it is the owner's, who may edit",
    );
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert!(plugin.world.comparison().is_equal());
    let log = plugin.worker_log();
    says(&log, address.trim_start_matches("w "));
    says(&log, "Plex token (plex_token): what stood around");
    assert!(!log.contains(&token), "{log}");
}

/// A server that no account has claimed has no token, so none is asked for; a claimed one needs it.
#[test]
fn only_an_unclaimed_server_works_without_a_token() {
    let plugin = Installed::with(1, json!({"plex_token": "", "idle_timeout": 0.1}));
    let scene = plugin.world.scenes[0];
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "w Nothing is sent to Plex, and changes are kept. Plex token (plex_token): it is empty; enter the token of the server's owner",
    );
    assert_eq!(output["plex"]["verdict"], "unauthorized");
    plugin.save(scene);
    plugin.until("said", || {
        plugin
            .worker_log()
            .contains("ERROR Nothing is sent to Plex, and changes are kept. Plex token (plex_token): it is empty; enter")
    });
    plugin.until_no_worker();
    assert_eq!(plugin.queue().counts().unwrap().live(), 1);

    plugin.world.plex.set(|options| options.token = None);
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "i Plex token (plex_token): this server is unclaimed: no token is needed",
    );
    assert!(!text.contains("it is empty"), "{text}");
    assert_eq!(output["plex"]["token"]["is"], "not_needed");
    assert_eq!(output["settings"]["faults"], json!([]));
    // Nothing that the plugin could see has changed: a person asks.
    plugin.task("process_queue");
    plugin.until_equal();
    says(
        &plugin.worker_log(),
        "INFO  Plex is asked without a token, since none is set",
    );
    let (text, _) = answered(&plugin.task("queue_status"));
    assert!(!text.contains("it is empty"), "{text}");
}

/// A user that libraries are shared with reads all and may change nothing.
#[test]
fn a_guests_token_is_told_before_the_first_save() {
    let plugin = Installed::new(1);
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "i Plex token (plex_token): it is the owner's, who may edit",
    );
    assert_eq!(output["plex"]["token"], json!({"is": "owner"}));
    for status in [401, 403] {
        plugin.world.plex.set(|options| {
            options.guest_token = Some("guest-token-0123456789".to_owned());
            options.guest_refusal = status;
        });
        plugin.set(json!({"plex_token": "guest-token-0123456789"}));
        let (text, output) = look(&plugin, "health_check");
        says(&text, "i Plex: healthy");
        says(
            &text,
            "w Plex token (plex_token): it is not the owner's but a shared user's, and Plex normally refuses edits from shared \
             users. Enter the token of the server's owner",
        );
        assert_eq!(
            output["plex"]["token"],
            json!({"is": "guest", "status": status})
        );
    }
    // A filter in front of Plex is not the token's fault.
    plugin.set(json!({}));
    let page = "<html>\n<head><title>403</title></head>\n</html>";
    let page = simulators::Response::new(403, "text/html", page);
    let filter = Rule::new(Fault::Answer(page)).path("/:/prefs");
    plugin.world.plex.fail_when(filter);
    let (text, output) = look(&plugin, "health_check");
    says(
        &text,
        "w Plex token (plex_token): something in front of Plex refuses",
    );
    assert_eq!(
        output["plex"]["token"],
        json!({"is": "blocked", "status": 403})
    );
}

/// Whatever blanks, commas and composed letters a library's name has, it can be named.
#[test]
fn libraries_with_odd_names_are_found() {
    let plugin = Installed::new(1);
    let plex = &plugin.world.plex;
    let kind = simulators::SectionKind::Movie;
    plex.add_section("Films, old ", kind, &["/media/old"]);
    plex.add_section("Ele\u{301}ctrico", kind, &["/media/e"]);
    for names in [
        "Films\\, old",
        "films, OLD",
        " El\u{e9}ctrico ,Scenes",
        "Scenes, Films, old",
    ] {
        plugin.set(json!({"plex_library": names}));
        let (text, output) = look(&plugin, "health_check");
        assert_eq!(
            output["plex"]["searched"]["found"], "all",
            "{names}: {text}"
        );
    }
    plugin.set(json!({"plex_library": "Scenes, Films\\, old"}));
    plugin.save_and_wait(plugin.world.scenes[0]);
    assert!(plugin.world.comparison().is_equal());
}

/// Stash stores the keys under other names, depending on its release and on what it was updated
/// from.
#[test]
fn settings_are_read_under_the_names_that_stash_gives_them() {
    let plugin = Installed::with(1, json!({"max_retries": 99}));
    let told = || {
        says(
            &look(&plugin, "health_check").0,
            "max_retries: 99 is outside",
        )
    };
    told();
    plugin
        .world
        .stash
        .set_plugin_settings("Stash2Plex", json!({}));
    let renamed = json!({"plexUrl": plugin.world.plex.url(), "plexToken": plugin.world.plex.token(), "maxRetries": 99});
    plugin
        .world
        .stash
        .set_plugin_settings("stash2Plex", renamed);
    told();
    says(&look(&plugin, "health_check").0, "i Plex: healthy");
}
