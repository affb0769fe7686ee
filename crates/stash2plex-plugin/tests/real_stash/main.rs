//! What a real Stash does to the plugin: its hooks, settings, tasks, logins and restarts, against a
//! simulated Plex.
//!
//! Needs a Stash's program, which is no part of this project: `STASH_BIN=/path/to/stash cargo test
//! -p stash2plex-plugin --test real_stash -- --nocapture`, and `ffmpeg`. Without it the suite says
//! so and passes. One Stash is started; the stories follow one another in it, and each has to leave
//! no warning or error in Stash's log but those that it expects.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod changes;
mod edits;
mod pages;
mod server;
mod tasks;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use server::Real;

/// A story, and what its complaints in Stash's log contain, one after the other.
type Story = (fn(&mut Real), &'static [&'static str]);

const STORIES: [(&str, Story); 20] = [
    (
        "a first save without settings",
        (access::first_save, &["Nothing is sent to Plex"]),
    ),
    (
        "settings set and checked",
        (
            access::settings_are_set,
            &["Worker: not running though changes wait"],
        ),
    ),
    ("Sync All shows what comes of it", (tasks::sync_all, &[])),
    ("each field", (edits::each_field, &[])),
    ("what is taken away", (edits::taken_away, &[])),
    ("several inputs at once", (edits::several_inputs, &[])),
    ("bulk edit", (edits::bulk, &[])),
    (
        "bulk edit whose client goes away",
        (edits::bulk_left, edits::LEFT),
    ),
    ("names change", (changes::names, &[])),
    ("scenes merge", (changes::merge, &[])),
    ("changes without a hook", (changes::silent, &[])),
    ("a file moves", (changes::moved, &[])),
    ("a new file", (changes::new_file, &[])),
    ("deleted while it waits", (changes::deleted, &[])),
    ("a page asks", (tasks::page, &[])),
    (
        "a stopped task stops no work",
        (tasks::stopped, tasks::STOPPED),
    ),
    ("Plex refuses the token", (access::token, access::TOKEN)),
    ("restart on another port", (access::other_port, &[])),
    ("a login that ends", (access::login, access::LOGIN)),
    (
        "settings renamed, over https",
        (access::renamed_over_https, &[]),
    ),
];

#[test]
fn a_real_stash() {
    let Ok(program) = std::env::var("STASH_BIN") else {
        println!("not run: STASH_BIN names no Stash");
        return;
    };
    let mut real = Real::new(&program);
    let version = real.ask("{ version { version } }", serde_json::json!({}));
    println!("Stash {}", version["version"]["version"]);
    let mut failed = Vec::new();
    for (name, (story, expected)) in STORIES {
        let began = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| story(&mut real)));
        let complaints = real.complaints();
        let is_expected = |line: &&String| expected.iter().any(|words| line.contains(words));
        let unexpected: Vec<_> = complaints
            .iter()
            .filter(|line| !is_expected(line))
            .collect();
        let missing = expected
            .iter()
            .filter(|words| !complaints.iter().any(|line| line.contains(**words)));
        let missing: Vec<_> = missing.collect();
        let took = began.elapsed().as_secs_f64();
        if ended.is_ok() && unexpected.is_empty() && missing.is_empty() {
            println!("{took:6.1} s  {name}");
        } else {
            println!("{took:6.1} s  {name}: FAILED");
            println!("          in Stash's log: {unexpected:#?}, missing: {missing:?}");
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
