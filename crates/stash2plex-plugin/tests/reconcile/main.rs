//! Reconciliation: what no hook told is found by comparing content. The real binary between
//! simulated servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod runs;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use common::Installed;
use queue::{NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{EntityKind, TagKind};
use sync_engine::core::job::{Job, scene_key};
use sync_engine::storage::{ledger, meta};

/// Scenes that both sides show alike, and no worker.
fn synced(scenes: usize, settings: Value) -> Installed {
    let plugin = Installed::with(scenes, settings);
    plugin.untouched_for_a_week();
    work(&plugin, "all");
    assert!(plugin.world.comparison().is_equal());
    plugin.world.plex.take_requests();
    plugin
}

/// Starts a task and waits until its worker has nothing left to do.
fn work(plugin: &Installed, mode: &str) {
    assert_eq!(plugin.task(mode).error(), None);
    worked_off(plugin);
}

fn worked_off(plugin: &Installed) {
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    plugin.until_no_worker();
}

/// What can be done at once. The worker that is to go on with the rest would take the jobs that a
/// test plays with.
fn work_off(plugin: &Installed) {
    assert_eq!(plugin.task("process_queue").error(), None);
    plugin.kill_worker();
    plugin.until_no_worker();
}

/// Runs a reconciliation; what it found.
fn reconcile(plugin: &Installed, mode: &str) -> Value {
    work(plugin, mode);
    last(plugin)
}

/// The last reconciliation as View Queue Status has it.
fn last(plugin: &Installed) -> Value {
    let run = plugin.task("queue_status");
    run.output().unwrap()["last_reconciliation"].clone()
}

fn gaps(kinds: Value) -> Value {
    let mut all = json!({"changed_in_stash": 0, "never_synced": 0, "not_in_plex": 0, "changed_in_plex": 0, "deleted_in_stash": 0});
    all.as_object_mut()
        .unwrap()
        .extend(kinds.as_object().unwrap().clone());
    all
}

fn database(plugin: &Installed) -> Queue<Job> {
    Queue::open(plugin.data().join("stash2plex.db"), Options::producer()).unwrap()
}

/// As after twelve tries.
fn set_aside(queue: &mut Queue<Job>, id: u64) {
    let job = NewJob::new(Job::Scene { id, force: true }).key(scene_key(id));
    queue.enqueue(job).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.dead(claim, "NotInPlex", "Plex has no file").unwrap();
}

#[test]
fn renames_auto_tags_and_merges_are_found_without_a_hook() {
    let plugin = synced(12, json!({"reconcile_missing": false}));
    let stash = &plugin.world.stash;
    let scenes = plugin.world.scenes.clone();
    let first = |id: u64| stash.scene(id).unwrap();
    let mut touched = BTreeSet::new();

    let performer = first(scenes[0]).performers[0];
    stash.rename(EntityKind::Performer, performer, "Renamed Person");
    touched.extend(stash.scenes_with(EntityKind::Performer, performer));

    let auto = stash.named(EntityKind::Tag, "found by auto tag");
    stash.change_silently(scenes[3], |scene| scene.tags.push(auto));
    touched.insert(scenes[3]);

    let [from, to] = [
        first(scenes[5]).tags[0],
        stash.named(EntityKind::Tag, "kept of two"),
    ];
    touched.extend(stash.scenes_with(EntityKind::Tag, from));
    stash.merge(EntityKind::Tag, &[from], to);

    stash.merge_scenes(scenes[8], &[scenes[9]]);
    stash.change_silently(scenes[8], |scene| scene.title = "Merged".to_owned());
    touched.insert(scenes[8]);
    touched.remove(&scenes[9]);

    let found = reconcile(&plugin, "reconcile_all");
    let differ = touched.len() as u64;
    assert!(
        (4..11).contains(&differ),
        "some differ and some do not: {differ}"
    );
    assert_eq!(found["reach"], "all");
    assert_eq!(found["checked"], 11);
    assert_eq!(
        found["gaps"],
        gaps(json!({"changed_in_stash": differ, "deleted_in_stash": 1}))
    );
    assert_eq!(found["queued"], differ + 1);
    assert!(
        plugin.world.comparison().is_equal(),
        "{}",
        plugin.world.comparison()
    );
    let queue = plugin.queue();
    let synced = |scene: &&u64| ledger::synced_at(queue.sql(), **scene).unwrap().is_some();
    assert_eq!(plugin.world.scenes.iter().filter(synced).count(), 11);

    // And it is over: nothing differs any more.
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(
        (&found["gaps"], &found["queued"]),
        (&gaps(json!({})), &json!(0))
    );
    let (text, log) = (plugin.task("queue_status").log_text(), plugin.worker_log());
    let words = "all scenes: 11 scenes compared with what was last written, none differs";
    assert!(
        text.contains("i Last reconciliation: ") && text.contains(words),
        "{text}"
    );
    assert!(
        log.contains(
            "Reconcile All Scenes: 11 scenes compared with what was last written, none differs"
        ),
        "{log}"
    );
}

/// What Plex was asked but who it is, which every worker asks first.
fn asked(plugin: &Installed) -> Vec<String> {
    let requests = plugin.world.plex.take_requests().into_iter();
    let paths = requests.map(|request| request.path);
    paths.filter(|path| path != "/identity").collect()
}

#[test]
fn unchanged_scenes_cost_plex_nothing() {
    let plugin = synced(30, json!({"reconcile_missing": false}));
    let done = plugin.queue().counts().unwrap().done;
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(
        (&found["checked"], &found["queued"]),
        (&json!(30), &json!(0))
    );
    assert_eq!(asked(&plugin), ["/library/sections"]);
    assert_eq!(plugin.queue().counts().unwrap().done, done + 1);

    // To know what Plex has, its listing is read: once, whatever the number of scenes.
    plugin.set(json!({"reconcile_missing": true}));
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["queued"], 0);
    assert_eq!(
        asked(&plugin),
        ["/library/sections", "/library/sections/1/all"]
    );
}

#[test]
fn what_plex_does_not_have_is_queued_once_and_found_when_it_comes() {
    let settings = json!({"strict_matching": true});
    let plugin = synced(6, settings);
    let plex = &plugin.world.plex;
    let [gone, moved] = [plugin.world.items[1], plugin.world.items[4]];
    let path = plex.item(gone).unwrap().files().next().unwrap().to_owned();
    plex.remove(gone).unwrap();
    plex.re_add(moved).unwrap();
    assert_eq!(plugin.task("reconcile_all").error(), None);
    plugin.until("tried", || plugin.worker_log().contains(", next in"));
    plugin.kill_worker();
    let found = last(&plugin);
    assert_eq!(
        found["gaps"],
        gaps(json!({"not_in_plex": 1, "never_synced": 1}))
    );
    assert_eq!(found["queued"], 2);
    // What twelve tries lead to, without the time they take.
    work_off(&plugin);
    let mut queue = database(&plugin);
    let key = scene_key(plugin.world.scenes[1]);
    assert!(queue.cancel(&key).unwrap().is_some());
    set_aside(&mut queue, plugin.world.scenes[1]);
    drop(queue);

    // Set aside and still not there: told, not tried again.
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["gaps"], gaps(json!({"not_in_plex": 1})));
    assert_eq!(found["queued"], 0);
    assert_eq!(plugin.queue().counts().unwrap().dead, 1);

    plugin.set(json!({"skip_not_found": true}));
    let purged = plugin.task("clear_dlq");
    assert_eq!(purged.output().unwrap()["deleted"], 1);
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["gaps"]["not_in_plex"], 1);
    assert_eq!(found["queued"], 0, "nobody wants it tried");
    let done = plugin.queue().counts().unwrap().done;
    plugin.save(plugin.world.scenes[1]);
    plugin.until("looked at", || plugin.queue().counts().unwrap().done > done);
    let said = "It is left at that, since Skip scenes that are not in Plex (skip_not_found) is on";
    plugin.until("told", || plugin.worker_log().contains(said));
    plugin.set(json!({}));
    let mut queue = database(&plugin);
    set_aside(&mut queue, plugin.world.scenes[1]);
    drop(queue);

    // There now: synced, and no longer among what was set aside.
    plex.add_file(1, &path);
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["gaps"], gaps(json!({"never_synced": 1})));
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
    assert!(
        plugin.world.comparison().is_equal(),
        "{}",
        plugin.world.comparison()
    );
}

#[test]
fn missing_metadata_is_seen_in_plex_and_put_back() {
    let plugin = synced(60, json!({}));
    let [emptied, edited, cut] = [7, 20, 55].map(|n| plugin.world.items[n]);
    plugin
        .world
        .plex
        .change(emptied, |item| item.set_field("summary", ""));
    plugin.world.plex.edit_by_hand(edited, "title", "By hand");
    plugin.world.plex.change(cut, |item| {
        let genres = item.tags.get_mut(&TagKind::Genre).unwrap();
        genres.pop();
        assert_ne!(*genres, [], "one of several is missing");
    });
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["queued"], 0, "only what Stash has is compared");

    plugin.world.plex.take_requests();
    let found = reconcile(&plugin, "reconcile_missing_metadata");
    assert_eq!(found["reach"], "metadata");
    assert_eq!(found["gaps"], gaps(json!({"changed_in_plex": 3})));
    assert!(
        plugin.world.comparison().is_equal(),
        "{}",
        plugin.world.comparison()
    );
    let requests = plugin.world.plex.take_requests();
    let many = requests.iter().filter(|request| request.path.contains(','));
    assert_eq!(many.count(), 1, "sixty items in one request");
    assert!(requests.len() < 15, "{} requests", requests.len());
    // Tasks have the names that Stash shows.
    let log = plugin.worker_log();
    for line in [
        "Sync All Scenes: read from Stash, 60 scenes queued",
        "Reconcile All Scenes: 60 scenes compared with what was last written, none differs",
        "Reconcile Missing Metadata: 60 scenes compared with what was last written, 3 differ (3 changed in Plex), 3 queued",
    ] {
        assert!(log.contains(&format!("INFO  {line}")), "{line}:\n{log}");
    }

    plugin.set(json!({"preserve_plex_edits": true}));
    plugin.world.plex.edit_by_hand(edited, "title", "By hand");
    let found = reconcile(&plugin, "reconcile_missing_metadata");
    assert_eq!(found["gaps"]["changed_in_plex"], 0, "edits are kept");
}

#[test]
fn forgotten_matches_are_looked_up_again() {
    let plugin = synced(5, json!({"reconcile_missing": false}));
    let run = plugin.task("clear_match_cache");
    assert_eq!(run.output().unwrap(), &json!({"forgotten": 5}));
    assert!(
        run.log_text()
            .contains("i Forgot the scenes of 5 Plex items; ")
    );
    let found = reconcile(&plugin, "reconcile_all");
    assert_eq!(found["gaps"], gaps(json!({"never_synced": 5})));
    let requests = plugin.world.plex.take_requests();
    // Each item is read and still holds its file, so nothing is searched or written.
    let searched = |query: &str| query.contains("file=");
    assert!(
        !requests
            .iter()
            .any(|one| one.method == "PUT" || searched(&one.query))
    );
    let run = plugin.task("clear_match_cache");
    assert_eq!(run.output().unwrap()["forgotten"], 5);
}

/// The recent ones only: by when they were created or changed, whatever the zone Stash writes its
/// times in.
#[test]
fn a_reach_looks_at_its_days_only() {
    let plugin = Installed::with(3, json!({}));
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    for (scene, days) in plugin.world.scenes.iter().zip([0_u64, 3, 10]) {
        let at = now.as_secs() as i64 - i64::try_from(days * 86_400).unwrap();
        plugin.world.stash.change_silently(*scene, |scene| {
            scene.created_at = at;
            scene.updated = at;
            scene.updated_at = stash::timestamp::format(at);
        });
    }
    plugin.set(json!({"enabled": true}));
    for (mode, checked, reach) in [
        ("reconcile_recent", 1, "day"),
        ("reconcile_7days", 2, "week"),
        ("reconcile_all", 3, "all"),
    ] {
        let found = reconcile(&plugin, mode);
        assert_eq!(
            (&found["checked"], &found["reach"]),
            (&json!(checked), &json!(reach))
        );
    }
    assert!(plugin.world.comparison().is_equal());
}
