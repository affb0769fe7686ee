//! Which Plex, and where Stash is.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;

use simulators::{TagKind, Trigger};

use super::told::other_plex;
use super::*;

/// By mistake the address is another server's: the worker says so before it writes, and nothing is
/// lost when it is corrected.
#[test]
fn a_wrong_server_is_told_before_the_first_write_and_costs_nothing() {
    let plugin = installed(2, json!({}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    stash.edit(scene).tags(&["Stays", "Goes"]);
    save_all(&plugin);
    worked_off(&plugin);
    let other = other_plex(&plugin, "b");
    let warned = "leads to another Plex server";
    other.before(simulators::Requests::all().method("PUT").times(1), {
        let log = plugin.data().join("worker.log");
        // What the server sees is not there before the line.
        move |_| assert!(std::fs::read_to_string(&log).unwrap().contains(warned))
    });
    set(&plugin, json!({"plex_url": other.url()}));
    stash.edit(scene).tags(&["Stays"]);
    plugin.save(scene);
    worked_off(&plugin);
    let log = plugin.worker_log();
    let (before, after) = log.split_once(warned).unwrap();
    assert_eq!(before.matches(": wrote ").count(), 2);
    says(after, ": wrote ");
    says(&log, "WARN  ");
    says(after, "If this is a mistake, correct");

    // Corrected: what was removed in Stash meanwhile goes, since it is known who wrote it.
    set(&plugin, json!({}));
    work(&plugin, "reconcile_all");
    let tags = plex.item(item).unwrap();
    assert_eq!(tags.tag_names(TagKind::Genre), ["Stays"]);
    assert!(plugin.world.comparison().is_equal());
}

/// Passes connections on to the simulated Stash.
fn another_port(plugin: &Installed) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (
        listener.local_addr().unwrap().port(),
        plugin.world.stash.port(),
    );
    thread::spawn(move || {
        for from in listener.incoming().flatten() {
            let Ok(to) = TcpStream::connect(("127.0.0.1", to)) else {
                continue;
            };
            let ends = [(&from, &to), (&to, &from)];
            for (from, to) in ends.map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap())) {
                thread::spawn(move || {
                    let (mut from, mut to) = (from, to);
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    port
}

fn at_port(stdin: &str, port: u16) -> String {
    let mut stdin: Value = serde_json::from_str(stdin).unwrap();
    stdin["server_connection"]["Port"] = port.into();
    stdin.to_string()
}

/// Stash gives the addresses of its covers with the port it was asked at; it is the same picture.
#[test]
fn stash_at_another_port_is_no_change() {
    let settings =
        json!({"sync_poster": true, "sync_background": true, "reconcile_missing": false});
    let plugin = installed(20, settings);
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    for scene in plugin.world.scenes.clone() {
        // Some time ago: in the second of a save the cover may change again, so it is asked for
        // once more.
        stash.change_silently(scene, |scene| scene.updated -= 60);
    }
    save_all(&plugin);
    worked_off(&plugin);
    assert!(plugin.world.comparison().is_equal());
    stash.take_requests();
    let port = another_port(&plugin);
    plex.take_requests();

    let covers = || {
        let requests = stash.take_requests().into_iter();
        let covers = requests.filter(|one| one.path.contains("/screenshot"));
        covers.map(|one| one.status).collect::<Vec<_>>()
    };
    let asked_of_plex = || {
        let requests = plex.take_requests().into_iter();
        let paths = requests.map(|one| one.path);
        // Who it is, and which libraries it has.
        let own = ["/identity", "/library/sections"];
        paths
            .filter(|path| !own.contains(&path.as_str()))
            .collect::<Vec<_>>()
    };
    for scene in plugin.world.scenes.clone() {
        let stdin = stash.hook_stdin(&Trigger::SceneForm(scene));
        assert_eq!(plugin.run(&at_port(&stdin, port)).error(), None);
    }
    worked_off(&plugin);
    let stdin = stash.task_stdin(json!({"mode": "reconcile_all"}));
    assert_eq!(plugin.run(&at_port(&stdin, port)).error(), None);
    worked_off(&plugin);
    assert_eq!(asked_of_plex(), [""; 0]);
    assert_eq!(covers(), [None; 0]);
    let (_, output) = told(&plugin, "queue_status");
    assert_eq!(output["last_reconciliation"]["queued"], 0);

    // A save moves the address of the cover: Stash is asked whether it is another picture, and Plex
    // nothing.
    let scene = plugin.world.scenes[0];
    stash.edit(scene).organized(true);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(covers(), [Some(304)]);
    assert_eq!(asked_of_plex(), [""; 0]);
}

/// The address of a cover tells the second of the last change, in which another one may come.
#[test]
fn a_cover_that_changes_twice_in_a_second_arrives() {
    let plugin = installed(1, json!({"sync_poster": true}));
    let (stash, scene) = (&plugin.world.stash, plugin.world.scenes[0]);
    let shown = || plugin.world.comparison();
    let second = std::time::SystemTime::now();
    let second = second.duration_since(std::time::UNIX_EPOCH).unwrap();
    let second = second.as_secs().cast_signed();
    for version in 1..=3 {
        stash.edit(scene).cover(version);
        stash.change_silently(scene, |scene| scene.updated = second);
        plugin.save(scene);
        plugin.until_equal();
    }
    worked_off(&plugin);
    assert!(shown().is_equal());
    // Known for certain later, a reconciliation stops asking.
    stash.change_silently(scene, |scene| scene.updated = second - 60);
    let asked = || {
        work(&plugin, "reconcile_all");
        let requests = stash.take_requests().into_iter();
        let covers = requests.filter(|one| one.path.contains("/screenshot"));
        covers.map(|one| one.status).collect::<Vec<_>>()
    };
    stash.take_requests();
    assert_eq!(asked(), [Some(304)]);
    assert_eq!(asked(), [None; 0]);
}
