use serde_json::{Value, json};

use super::*;

fn read(map: Value) -> (Settings, Vec<String>) {
    let (settings, faults) = Settings::read(map.as_object().unwrap(), |_| None);
    (settings, faults.iter().map(ToString::to_string).collect())
}

fn complete(mut more: Value) -> Value {
    let map = more.as_object_mut().unwrap();
    map.insert("plex_url".into(), json!("http://plex:32400/"));
    map.insert("plex_token".into(), json!("0123456789abcdef"));
    more
}

#[test]
fn an_untouched_plugin_gets_defaults_and_two_clear_faults() {
    let (settings, faults) = read(json!({}));
    assert_eq!(settings.plex, None);
    assert!(settings.enabled && settings.toggles.master && settings.strict_matching);
    assert_eq!(settings.max_retries, 5);
    assert_eq!(settings.recovery_timeout, Duration::from_secs(60));
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("plex_url") && faults[1].contains("plex_token"));
}

#[test]
fn stash_may_store_numbers_and_booleans_as_text() {
    let (settings, faults) = read(complete(json!({
        "max_retries": "7", "read_timeout": 45, "enabled": "no", "skip_not_found": 1,
        "sync_tags": "FALSE", "strict_matching": "on", "reconcile_interval": "",
        "plex_library": " Films , Clips,, ",
    })));
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(settings.max_retries, 7);
    assert_eq!(settings.read_timeout, Duration::from_secs(45));
    assert!(!settings.enabled && settings.skip_not_found && !settings.toggles.tags);
    assert_eq!(settings.reconcile_interval, Interval::Daily);
    assert_eq!(settings.libraries, ["Films", "Clips"]);
    assert_eq!(settings.plex.unwrap().url, "http://plex:32400");
}

#[test]
fn every_fault_is_said_at_once_and_stops_nothing_else() {
    let (settings, faults) = read(complete(json!({
        "max_retries": 99, "connect_timeout": "soon", "enabled": "perhaps",
        "reconcile_scope": "yesterday", "path_map": "/a=>/b; nonsense", "max_tags": "NaN",
    })));
    assert_eq!(settings.max_retries, 20);
    assert_eq!(settings.connect_timeout, Duration::from_secs(5));
    assert_eq!(settings.max_tags, 100);
    assert!(settings.enabled);
    assert_eq!(settings.path_map, [("/a".to_owned(), "/b".to_owned())]);
    for key in [
        "max_retries",
        "connect_timeout",
        "enabled",
        "reconcile_scope",
        "path_map",
        "max_tags",
    ] {
        assert_eq!(
            faults.iter().filter(|f| f.contains(key)).count(),
            1,
            "{key}: {faults:?}"
        );
    }
}

#[test]
fn no_fault_repeats_the_token_or_what_was_pasted_as_address() {
    let (settings, faults) = read(json!({
        "plex_url": "http://plex:32400/?X-Plex-Token=s3cret", "plex_token": "s3cret",
    }));
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().all(|f| !f.contains("s3cret")), "{faults:?}");
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn what_was_pasted_around_address_and_token_is_left_out_and_said() {
    let good = json!({"plex_url": "http://nas:32400", "plex_token": "0123456789abcdef"});
    let (plain, faults) = read(good);
    assert_eq!(faults, Vec::<String>::new());
    let pasted = [
        (
            "http://nas:32400/web/index.html#!/settings",
            "X-Plex-Token=0123456789abcdef",
        ),
        ("  \"http://nas:32400/\" ", "\"0123456789abcdef\""),
        (
            "http://nas:32400/library/metadata/1?X-Plex-Token=zyx",
            "?X-Plex-Token=0123456789abcdef&x=1",
        ),
    ];
    for (url, token) in pasted {
        let (settings, faults) = read(json!({"plex_url": url, "plex_token": token}));
        assert_eq!(settings.plex, plain.plex);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(
            faults[0].ends_with("; using http://nas:32400"),
            "{}",
            faults[0]
        );
        assert!(
            faults[1].starts_with("Plex token (plex_token): "),
            "{}",
            faults[1]
        );
        assert!(
            faults
                .iter()
                .all(|f| !f.contains("0123") && !f.contains("zyx"))
        );
    }
}

/// Only the server can say whether it needs a token: no ten characters stand for none.
#[test]
fn without_a_token_there_is_a_server_to_ask_and_an_obstacle() {
    let read = |map: Value| Settings::read(map.as_object().unwrap(), |_| None);
    let (settings, faults) = read(json!({"plex_url": "http://nas:32400"}));
    assert_eq!(settings.plex.unwrap().token, None);
    assert!(matches!(
        &faults[..],
        [Fault {
            key: "plex_token",
            blocks: true,
            ..
        }]
    ));
    for bad in ["short", "with blanks inside it", "not\u{e4}scii-0123456"] {
        let (settings, faults) = read(json!({"plex_url": "http://nas:32400", "plex_token": bad}));
        assert_eq!(settings.plex, None, "{bad}");
        assert!(faults[0].blocks && faults.len() == 1, "{faults:?}");
    }
}

#[test]
fn a_comma_in_a_name_has_a_backslash_before_it() {
    let names = |text: &str| read(complete(json!({"plex_library": text}))).0.libraries;
    assert_eq!(
        names(r"Films\, old , Clips,\,"),
        ["Films, old", "Clips", ","]
    );
    assert_eq!(names(r"A\B,C\"), [r"A\B", r"C\"]);
}

#[test]
fn the_environment_fills_what_stash_leaves_empty() {
    let env = |name: &str| {
        Some(match name {
            "PLEX_URL" => "https://plex.example:32400".to_owned(),
            _ => "token-from-env".to_owned(),
        })
    };
    let map = json!({"plex_url": "", "plex_token": "0123456789"});
    let (settings, faults) = Settings::read(map.as_object().unwrap(), env);
    let plex = settings.plex.unwrap();
    assert_eq!(plex.url, "https://plex.example:32400");
    assert_eq!(plex.token.unwrap().expose(), "0123456789");
    assert_eq!(faults, []);
}

#[test]
fn the_earlier_plugins_path_map_is_turned_round() {
    let (settings, _) = read(complete(json!({
        "path_map": "/data=>/media", "plex_unmatched_path_map": "/plex=>/stash; /p2=>/s2",
    })));
    let pairs: Vec<_> = settings
        .path_map
        .iter()
        .map(|(s, p)| (s.as_str(), p.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [("/data", "/media"), ("/stash", "/plex"), ("/s2", "/p2")]
    );
}

/// Every key of the earlier plugin, with its default and the ends of its range.
#[test]
fn the_earlier_plugins_keys_keep_their_defaults_and_ranges() {
    let (settings, faults) = read(complete(json!({})));
    assert_eq!(faults, Vec::<String>::new());
    let Toggles {
        master,
        studio,
        summary,
        tagline,
        date,
        performers,
        tags,
        poster,
        background,
        collection,
        rating,
        content_rating,
    } = settings.toggles;
    let on = [
        master, studio, summary, tagline, date, performers, tags, poster, background, collection,
        rating,
    ];
    assert_eq!(on, [true; 11]);
    assert!(!content_rating);
    assert_eq!(settings.libraries, Vec::<String>::new());
    assert!(settings.enabled && settings.strict_matching && settings.reconcile_missing);
    assert!(!settings.preserve_plex_edits && !settings.trigger_plex_scan);
    assert!(!settings.skip_not_found && !settings.debug_logging && !settings.obfuscate_paths);
    assert_eq!(settings.reconcile_interval, Interval::Daily);
    assert_eq!(settings.reconcile_scope, Scope::All);
    assert_eq!((settings.max_retries, settings.max_tags), (5, 100));
    let seconds = |s: &Settings| (s.connect_timeout.as_secs(), s.read_timeout.as_secs());
    assert_eq!(seconds(&settings), (5, 30));

    let at = |n: [f64; 4]| json!({"max_retries": n[0], "max_tags": n[1].to_string(), "connect_timeout": n[2], "read_timeout": n[3]});
    for (ends, beyond) in [
        ([1.0, 10.0, 1.0, 5.0], [0.0, 9.0, 0.9, 4.9]),
        ([20.0, 500.0, 30.0, 120.0], [21.0, 501.0, 30.1, 1e300]),
    ] {
        let (settings, faults) = read(complete(at(ends)));
        assert_eq!(faults, Vec::<String>::new());
        let (tries, tags) = (f64::from(settings.max_retries), settings.max_tags as f64);
        let (connect, answer) = (settings.connect_timeout, settings.read_timeout);
        assert_eq!(
            [tries, tags, connect.as_secs_f64(), answer.as_secs_f64()],
            ends
        );
        let (clamped, faults) = read(complete(at(beyond)));
        assert_eq!(clamped, settings, "{faults:?}");
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}

#[test]
fn words_whole_numbers_and_what_is_used_instead() {
    let (settings, faults) = read(complete(json!({
        "reconcile_interval": "Weekly", "reconcile_scope": "7DAYS", "max_retries": 3.0,
        "poll_interval": "0.5", "reconcile_missing": "off", "concurrency": null,
    })));
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(settings.reconcile_interval, Interval::Weekly);
    assert_eq!(settings.reconcile_scope, Scope::Week);
    assert_eq!((settings.max_retries, settings.concurrency), (3, 4));
    assert!(!settings.reconcile_missing);

    let (settings, faults) = read(complete(json!({
        "reconcile_interval": "monthly", "max_tags": "12.5", "sync_tags": ["yes"], "max_retries": true,
    })));
    assert_eq!(settings.reconcile_interval, Interval::Daily);
    assert_eq!(settings.max_tags, 12);
    let mut faults = faults;
    faults.sort();
    assert_eq!(
        faults,
        [
            "Automatic reconciliation (reconcile_interval): \"monthly\" is not one of never, hourly, daily, weekly; using daily",
            "Write: tags as genres (sync_tags): \"[\\\"yes\\\"]\" is neither on (true) nor off (false); using on. Turn it on or off",
            "max_retries: \"true\" is not a number; using 5. Enter a number",
            "max_tags: 12.5 is not a whole number; using 12",
        ]
    );
}

/// One mistake in the map must not cost the rest of it.
#[test]
fn a_folder_mapped_twice_is_said_and_the_first_counts() {
    let (settings, faults) = read(complete(json!({
        "path_map": "/a=>/x; /a/=>/y; /b=>/z; secret/path",
        "plex_unmatched_path_map": "/x=>/a; /q=>/b; /r=>/c",
    })));
    let pairs: Vec<_> = settings
        .path_map
        .iter()
        .map(|(stash, plex)| (stash.as_str(), plex.as_str()))
        .collect();
    assert_eq!(pairs, [("/a", "/x"), ("/b", "/z"), ("/c", "/r")]);
    assert!(scene_sync::PathMap::new(pairs).is_ok());
    assert_eq!(
        faults,
        [
            "Path map (path_map): \"secret/path\" is not of the form /in/stash=>/in/plex; it is left out",
            "Path map (path_map): it names a folder of Stash twice; using the first",
            "plex_unmatched_path_map: it names a folder of Stash twice; using the first",
        ]
    );
    let (_, faults) = read(complete(
        json!({"path_map": "/a=>/x; secret/path", "obfuscate_paths": "yes"}),
    ));
    let hidden =
        "Path map (path_map): entry 2 is not of the form /in/stash=>/in/plex; it is left out";
    assert_eq!(faults, [hidden]);
}

/// Whatever is stored: never a panic, never more than the fault of that setting, never a value that
/// cannot be used.
#[test]
fn any_value_of_any_setting_leaves_usable_settings() {
    const KEYS: &str = "enabled max_retries strict_matching preserve_plex_edits connect_timeout read_timeout max_tags \
        sync_master sync_studio sync_summary sync_tagline sync_date sync_performers sync_tags sync_poster \
        sync_background sync_collection sync_rating sync_content_rating trigger_plex_scan skip_not_found \
        debug_logging obfuscate_paths reconcile_interval reconcile_scope reconcile_missing path_map \
        plex_unmatched_path_map tls_skip_verify concurrency fast_recovery recovery_ramp ramp_initial_rate \
        ramp_target_rate ramp_duration failure_threshold recovery_timeout probe_interval probe_cap retry_base \
        not_found_base idle_timeout dead_letter_days plex_library poll_interval";
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1e308),
        json!(i64::MIN),
        json!(u64::MAX),
        json!("NaN"),
        json!("inf"),
        json!("-inf"),
        json!("1e999"),
        json!(""),
        json!(" 7 "),
        json!("=>"),
        json!("\u{0}\u{202e}"),
        json!([]),
        json!({"a": [1]}),
        json!("x".repeat(100_000)),
    ];
    for key in KEYS.split_whitespace() {
        for value in &values {
            let (settings, faults) = read(complete(json!({ key: value })));
            let of_ramp = key == "ramp_initial_rate" || key == "ramp_target_rate";
            assert!(
                faults.len() <= 1 + usize::from(of_ramp),
                "{key}: {faults:?}"
            );
            assert!(faults.iter().all(|fault| fault.len() < 300));
            assert!(settings.plex.is_some());
            assert!((1..=20).contains(&settings.max_retries), "{key} {value}");
            assert!((10..=500).contains(&settings.max_tags), "{key} {value}");
            assert!((1..=8).contains(&settings.concurrency), "{key} {value}");
            assert!(
                settings.probe_interval > Duration::ZERO && settings.idle_timeout > Duration::ZERO
            );
        }
    }
}
