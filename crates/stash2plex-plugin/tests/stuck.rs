//! One job that cannot be done must not hold up the others, nor keep the worker busy; and no job
//! may wait for nobody.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Installed, binary};
use queue::{DeadFilter, NewJob, Options};
use serde_json::json;
use simulators::{Fault, Rule, SectionKind, TagKind, Trigger, run_plugin};
use sync_engine::core::job::{Job, scene_key};

/// Stash fails on one scene's cover for good, while it answers everything else.
#[test]
fn a_cover_that_stash_cannot_serve_holds_nothing_up() {
    let plugin = Installed::with(5, json!({"sync_poster": true, "read_timeout": 5}));
    let [bad, others @ ..] = plugin.world.scenes.as_slice() else {
        unreachable!()
    };
    let cover = Rule::new(Fault::Status(500)).path(&format!("/scene/{bad}/screenshot"));
    plugin.world.stash.fail_when(cover);
    let item = |n: usize| plugin.world.plex.item(plugin.world.items[n]).unwrap();
    let said = |words: &str| {
        let log = plugin.worker_log();
        log.matches(&format!("WARN  scene {bad}: synced without {words}"))
            .count()
    };
    let done = |n| plugin.until("done", || plugin.queue().counts().unwrap().done >= n);

    plugin.save(*bad);
    done(1);
    assert_ne!(
        item(0).tag_names(TagKind::Actor),
        [""; 0],
        "the rest is there at once"
    );
    assert_eq!(item(0).posters.selected_sha1(), None);
    let status = plugin.task("queue_status").log_text();
    assert!(
        status.contains("Of what waits, 1 scene is written already"),
        "{status}"
    );
    let left_out = format!("Left out of scene {bad}: the cover, which Stash did not give");
    assert!(status.contains(&left_out), "{status}");
    for scene in others {
        plugin.save(*scene);
    }
    plugin.until("all is done", || {
        plugin.queue().counts().unwrap().live() == 0
    });
    assert!((1..5).all(|n| item(n).posters.selected_sha1().is_some()));
    // Every try costs a handful of requests; without a pause between them there are a thousand in a
    // second.
    assert!(plugin.world.stash.request_count() < 150);
    let why = "the cover, which Stash did not give";
    assert_eq!(said(why), 3);
    assert_eq!(
        plugin
            .worker_log()
            .matches("It is fetched again by itself")
            .count(),
        2
    );

    // It does not count as synced: a save tries again, and so does a reconciliation.
    let before = plugin.queue().counts().unwrap().done;
    plugin.save(*bad);
    done(before + 1);
    assert_eq!(said(why), 4);
    plugin.world.stash.clear_faults();
    plugin.task("reconcile_all");
    plugin.until("shown", || item(0).posters.selected_sha1().is_some());
}

/// What the queue sets aside by itself is told and counted like what a worker fails.
#[test]
fn a_change_over_which_workers_die_is_told_and_counted() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    let plex = &plugin.world.plex;
    plex.set_latency(Duration::from_millis(300));
    plugin.save(plugin.world.scenes[0]);
    let dead = || plugin.queue().counts().unwrap().dead;
    while dead() == 0 {
        plugin.until("under way", || {
            let of_item = |path: &str| path.starts_with("/library/sections/");
            dead() == 1 || plex.requests().iter().any(|one| of_item(&one.path))
        });
        if dead() == 0 {
            plugin.kill_worker();
            plugin.until_no_worker();
            plex.take_requests();
            plugin.task("queue_status");
        }
    }
    let why =
        "scene 1 failed: the worker ended in the middle of it ten times in a row. What to do: ";
    plugin.until("told", || plugin.worker_log().contains(why));
    // By another program, or another version of this one.
    let mut queue = plugin.queue_as(Options::producer());
    let spoil = "UPDATE queue_job SET payload = '{}' WHERE id = (SELECT max(id) FROM queue_job)";
    let added = queue.transaction(|tx| -> queue::Result<_> {
        tx.enqueue(NewJob::new(Job::Scanned { id: 7 }))?;
        tx.sql().execute(spoil, [])?;
        Ok(())
    });
    added.unwrap();
    let why = "a change of another version of this plugin failed: this version cannot read it";
    plugin.until("told", || plugin.worker_log().contains(why));
    let text = plugin.task("queue_status").log_text();
    assert!(text.contains(": 0 syncs and 2 failures"), "{text}");
    let run = plugin.hook(&Trigger::SceneForm(plugin.world.scenes[0]));
    assert!(run.error().unwrap().contains("2 changes have failed"));
}

/// The list of Plex's libraries is as old as the worker, until something is not found.
#[test]
fn a_library_that_is_added_while_a_worker_lives_is_searched() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60, "not_found_base": 1}));
    plugin.save(plugin.world.scenes[0]);
    plugin.until("synced", || plugin.queue().counts().unwrap().done == 1);
    let scene = plugin.world.stash.add_scene("/x/new.mp4");
    plugin.world.stash.edit(scene).title("New");
    plugin.save(scene);
    plugin.until("missed", || {
        plugin.worker_log().contains("Plex has no file /x/new.mp4")
    });
    let plex = &plugin.world.plex;
    let section = plex.add_section("X", SectionKind::Movie, &["/x"]);
    let item = plex.add_file(section, "/x/new.mp4");
    plugin.until("synced", || plex.item(item).unwrap().title() == "New");
    assert_eq!(plugin.worker_log().matches(" started").count(), 1);
}

/// A proxy before Stash puts a page of its own in the cover's place, once.
#[test]
fn a_page_in_a_covers_place_is_no_reason_to_do_without_it() {
    let plugin = Installed::with(1, json!({"sync_poster": true, "read_timeout": 5}));
    let page = Rule::new(Fault::HtmlPage).path("/scene/").times(1);
    plugin.world.stash.fail_when(page);
    plugin.save(plugin.world.scenes[0]);
    let item = || plugin.world.plex.item(plugin.world.items[0]).unwrap();
    plugin.until("shown", || item().posters.selected_sha1().is_some());
}

/// Plex, or a proxy before it, drops the connection at one scene's edit for good.
#[test]
fn an_edit_that_plex_never_answers_ends_as_a_dead_letter() {
    let plugin = Installed::with(8, json!({}));
    let item = plugin.world.items[0];
    let edit = Rule::new(Fault::Close).method("PUT");
    let edit = edit.containing(&format!("id={item}&"));
    plugin.world.plex.fail_when(edit);
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until("the others done", || {
        plugin.queue().counts().unwrap().done == 7
    });
    plugin.until("set aside", || plugin.queue().counts().unwrap().dead == 1);

    // One scene, one dead letter, of its last end; and none when that is a good one.
    let letters = || plugin.queue().dead_letters(&DeadFilter::all()).unwrap();
    let first = letters();
    let save = || plugin.save(plugin.world.scenes[0]);
    save();
    plugin.until("set aside again", || {
        letters() != first && !letters().is_empty()
    });
    assert_eq!(letters().len(), 1, "{:?}", letters());
    plugin.world.plex.clear_faults();
    save();
    plugin.until_equal();
    plugin.until("forgotten", || letters().is_empty());
}

/// One failed question to Stash is one failure, for however many scenes it was.
#[test]
fn one_hiccup_of_stash_opens_no_circuit() {
    let plugin = Installed::with(16, json!({"enabled": false}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_no_worker();
    plugin.set(json!({}));
    let question = Rule::new(Fault::Status(500)).containing("FindScenes");
    plugin.world.stash.fail_when(question.times(1));
    let began = Instant::now();
    let run = plugin.task("process_queue");
    assert_eq!(run.output().unwrap()["done"], 16, "{:?}", run.log);
    assert!(began.elapsed() < Duration::from_secs(30));
    let said = |words: &str| run.log.iter().any(|(_, text)| text.contains(words));
    assert!(!said("Stash is away"), "{:?}", run.log);
}

/// A bulk task asks for a look at Plex whatever the ledger says; a save that takes the place of its
/// job must not undo that.
#[test]
fn a_save_leaves_a_forced_look_forced() {
    let plugin = Installed::new(1);
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    plugin.save_and_wait(scene);
    plugin.world.plex.edit_by_hand(item, "title", "by hand");
    plugin.set(json!({"enabled": false}));
    let forced = Job::Scene {
        id: scene,
        force: true,
    };
    let forced = NewJob::new(forced).key(scene_key(scene));
    plugin
        .queue_as(Options::producer())
        .enqueue(forced)
        .unwrap();
    plugin.save(scene);
    plugin.until_no_worker();
    plugin.set(json!({}));
    plugin.task("process_queue");
    plugin.until_equal();
}

/// What Process Queue cannot do now is done later, without another change in Stash.
#[test]
fn process_queue_leaves_what_waits_to_a_worker() {
    let plugin = Installed::with(3, json!({"enabled": false}));
    for scene in plugin.world.scenes.clone() {
        plugin.save(scene);
    }
    plugin.until_no_worker();
    plugin.set(json!({}));
    plugin.world.plex.down();
    let run = plugin.task("process_queue");
    assert_eq!(run.output().unwrap()["waiting"], 3, "{:?}", run.log);
    plugin.world.plex.up().unwrap();
    plugin.until_equal();
}

/// An update removes the program's file and writes another one: the worker hands over to it.
#[test]
fn an_update_is_followed_by_a_worker_of_the_new_program() {
    let plugin = Installed::with(1, json!({"idle_timeout": 60}));
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("stash2plex");
    std::fs::copy(binary(), &program).unwrap();
    let save = |scene| {
        let stdin = plugin.world.stash.hook_stdin(&Trigger::SceneForm(scene));
        run_plugin(&program, &stdin).unwrap()
    };
    save(plugin.world.scenes[0]);
    plugin.until_equal();
    let started = || plugin.worker_log().matches(" started").count();
    assert_eq!(started(), 1);
    std::fs::remove_file(&program).unwrap();
    std::fs::copy(binary(), &program).unwrap();
    plugin.until("handed over", || started() == 2);
    let log = plugin.worker_log();
    assert!(log.contains("the plugin was updated"), "{log}");
    plugin.until("one worker", || plugin.workers().len() == 1);
    plugin.kill_worker();
}
