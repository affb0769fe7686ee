//! Compare Only: what it says would be written is what Sync All Scenes then writes, and it writes
//! nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use queue::Options;
use simulators::{Fault, Item, Kind, Rule, TagKind};

use super::*;

/// What an item shows, by the names that Compare Only gives the fields.
fn shown(item: &Item) -> BTreeMap<&'static str, String> {
    let fields = [
        ("title", "title"),
        ("summary", "summary"),
        ("tagline", "tagline"),
        ("studio", "studio"),
        ("date", "originallyAvailableAt"),
    ];
    let fields = fields.map(|(name, field)| (name, item.field(field).to_owned()));
    let lists = [
        ("genre", TagKind::Genre),
        ("actor", TagKind::Actor),
        ("collection", TagKind::Collection),
    ];
    let lists = lists.map(|(name, kind)| {
        let names: BTreeSet<_> = item.tag_names(kind).into_iter().collect();
        (name, format!("{names:?}"))
    });
    let rating = [("rating", format!("{:?}", item.user_rating))];
    fields.into_iter().chain(lists).chain(rating).collect()
}

fn library(plugin: &Installed) -> BTreeMap<u64, BTreeMap<&'static str, String>> {
    let items = plugin.world.plex.items();
    // Plex makes a collection for its first tag.
    let films = items.iter().filter(|item| item.kind == Kind::Movie);
    films.map(|item| (item.key, shown(item))).collect()
}

/// Everything in the database but what is noted of the first run.
fn database(plugin: &Installed) -> Vec<String> {
    if !plugin.data().join("stash2plex.db").exists() {
        return Vec::new();
    }
    let queue = plugin.queue_as(Options::inspector());
    let db = queue.sql();
    let mut rows = Vec::new();
    let tables = [
        "plex_server",
        "plex_item",
        "synced_scene",
        "scene_ref",
        "item_waiter",
        "path_hint",
        "left_out",
        "library_field",
    ];
    for table in tables {
        let Ok(mut all) = db.prepare(&format!("SELECT * FROM {table}")) else {
            continue;
        };
        let columns = all.column_count();
        let row = all.query_map([], |row| {
            let values = (0..columns).map(|n| row.get_ref(n).map(|value| format!("{value:?}")));
            values.collect::<Result<Vec<_>, _>>()
        });
        rows.extend(
            row.unwrap()
                .map(|row| format!("{table} {:?}", row.unwrap())),
        );
    }
    rows.push(format!("{:?}", queue.counts().unwrap()));
    rows
}

/// A library that came apart in many ways, by a seed.
fn apart(seed: u64) -> Installed {
    let settings = json!({
        "sync_rating": true, "sync_collection": true, "preserve_plex_edits": seed % 2 == 1, "idle_timeout": 0.1,
        "not_found_base": 600,
    });
    let plugin = installed(14, seed, settings);
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let (scenes, items) = (&plugin.world.scenes, &plugin.world.items);
    // Some are synced already, and then changed on either side.
    for scene in &scenes[..6] {
        plugin.save_and_wait(*scene);
    }
    stash
        .edit(scenes[1])
        .title("Edited in Stash")
        .tags(&["New"]);
    plex.edit_by_hand(items[2], "title", "Edited in Plex");
    plex.add_tag(items[3], TagKind::Genre, "By hand");
    stash.edit(scenes[4]).details("").performers(&[]);
    // Never synced: as they are, locked by a person, without an item, in the trash, without
    // metadata.
    plex.edit_by_hand(items[6], "summary", "By hand");
    plex.remove(items[7]);
    stash.edit(scenes[8]).with(|scene| {
        scene.title.clear();
        scene.details.clear();
        scene.date.clear();
        (scene.studio, scene.rating100) = (None, None);
        (scene.performers, scene.tags) = (Vec::new(), Vec::new());
    });
    // Two scenes with a file each of one item, which shows the one that was first.
    let other = stash.add_scene("/data/second.mp4");
    stash.edit(other).title("Second");
    plex.add_version(items[0], "/media/scenes/second.mp4");
    let nowhere = stash.add_scene_without_file();
    stash.edit(nowhere).title("Nowhere");
    plugin
}

#[test]
fn what_it_says_is_what_sync_all_then_writes() {
    for seed in 1..=4 {
        let plugin = apart(seed);
        let (before, on_record, written) = (library(&plugin), database(&plugin), changes(&plugin));
        let (text, output) = answered(&plugin.task("compare_only"));
        assert_eq!(changes(&plugin), written, "it wrote to Plex");
        assert_eq!(database(&plugin), on_record, "it wrote to the sync record");
        assert_eq!(library(&plugin), before);
        assert!(plugin.workers().is_empty());

        answered(&plugin.task("all"));
        plugin.until("worked off", || {
            let waiting = plugin.queue().counts().unwrap();
            // The one that is not in Plex waits for its next try.
            waiting.ready + waiting.running == 0 && waiting.waiting <= 1 && waiting.done > 6
        });
        plugin.kill_worker();
        plugin.until_no_worker();
        let after = library(&plugin);
        let mut fields = BTreeMap::<&str, u64>::new();
        let mut changed = BTreeSet::new();
        for (key, item) in &after {
            for (field, _) in item
                .iter()
                .filter(|(field, value)| before[key][*field] != **value)
            {
                *fields.entry(field).or_default() += 1;
                changed.insert(*key);
            }
        }
        assert_eq!(output["fields"], json!(fields), "seed {seed}: {text}");
        assert_eq!(output["would_change"], changed.len(), "seed {seed}: {text}");
        let listed = output["scenes"].as_array().unwrap().iter();
        let listed: BTreeSet<u64> = listed
            .map(|scene| scene["item"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(listed, changed, "seed {seed}: {text}");
        assert_eq!(output["not_in_plex"], 1, "{text}");
        let nowhere = &output["fileless"][0];
        says(
            &text,
            &format!("\ni Without a file, so that a sync would fail: scene {nowhere}. "),
        );
        assert_eq!(output["without_metadata"], 1, "{text}");
        assert_eq!(output["shown_as_others"], 1, "{text}");
        assert!(output["equal"].as_u64().unwrap() >= 2, "{text}");

        // Then there is nothing left to write.
        let (_, output) = answered(&plugin.task("compare_only"));
        assert_eq!(output["would_change"], 0, "{output}");
    }
}

/// Which of two is first is chance, as it is in a sync.
#[test]
fn an_item_of_two_scenes_would_show_one_of_them() {
    let plugin = Installed::new(2);
    let other = plugin.world.stash.add_scene("/data/second.mp4");
    plugin.world.stash.edit(other).title("Second");
    plugin
        .world
        .plex
        .add_version(plugin.world.items[1], "/media/scenes/second.mp4");
    let (_, output) = answered(&plugin.task("compare_only"));
    let counts = [&output["would_change"], &output["shown_as_others"]];
    assert_eq!(counts, [&json!(2), &json!(1)]);
}

#[test]
fn it_shows_old_and_new_values_and_cuts_long_ones() {
    let plugin = Installed::new(25);
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let scene = plugin.world.scenes[0];
    stash
        .edit(scene)
        .title("Dawn")
        .details(&"long ".repeat(40))
        .tags(&["Outdoor"]);
    plex.edit_by_hand(plugin.world.items[0], "title", "dawn-1080p");
    let (text, output) = answered(&plugin.task("compare_only"));
    says(
        &text,
        "i Compared 25 scenes: 25 would be written, 0 with nothing to write, 0 not found in Plex. Nothing was written",
    );
    says(
        &text,
        "Would be written, by field: actor 25, date 25, genre 25",
    );
    let line = text.lines().find(|line| line.contains("\"Dawn\"")).unwrap();
    says(
        line,
        &format!(
            "i Scene {scene} \"Dawn\" (Plex item {}): ",
            plugin.world.items[0]
        ),
    );
    says(line, "title from \"dawn-1080p\" to \"Dawn\"");
    says(
        line,
        &format!("summary from empty to \"{}…\"", "long ".repeat(12)),
    );
    says(line, "genre: add \"Outdoor\"");
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("i Scene "))
            .count(),
        20
    );
    says(&text, "i and 5 scenes more");
    assert_eq!(output["scenes"].as_array().unwrap().len(), 20);
    says(&text, "then run the task Sync All Scenes");
    assert!(
        plugin
            .queue()
            .jobs(queue::State::Ready, 9)
            .unwrap()
            .is_empty()
    );

    plugin.set(json!({"sync_master": false}));
    let (text, _) = answered(&plugin.task("compare_only"));
    says(
        &text,
        "w Write to Plex (master switch) (sync_master) is off: nothing is written to Plex",
    );
    says(
        &text,
        "Compared 25 scenes: 0 would be written, 25 with nothing to write",
    );
}

#[test]
fn covers_are_compared_where_nothing_has_to_be_downloaded() {
    let settings = json!({"sync_poster": true, "sync_background": true, "idle_timeout": 0.1});
    let plugin = Installed::with(3, settings);
    plugin.untouched_for_a_week();
    let downloads = |plugin: &Installed| {
        let requests = plugin.world.stash.requests();
        requests
            .iter()
            .filter(|one| one.path.contains("screenshot"))
            .count()
    };
    plugin.save_and_wait(plugin.world.scenes[0]);
    let before = downloads(&plugin);
    let (text, output) = answered(&plugin.task("compare_only"));
    assert_eq!(downloads(&plugin), before);
    assert_eq!(output["covers_unknown"], 2, "{text}");
    says(
        &text,
        "Covers were not compared for 2 scenes, since that takes a download",
    );
    assert_eq!(
        (&output["equal"], &output["would_change"]),
        (&json!(1), &json!(2)),
        "{text}"
    );
}

/// More scenes than a page, and what it costs.
#[test]
fn it_shows_progress_and_asks_once_for_each_scene() {
    let plugin = Installed::new(600);
    let before = plugin.world.plex.requests().len();
    let run = plugin.task("compare_only");
    let (text, output) = answered(&run);
    assert_eq!(output["compared"], 600);
    let shares = run.log.iter().filter(|(level, _)| *level == 'p');
    let shares: Vec<f64> = shares.map(|(_, share)| share.parse().unwrap()).collect();
    assert!(shares.len() > 10 && shares.is_sorted(), "{shares:?}");
    assert!(shares.last().is_some_and(|last| *last > 0.99), "{text}");
    let asked = plugin.world.plex.requests().len() - before;
    assert!(asked < 600 + 60, "{asked} requests");
}

#[cfg(unix)]
#[test]
fn it_ends_within_a_second_when_it_is_killed_and_leaves_nothing_behind() {
    for signal in ["-TERM", "-KILL"] {
        let plugin = Installed::new(40);
        let before = plugin.world.plex.requests().len();
        plugin
            .world
            .plex
            .fail_when(Rule::new(Fault::Slow(Duration::from_millis(300))));
        let mut task = Command::new(common::binary())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = plugin
            .world
            .stash
            .task_stdin(json!({"mode": "compare_only"}));
        task.stdin
            .take()
            .unwrap()
            .write_all(stdin.as_bytes())
            .unwrap();
        plugin.until("at it", || plugin.world.plex.requests().len() > before + 8);
        let pid = task.id().to_string();
        let began = Instant::now();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        task.wait().unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        assert!(plugin.workers().is_empty());
        assert_eq!((changes(&plugin), database(&plugin)), (0, Vec::new()));
    }
}

/// With `SCENES=20000`: the memory that it needs.
#[cfg(target_os = "linux")]
#[test]
fn it_needs_the_memory_of_a_page() {
    let scenes = std::env::var("SCENES")
        .ok()
        .and_then(|text| text.parse().ok());
    let most = |scenes: usize| {
        let plugin = Installed::new(scenes);
        let mut task = Command::new(common::binary())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = plugin
            .world
            .stash
            .task_stdin(json!({"mode": "compare_only"}));
        task.stdin
            .take()
            .unwrap()
            .write_all(stdin.as_bytes())
            .unwrap();
        let (mut most, began) = (0_u64, Instant::now());
        while task.try_wait().unwrap().is_none() {
            let status = std::fs::read_to_string(format!("/proc/{}/status", task.id()));
            let status = status.unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kb = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            most = most.max(kb.unwrap_or_default());
            std::thread::sleep(Duration::from_millis(5));
        }
        println!(
            "{scenes} scenes: {most} KB at most, {:.1} s",
            began.elapsed().as_secs_f64()
        );
        most
    };
    let scenes = scenes.unwrap_or(1500);
    let (few, many) = (most(300), most(scenes));
    // Kept for each scene: a listing's line, and who takes the item; some 200 bytes. A scene alone
    // has four kilobytes.
    let kept = scenes as u64 / 5;
    assert!(many < few + 3_000 + kept, "{few} KB, then {many} KB");
}
