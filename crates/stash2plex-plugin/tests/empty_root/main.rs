//! The program alone in an empty root: no C library, no certificates, nothing but what a test puts
//! there.
//!
//! `.ci/run` gives the one that is shipped.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod https;
mod root;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use common::Installed;
use root::Root;
use serde_json::json;
use simulators::dns::{self, Answer};
use simulators::{PlexOptions, Run, StashOptions, Trigger, World, run_command};

/// The plugin in such a root, between servers on this machine's own address.
struct Alone {
    root: Root,
    plugin: Installed,
}

impl Alone {
    fn new(root: Root) -> Self {
        let config = root.folder();
        let options = StashOptions {
            config_dir: config.path().to_owned(),
            ..StashOptions::default()
        };
        let world = World::with(3, 7, options, PlexOptions::default()).unwrap();
        let plugin = Installed { world, config };
        plugin.set(json!({}));
        plugin.untouched_for_a_week();
        Self { root, plugin }
    }

    /// `http` or `https`, and the host that Plex is called by.
    fn plex_at(&self, address: &str) {
        self.plugin.set(json!({ "plex_url": address }));
    }

    fn port(&self) -> u16 {
        self.plugin.world.plex.port()
    }

    fn run(&self, stdin: &str) -> Run {
        run_command(&mut self.root.program(), stdin).unwrap()
    }

    fn health(&self) -> String {
        let args = json!({"mode": "health_check"});
        let run = self.run(&self.plugin.world.stash.task_stdin(args));
        assert!(run.output().is_some(), "{run:?}");
        run.log_text()
    }

    /// A changed title arrives: hook, worker, and both servers.
    fn syncs(&self, title: &str) {
        for scene in &self.plugin.world.scenes {
            self.plugin.world.stash.edit(*scene).title(title);
            let stdin = self
                .plugin
                .world
                .stash
                .hook_stdin(&Trigger::SceneForm(*scene));
            let run = self.run(&stdin);
            assert_eq!(run.error(), None);
        }
        self.plugin.until_equal();
        self.plugin.until_no_worker();
    }
}

fn says(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
}

/// Loopback for `plex.test`, and all other kinds of answers.
fn house(name: &str, v6: bool) -> Answer {
    match name {
        "plex.test" | "my_plex" if !v6 => Answer::Is(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        "plex.test" | "my_plex" => Answer::None,
        "silent.test" => Answer::Silence,
        _ => Answer::Unknown,
    }
}

const UNKNOWN: &str = "unreachable: the host name does not resolve";

#[test]
fn nothing_is_needed_but_the_program() {
    let Some(root) = root::entered("nothing_is_needed_but_the_program") else {
        return;
    };
    root.tell_size_and_start();
    let alone = Alone::new(root);
    alone.syncs("By its address");
    says(&alone.health(), "Plex: healthy");
    alone.plex_at(&format!("http://localhost:{}", alone.port()));
    alone.syncs("By the name that every machine has");
    alone.plex_at(&format!("http://plex.test:{}", alone.port()));
    says(&alone.health(), UNKNOWN);
}

#[test]
fn names_come_from_dns_and_trust_from_a_bundle() {
    let Some(root) = root::entered("names_come_from_dns_and_trust_from_a_bundle") else {
        return;
    };
    root.put("etc/resolv.conf", "nameserver 127.0.0.1\nsearch lan\n");
    dns::serve(([127, 0, 0, 1], 53), house).unwrap();
    let alone = Alone::new(root);
    for name in ["plex.test", "my_plex"] {
        alone.plex_at(&format!("http://{name}:{}", alone.port()));
        says(&alone.health(), "Plex: healthy");
        alone.syncs(name);
    }
    for name in ["silent.test", "plex.unknown"] {
        alone.plex_at(&format!("http://{name}:{}", alone.port()));
        let began = Instant::now();
        says(&alone.health(), UNKNOWN);
        assert!(began.elapsed() < Duration::from_secs(6), "{name}");
    }
    let server = https::before(alone.port(), "plex.test");
    alone.plex_at(&format!("https://plex.test:{}", server.port));
    says(&alone.health(), "its certificate is not trusted");
    alone
        .root
        .put("etc/ssl/certs/ca-certificates.crt", &server.authority);
    says(&alone.health(), "Plex: healthy");
    alone.syncs("By a private authority");
}

#[test]
fn no_module_of_the_machine_is_loaded_for_names() {
    let Some(root) = root::entered("no_module_of_the_machine_is_loaded_for_names") else {
        return;
    };
    if !root.plant_killer() {
        return;
    }
    root.put("etc/resolv.conf", "nameserver 127.0.0.1\n");
    dns::serve(([127, 0, 0, 1], 53), house).unwrap();
    let alone = Alone::new(root);
    alone.plex_at(&format!("http://plex.test:{}", alone.port()));
    says(&alone.health(), "Plex: healthy");
    alone.syncs("Without a module");
}
