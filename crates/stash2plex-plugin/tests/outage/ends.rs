//! What opens the circuit again, and what ends an outage.

use super::*;

/// The jobs that waited need nothing of Plex: the outage is over all the same.
#[test]
fn an_outage_ends_also_with_jobs_that_have_nothing_to_write() {
    let plugin = Installed::new(1);
    let scene = plugin.world.scenes[0];
    plugin.save_and_wait(scene);
    plugin.world.plex.down();
    plugin.save(scene);
    plugin.until("open", || state(&plugin) == Kind::Open);
    plugin.world.plex.up().unwrap();
    plugin.until("closed", || state(&plugin) == Kind::Closed);
    let outages = document(&plugin).unwrap().outages;
    assert!(
        outages.len() == 1 && outages[0].ended.is_some(),
        "{outages:?}"
    );
}

/// As many scenes as open the circuit fail alike: that is Plex's, however long it takes, and uses
/// up nobody's attempts.
#[test]
fn a_plex_that_fails_at_every_edit_for_long_fails_no_change() {
    let settings = json!({
        "idle_timeout": 60, "recovery_timeout": 1, "failure_threshold": 3, "retry_base": 0.1, "max_retries": 2,
    });
    let plugin = Installed::with(6, settings);
    let plex = &plugin.world.plex;
    plex.fail_when(Rule::new(Fault::Status(500)).method("PUT"));
    // All of them at once.
    let (id, ids) = (plugin.world.scenes[0], &*plugin.world.scenes);
    let fields = &["title"];
    plugin.hook(&Trigger::ScenesUpdate { id, ids, fields });
    // More trials than there are scenes.
    let edits = || {
        plex.requests()
            .iter()
            .filter(|one| one.method == "PUT")
            .count()
    };
    plugin.until("tried again and again", || edits() > 16);
    let log = plugin.worker_log();
    assert!(!log.contains("sending goes on"), "{log}");
    let told = plugin.task("health_check").log_text();
    let words = "Plex passes this check: sending goes on by itself once one change has been sent. The last one failed (Plex is overloaded";
    assert!(told.contains(words), "{told}");
    assert_eq!(document(&plugin).unwrap().outages.len(), 1);
    plex.clear_faults();
    plugin.until_equal();
    assert_eq!(
        plugin.queue().counts().unwrap().dead,
        0,
        "{}",
        plugin.worker_log()
    );
}

/// A proxy that is set up wrongly answers 400 to everything, which is no scene's fault.
#[test]
fn a_400_to_every_request_fails_no_change() {
    fails_no_change(Rule::new(Fault::Status(400)));
}

/// Nor is a 400 to whatever item is asked for, though Plex passes its probe.
#[test]
fn a_400_to_every_item_fails_no_change() {
    let rule = Rule::new(Fault::Status(400)).method("GET");
    fails_no_change(rule.path("/library/metadata/"));
}

fn fails_no_change(rule: Rule) {
    let settings =
        json!({"idle_timeout": 60, "recovery_timeout": 1, "failure_threshold": 2, "probe_cap": 1});
    let plugin = Installed::with(4, settings);
    let scenes = plugin.world.scenes.clone();
    plugin.save(scenes[0]);
    plugin.until("synced", || plugin.world.comparison().equal() == 1);
    plugin.world.plex.fail_when(rule);
    for scene in &scenes[1..] {
        plugin.save(*scene);
    }
    plugin.until("open", || state(&plugin) == Kind::Open);
    assert_eq!(plugin.queue().counts().unwrap().dead, 0);
    plugin.world.plex.clear_faults();
    plugin.until_equal();
    let log = plugin.worker_log();
    assert_eq!(plugin.queue().counts().unwrap().dead, 0, "{log}");
}

/// Those that fail while another one is written are to blame themselves: the circuit opens over
/// them once, and they use up their attempts.
#[test]
fn changes_that_fail_beside_one_that_is_written_hold_up_nobody_for_long() {
    let settings = json!({
        "idle_timeout": 60, "recovery_timeout": 1, "failure_threshold": 3, "retry_base": 0.1, "max_retries": 2,
    });
    let plugin = Installed::with(7, settings);
    let (bad, good) = plugin.world.scenes.split_at(6);
    for item in &plugin.world.items[..6] {
        let rule = Rule::new(Fault::Status(500)).method("PUT");
        plugin
            .world
            .plex
            .fail_when(rule.query(&format!("id={item}&")));
    }
    let fields = &["title"];
    plugin.hook(&Trigger::ScenesUpdate {
        id: bad[0],
        ids: bad,
        fields,
    });
    plugin.until("open", || state(&plugin) == Kind::Open);
    plugin.save(good[0]);
    plugin.until("each has its end", || {
        let counts = plugin.queue().counts().unwrap();
        counts.live() == 0 && counts.dead == 6
    });
    assert_eq!(plugin.world.comparison().equal(), 1);
    let outages = document(&plugin).unwrap().outages.len();
    assert_eq!(outages, 1, "{}", plugin.worker_log());
}

/// The probe says that the outage is over, not the change: it is told so.
#[test]
fn a_change_that_fails_by_itself_keeps_no_outage_open() {
    let settings = json!({"idle_timeout": 60, "recovery_timeout": 1, "failure_threshold": 2, "retry_base": 0.2});
    let plugin = Installed::with(1, settings);
    plugin.world.plex.down();
    plugin.save(plugin.world.scenes[0]);
    plugin.until("open", || state(&plugin) == Kind::Open);
    plugin
        .world
        .plex
        .fail_when(Rule::new(Fault::Status(500)).method("PUT"));
    plugin.world.plex.up().unwrap();
    let words =
        "Plex passes its probe, and this change fails for reasons of its own: sending goes on";
    plugin.until("told", || plugin.worker_log().contains(words));
    assert_eq!(state(&plugin), Kind::Closed);
    let log = plugin.worker_log();
    assert!(!log.contains("Plex is back"), "{log}");
}
