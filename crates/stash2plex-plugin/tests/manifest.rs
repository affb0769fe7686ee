//! The manifest: Stash refuses one with a key it does not know, and a task or setting the program
//! does not know does nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stash::protocol::PluginInput;
use stash2plex_plugin::request::{Request, UnknownRequest};
use sync_engine::core::settings::{Settings, names};

const MANIFEST: &str = include_str!("../../../plugin/Stash2Plex.yml");

const GUIDE: &str = include_str!("../../../docs/guide.md");

/// The lines as (indentation, key, value); a list's dash counts as indentation.
fn lines() -> Vec<(usize, &'static str, &'static str)> {
    let lines = MANIFEST.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let text = line.trim_start_matches([' ', '-']);
            let (key, value) = text.split_once(':').unwrap_or(("", text));
            // A hook's name holds no colon; everything else is `key: value`.
            (line.len() - text.len(), key, value.trim())
        })
        .collect()
}

/// The part below a top-level key.
fn part(name: &str) -> Vec<(usize, &'static str, &'static str)> {
    let lines = lines();
    let mut below = lines
        .into_iter()
        .skip_while(|line| *line != (0, name, ""))
        .skip(1);
    below
        .by_ref()
        .take_while(|(depth, ..)| *depth > 0)
        .collect()
}

/// The settings by key: their attributes.
fn settings() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut settings = BTreeMap::<_, BTreeMap<_, _>>::new();
    let mut current = "";
    for (depth, key, value) in part("settings") {
        if depth == 2 {
            current = key;
            assert!(
                settings.insert(key, BTreeMap::new()).is_none(),
                "{key} twice"
            );
        } else {
            settings.get_mut(current).unwrap().insert(key, value);
        }
    }
    settings
}

#[test]
fn only_keys_that_stash_knows() {
    const TOP: [&str; 12] = [
        "name",
        "description",
        "url",
        "version",
        "interface",
        "exec",
        "errLog",
        "hooks",
        "tasks",
        "settings",
        "ui",
        "execArgs",
    ];
    for (_, key, _) in lines().into_iter().filter(|(depth, ..)| *depth == 0) {
        assert!(TOP.contains(&key), "{key}");
    }
    for (depth, key, _) in part("tasks") {
        let known: &[&str] = if depth > 4 {
            &["mode", "days"]
        } else {
            &["name", "description", "execArgs", "defaultArgs"]
        };
        assert!(known.contains(&key), "{key}");
    }
    for (key, attributes) in settings() {
        let names: Vec<_> = attributes.keys().copied().collect();
        assert_eq!(names, ["description", "displayName", "type"], "{key}");
        assert!(
            ["STRING", "NUMBER", "BOOLEAN"].contains(&attributes["type"]),
            "{key}"
        );
    }
    assert!(MANIFEST.is_ascii() && !MANIFEST.contains('\t'));
}

#[test]
fn the_pages_files_are_there() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin");
    let files: Vec<_> = part("ui")
        .into_iter()
        .filter(|(depth, ..)| *depth > 2)
        .collect();
    assert!(!files.is_empty());
    for (_, _, file) in files {
        assert!(folder.join(file).is_file(), "{file}");
    }
}

/// Every task of the program is there, with arguments it takes.
#[test]
fn every_mode_has_a_task() {
    let mut modes = BTreeSet::new();
    let mut args = Map::new();
    let mut check = |args: &mut Map<String, Value>, name: &str| {
        if let Some(mode) = args.get("mode") {
            let stdin = json!({"server_connection": {"Scheme": "http", "Port": 1, "Dir": "/"}, "args": args});
            let input = PluginInput::parse(stdin.to_string().as_bytes()).unwrap();
            let request = Request::of(&input.args).unwrap();
            // The log calls the work by the name that Stash shows.
            if let Request::Record(job) = request {
                assert_eq!(job.words(), name);
            }
            assert!(
                modes.insert(mode.as_str().unwrap().to_owned()),
                "{mode} twice"
            );
        }
        args.clear();
    };
    let mut name = "";
    for (depth, key, value) in part("tasks") {
        if key == "name" {
            check(&mut args, name);
            name = value;
        } else if depth > 4 {
            args.insert(key.to_owned(), json!(value.trim_matches('"')));
        }
    }
    check(&mut args, name);
    let known = UnknownRequest::NoMode.to_string();
    let known = known.split_once("use one of ").unwrap().1;
    let known: BTreeSet<_> = known.split(", ").map(str::to_owned).collect();
    assert_eq!(modes, known);
}

/// Who comes from the earlier plugin has calls of its modes in scripts, and its settings in Stash.
#[test]
fn modes_and_settings_of_the_earlier_plugin_work() {
    let modes = [
        "all",
        "recent",
        "queue_status",
        "clear_queue",
        "clear_dlq",
        "purge_dlq",
        "clear_match_cache",
        "process_queue",
        "health_check",
        "outage_summary",
        "recover_outage_jobs",
        "reconcile_all",
        "reconcile_recent",
        "reconcile_7days",
        "reconcile_missing_metadata",
    ];
    let known = UnknownRequest::NoMode.to_string();
    for mode in modes {
        assert!(known.contains(&format!(" {mode}")), "{mode}");
    }
    let basis = json!({"plex_url": "http://plex:32400", "plex_token": "0123456789"});
    let basis = basis.as_object().unwrap();
    let read = |more: &Map<String, Value>| {
        let mut map = basis.clone();
        map.extend(more.clone());
        let (settings, faults) = Settings::read(&map, |_| None);
        assert!(faults.is_empty(), "{more:?}: {faults:?}");
        settings
    };
    let default = read(&Map::new());
    // Each with a value that is not the default.
    let values = json!({
        "plex_url": "https://other:32400", "plex_token": "9876543210", "plex_library": "Films, Series",
        "enabled": "false", "max_retries": 7, "strict_matching": "no", "preserve_plex_edits": "1", "connect_timeout": 9,
        "read_timeout": 60, "max_tags": 50, "sync_master": false, "sync_studio": false, "sync_summary": false,
        "sync_tagline": false, "sync_date": false, "sync_performers": false, "sync_tags": false, "sync_poster": false,
        "sync_background": false, "sync_collection": false, "trigger_plex_scan": true, "skip_not_found": true,
        "debug_logging": true, "obfuscate_paths": true, "reconcile_interval": "weekly", "reconcile_scope": "24h",
        "reconcile_missing": false, "plex_unmatched_path_map": "/plex=>/stash; /plex2=>/stash2",
    });
    for (key, value) in values.as_object().unwrap() {
        let settings = read(&Map::from_iter([(key.clone(), value.clone())]));
        assert_ne!(settings, default, "{key}");
    }
    // There is nothing left to poll.
    let polls = Map::from_iter([("poll_interval".to_owned(), json!(30))]);
    assert_eq!(read(&polls), default);
}

/// Texts call a setting what the page calls it.
#[test]
fn every_setting_is_called_as_on_the_page() {
    let page: BTreeMap<_, _> = settings()
        .into_iter()
        .map(|(key, attributes)| (key, attributes["displayName"].trim_matches('"')))
        .collect();
    let known = names::ALL
        .iter()
        .copied()
        .filter(|(_, name)| !name.is_empty());
    assert_eq!(known.collect::<BTreeMap<_, _>>(), page);
}

/// A value that makes no sense is a fault of exactly the setting it was given to, so each row of
/// the page is read.
#[test]
fn every_setting_is_read() {
    const FREE_TEXT: [&str; 1] = ["plex_library"];
    for (key, attributes) in settings() {
        if FREE_TEXT.contains(&key) {
            continue;
        }
        let good = json!({"plex_url": "http://plex:32400", "plex_token": "0123456789"});
        let mut map = good.as_object().unwrap().clone();
        map.insert(key.to_owned(), json!("n\u{f6}"));
        let (_, faults) = Settings::read(&map, |_| None);
        let keys: Vec<_> = faults.iter().map(|fault| fault.key).collect();
        assert_eq!(keys, [key], "{faults:?}");
        let text = attributes["description"].trim_matches('"');
        let begins = match attributes["type"] {
            // A switch that nobody touched looks off on Stash's page, whatever is in force.
            "BOOLEAN" => {
                text.starts_with("Default on. Off, ")
                    || (text.starts_with("Default off: ") && text.contains(". On, "))
            }
            _ => text.starts_with("Default "),
        };
        assert!(begins, "{key}: {text}");
    }
}

/// What the program says of a value that makes no sense.
fn fault(key: &str, value: Value) -> String {
    let map = Map::from_iter([(key.to_owned(), value)]);
    let (_, faults) = Settings::read(&map, |_| None);
    let fault = faults.into_iter().find(|fault| fault.key == key);
    fault.map(|fault| fault.problem).unwrap_or_default()
}

/// A default and a range, as a person reads them, are those that the program uses.
fn check(key: &str, default: &str, range: &str) {
    let nonsense = fault(key, json!("n\u{f6}"));
    let used = nonsense.split_once("; using ").map(|(_, rest)| rest);
    let used = used.map(|rest| rest.split(". ").next().unwrap_or_default());
    assert_eq!(used, Some(default), "{key}: {default:?}, but: {nonsense}");
    let much = fault(key, json!("1e12"));
    match nonsense.contains("is not a number") {
        true => assert!(
            much.contains(&format!("outside {range};")),
            "{key}: {range:?}, but: {much}"
        ),
        false => assert_eq!(range, "", "{key} is no number"),
    }
}

#[test]
fn defaults_and_ranges_on_the_page_are_true() {
    for (key, attributes) in settings() {
        let text = attributes["description"].trim_matches('"');
        let Some((_, told)) = text.split_once("Default ") else {
            continue;
        };
        let default = told.split([' ', '.', ',', ':', ';']).next().unwrap();
        if default == "empty" {
            assert_eq!(attributes["type"], "STRING", "{key}");
            continue;
        }
        let range = told.strip_prefix(default).unwrap().strip_prefix(" (");
        let range = range.and_then(|text| text.split(')').next());
        check(key, default, &range.unwrap_or("").replace('-', "\u{2013}"));
    }
}

/// The rows of the guide between two texts: keys, default, and what follows.
fn rows(from: &str, to: &str) -> Vec<(Vec<&'static str>, &'static str, &'static str)> {
    let part = GUIDE.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let keys = cells[1].split(", ").map(|key| key.trim_matches('`'));
        (keys.collect(), cells[2].trim_end_matches(" s"), cells[3])
    })
    .collect()
}

#[test]
fn the_guide_has_every_setting_with_its_default_and_range() {
    let (start, tuning, end) = ("## Settings", "For tuning", "The settings of the earlier");
    let (page, more) = (rows(start, tuning), rows(tuning, end));
    let keys: Vec<_> = page.iter().flat_map(|(keys, ..)| keys.clone()).collect();
    let told: BTreeSet<_> = keys.iter().copied().collect();
    assert_eq!(told.len(), keys.len(), "one twice");
    assert_eq!(told, settings().into_keys().collect());
    let tuned: BTreeSet<_> = more.iter().flat_map(|(keys, ..)| keys.clone()).collect();
    let hidden = names::ALL.iter().filter(|(_, name)| name.is_empty());
    let hidden = hidden.map(|(key, _)| *key);
    // Told of beside the earlier plugin's settings.
    let hidden = hidden.filter(|key| *key != "plex_unmatched_path_map");
    assert_eq!(tuned, hidden.collect());
    for (keys, default, text) in page.into_iter().chain(more) {
        let range = text.split(' ').next().unwrap();
        let range = if range.contains('\u{2013}') {
            range
        } else {
            ""
        };
        for key in keys {
            match (key, default) {
                ("plex_library", "all") | ("plex_url" | "plex_token" | "path_map", "") => {}
                _ => check(key, default, range),
            }
        }
    }
}

#[test]
fn the_guide_has_every_task() {
    let tasks = GUIDE.split_once("## Tasks").unwrap().1;
    let table = tasks
        .split_once("\n\n")
        .unwrap()
        .1
        .split("\n\n")
        .next()
        .unwrap();
    for (_, key, name) in part("tasks") {
        assert!(key != "name" || table.contains(name), "{name}");
    }
}
