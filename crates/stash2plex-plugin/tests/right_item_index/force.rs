//! Row 16: a look at Plex that was asked for is not lost to a save that comes behind it.

use std::time::Duration;

use queue::{NewJob, Options};
use simulators::{Fault, Rule};
use sync_engine::core::job::{Job, scene_key};

use super::*;

/// A synced scene, its item, and a person who then empties the summary in Plex: only a forced look
/// finds that.
struct Case {
    plugin: Installed,
    scene: u64,
    item: u64,
}

impl Case {
    fn new() -> Self {
        let plugin = installed(1, PlexOptions::default(), json!({}));
        let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
        plugin.save(scene);
        worked_off(&plugin);
        Self {
            plugin,
            scene,
            item,
        }
    }

    fn person_empties(&self) {
        let plex = &self.plugin.world.plex;
        plex.change(self.item, |item| item.set_field("summary", ""));
    }

    fn is_repaired(&self) {
        worked_off(&self.plugin);
        let told = self.plugin.world.comparison();
        assert!(told.is_equal(), "{told}\n{}", self.plugin.worker_log());
        assert_eq!(dead(&self.plugin), []);
    }
}

/// The look waits for its time.
#[test]
fn a_save_keeps_the_force_of_a_waiting_job() {
    let case = Case::new();
    let mut queue = case.plugin.queue_as(Options::producer());
    let job = Job::Scene {
        id: case.scene,
        force: true,
    };
    let job = NewJob::new(job)
        .key(scene_key(case.scene))
        .due_in(Duration::from_secs(60));
    queue.enqueue(job).unwrap();
    drop(queue);
    case.person_empties();
    case.plugin.save(case.scene);
    case.is_repaired();
}

/// The look is the follow-up of a job under way.
#[test]
fn a_save_keeps_the_force_of_a_follow_up() {
    let case = Case::new();
    let (stash, plex) = (&case.plugin.world.stash, &case.plugin.world.plex);
    let slow = Rule::new(Fault::Slow(Duration::from_millis(1500)));
    plex.fail_when(slow.method("PUT").times(1));
    stash.edit(case.scene).title("Under way");
    case.plugin.save(case.scene);
    let sent = || {
        plex.requests()
            .iter()
            .any(|one| one.query.contains("Under%20way"))
    };
    case.plugin.until("sent", sent);
    case.plugin.task("all");
    let queued = || {
        lines(
            &case.plugin,
            "Sync All Scenes: read from Stash, 1 scene queued",
        )
        .len()
            == 1
    };
    case.plugin.until("queued", queued);
    case.plugin.save(case.scene);
    case.person_empties();
    assert_eq!(
        lines(&case.plugin, "wrote title to").len(),
        0,
        "still under way"
    );
    case.is_repaired();
    let wrote = lines(&case.plugin, &format!("scene {}: wrote ", case.scene));
    assert!(
        wrote[1].contains("wrote title to") && wrote[2].contains("wrote summary to"),
        "{wrote:?}"
    );
}

/// The look is under way and never ends: its worker is killed.
#[test]
fn a_save_keeps_the_force_of_a_job_that_is_cut_off() {
    let case = Case::new();
    let plex = &case.plugin.world.plex;
    case.person_empties();
    plex.take_requests();
    let details = format!("/library/metadata/{}", case.item);
    plex.fail_when(Rule::new(Fault::Hang).path(&details));
    case.plugin.task("all");
    let asked = || plex.requests().iter().any(|one| one.path == details);
    case.plugin.until("under way", asked);
    case.plugin.save(case.scene);
    case.plugin.kill_worker();
    case.plugin.until_no_worker();
    plex.clear_faults();
    case.plugin.save(case.scene);
    case.is_repaired();
}

/// A look that has been done is not done again for every save behind it.
#[test]
fn a_save_after_a_forced_job_is_not_forced() {
    let case = Case::new();
    work(&case.plugin, "all");
    case.plugin.world.plex.take_requests();
    case.plugin.save(case.scene);
    worked_off(&case.plugin);
    assert_eq!(asked(&case.plugin).len(), 0);
}
