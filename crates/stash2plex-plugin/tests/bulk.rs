//! Edits of several scenes at once. Stash commits them, then runs one hook after the other, and
//! none any more once the browser has gone away.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use common::{Installed, binary};
use queue::Options;
use serde_json::{Value, json};
use simulators::{EntityKind, Run, Trigger, run_hooks};
use sync_engine::daemon::lock::Role;
use sync_engine::storage::ledger;

const SCENES: usize = 40;

fn hooks(hooks: &[String], gone_after: Option<usize>) -> Vec<Run> {
    run_hooks(|| Command::new(binary()), hooks, gone_after).unwrap()
}

/// A library that is in sync, with a worker that stays.
fn synced() -> Installed {
    let plugin = Installed::with(SCENES, json!({"idle_timeout": 60, "sync_rating": true}));
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    // Of what changed within the last two seconds nobody can tell whether that was all, and a look
    // would read it again.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let hour_ago = now.as_secs().cast_signed() - 3600;
    stash.set(|stash| stash.now = Some(hour_ago));
    hooks(&stash.bulk_edit(&scenes, json!({"organized": true})), None);
    settled(&plugin);
    plugin
}

fn settled(plugin: &Installed) {
    plugin.until_equal();
    plugin.until("worked off", || {
        plugin.queue().counts().unwrap().live() == 0
    });
}

/// The jobs done so far.
fn done(plugin: &Installed) -> u64 {
    plugin.queue().counts().unwrap().done
}

/// The first hook ends; the second one is killed as it starts, and no other one runs.
#[test]
fn a_client_that_goes_away_takes_no_scene_of_a_bulk_edit_along() {
    let plugin = synced();
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    let runs = hooks(
        &stash.bulk_edit(&scenes, json!({"details": "of all"})),
        Some(1),
    );
    assert_eq!((runs.len(), runs[0].error()), (2, None));
    settled(&plugin);

    // The filename parser, with other values for each.
    let inputs: Vec<_> = scenes
        .iter()
        .map(|id| (*id, json!({"title": format!("Parsed {id}")})))
        .collect();
    hooks(&stash.update_scenes(&inputs), Some(1));
    settled(&plugin);
}

#[test]
fn so_it_is_with_scenes_that_were_deleted() {
    let plugin = synced();
    let stash = &plugin.world.stash;
    let ids = plugin.world.scenes[..20].to_vec();
    let gone: Vec<_> = ids
        .iter()
        .map(|id| stash.destroy_scene(*id).unwrap())
        .collect();
    let documents: Vec<_> = gone
        .iter()
        .map(|scene| stash.hook_stdin(&Trigger::ScenesDestroy(scene, &ids)))
        .collect();
    hooks(&documents, Some(1));
    let forgotten = |id: &u64| {
        let queue = plugin.queue();
        ledger::synced_at(queue.sql(), *id).unwrap().is_none()
    };
    plugin.until("forgotten", || ids.iter().all(forgotten));
    assert!(!forgotten(&plugin.world.scenes[30]));
}

#[test]
fn so_it_is_with_tags_that_were_deleted() {
    let plugin = synced();
    let stash = &plugin.world.stash;
    let tags: Vec<_> = (0..5)
        .map(|n| stash.named(EntityKind::Tag, &format!("Tag {n}")))
        .collect();
    let tagged: Value = tags.iter().map(u64::to_string).collect();
    let set = json!({"tag_ids": {"ids": tagged, "mode": "ADD"}});
    for scene in &plugin.world.scenes {
        stash.bulk_edit(&[*scene], set.clone());
    }
    hooks(&stash.bulk_edit(&plugin.world.scenes, set), Some(1));
    settled(&plugin);
    let documents: Vec<_> = tags
        .iter()
        .map(|tag| {
            stash.destroy(EntityKind::Tag, *tag);
            stash.hook_stdin(&Trigger::EntitiesDestroy(EntityKind::Tag, *tag, &tags))
        })
        .collect();
    hooks(&documents, Some(1));
    settled(&plugin);
}

/// The worker is through with all before the second hook begins: Stash had changed all before the
/// first, so nothing is left to do.
#[test]
fn hooks_behind_a_fast_worker_queue_nothing_again() {
    let plugin = synced();
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    let edit = stash.bulk_edit(&scenes, json!({"details": "once"}));
    let before = done(&plugin);
    for hook in &edit[..5] {
        plugin.run(hook);
        settled(&plugin);
    }
    assert_eq!(done(&plugin) - before, SCENES as u64);
    // The same edit once more is another edit.
    stash.edit(scenes[SCENES - 1]).details("changed in between");
    let again = stash.bulk_edit(&scenes, json!({"details": "once"}));
    hooks(&again, Some(1));
    settled(&plugin);
}

/// Two edits at the same time, the hooks of one between those of the other.
#[test]
fn edits_at_the_same_time_are_noted_once_each() {
    let plugin = synced();
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    let details = stash.bulk_edit(&scenes, json!({"details": "one"}));
    let titles = stash.bulk_edit(&scenes, json!({"rating100": 40}));
    let before = done(&plugin);
    for (one, other) in details.iter().zip(&titles).take(4) {
        plugin.run(one);
        settled(&plugin);
        plugin.run(other);
        settled(&plugin);
    }
    assert_eq!(done(&plugin) - before, 2 * SCENES as u64);
}

/// What stands in the queue already is not written again: another process may hold the write lock
/// as long as it likes.
#[test]
fn a_hook_whose_change_is_recorded_waits_for_nobody() {
    let plugin = Installed::with(3, json!({}));
    let (stash, scenes) = (&plugin.world.stash, plugin.world.scenes.clone());
    let _no_worker = plugin.take_lock(Role::Worker);
    let edit = stash.bulk_edit(&scenes, json!({"details": "all"}));
    hooks(&edit[..1], None);
    let queue = plugin.queue_as(Options::producer());
    let lock = queue.sql().unchecked_transaction().unwrap();
    lock.execute("UPDATE queue_meta SET paused = paused", [])
        .unwrap();
    for hook in &edit[1..] {
        assert_eq!(plugin.run(hook).error(), None);
    }
    plugin.save(scenes[0]);
    drop(lock);
    assert_eq!(queue.counts().unwrap().live(), 3);
}

/// The words of one hook of an edit, and what it makes of them.
#[test]
fn an_edit_is_known_by_its_input() {
    use stash::protocol::PluginInput;
    use stash2plex_plugin::hook;
    let change = |context: Value| {
        let stdin = json!({"server_connection": {"Scheme": "http", "Port": 1, "Dir": "/"}, "args": {"hookContext": context}});
        let input = PluginInput::parse(stdin.to_string().as_bytes()).unwrap();
        hook::change(&input.args.hook.unwrap()).unwrap().unwrap()
    };
    let update = |id: u64, input: Value, fields: &[&str]| {
        change(
            json!({"id": id, "type": "Scene.Update.Post", "input": input, "inputFields": fields}),
        )
    };
    let bulk = json!({"ids": ["1", "2"], "title": "x"});
    let [one, two] = [1, 2].map(|id| update(id, bulk.clone(), &["title", "ids"]).edit.unwrap());
    assert_eq!(one.print, two.print);
    let other = update(
        1,
        json!({"ids": ["1", "2"], "title": "y"}),
        &["ids", "title"],
    );
    assert_ne!(one.print, other.edit.unwrap().print);
    // One scene of its own, with tags that have ids too.
    let form = json!({"id": "1", "tag_ids": ["1", "2"], "cover_image": "data:"});
    assert!(update(1, form, &["id", "tag_ids"]).edit.is_none());
    let destroyed = |id: u64, path: &str, ids: Value| {
        let input = json!({"ids": ids, "path": path});
        change(json!({"id": id, "type": "Scene.Destroy.Post", "input": input}))
    };
    let prints = [
        (1, "/a", json!(["1", "2"])),
        (2, "/b", json!(["1", "2"])),
        (2, "/b", json!(["2", "3"])),
    ]
    .map(|(id, path, ids)| destroyed(id, path, ids).edit.unwrap().print);
    assert_eq!(prints[0], prints[1]);
    assert_ne!(prints[1], prints[2]);
}
