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
    assert_eq!(settings.reconcile_interval, Interval::Never);
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
    let (_, faults) = read(json!({
        "plex_url": "http://plex:32400/?X-Plex-Token=s3cret", "plex_token": "s3cret",
    }));
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().all(|f| !f.contains("s3cret")), "{faults:?}");
    let secret = Secret::new("s3cret");
    assert!(!format!("{secret:?}").contains("s3cret"));
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
    assert_eq!(plex.token.expose(), "0123456789");
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
