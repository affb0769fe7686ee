//! A hook process with its durable insert, against the same binary doing nothing (`--version`), and
//! against what no durable hook can beat: that, and one bare synced write.
//! `cargo bench -p bench-plugin --bench hook`.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench_plugin::{ms, no_worker, quantile};
use serde_json::json;
use simulators::{StashOptions, StashServer, Trigger, build_program, run_plugin};

const RUNS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    let config = tempfile::tempdir()?;
    let options = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let stash = StashServer::start_with(options)?;
    // Disabled: a worker that the hooks start ends at once and leaves the queue alone.
    stash.set_plugin_settings("Stash2Plex", json!({ "enabled": false }));
    let scene = stash.add_scene("/data/one.mp4");
    let stdin = stash.hook_stdin(&Trigger::SceneForm(scene));
    run_plugin(&plugin, &stdin)?; // makes the database

    // Only the hook is measured.
    let _lock = no_worker(config.path())?;
    let mut nothing = Vec::new();
    let mut hook = Vec::new();
    let mut again = Vec::new();
    let mut synced = Vec::new();
    let mut log = File::create(config.path().join("bare.log"))?;
    for n in 0..RUNS {
        // Another scene each time: where its job stands already, nothing is written.
        let scene = stash.add_scene(&format!("/data/{n}.mp4"));
        let stdin = stash.hook_stdin(&Trigger::SceneForm(scene));
        nothing.push(time(&plugin, &["--version"], "", "stash2plex")?);
        synced.push(write(&mut log)?);
        hook.push(time(&plugin, &[], &stdin, "recorded scene:")?);
        again.push(time(&plugin, &[], &stdin, "recorded scene:")?);
    }
    let [nothing, synced, hook, again] =
        [&mut nothing, &mut synced, &mut hook, &mut again].map(|times| quantile(times, 0.5));
    let floor = nothing + synced;
    println!("stash2plex --version   {:6.2} ms", ms(nothing));
    println!("and a bare fdatasync   {:6.2} ms", ms(floor));
    println!(
        "hook, durable insert   {:6.2} ms   (median of {RUNS})",
        ms(hook)
    );
    println!("the same scene again   {:6.2} ms", ms(again));
    println!("ratio to --version     {:6.2}", ms(hook) / ms(nothing));
    println!("ratio of the bare one  {:6.2}", ms(floor) / ms(nothing));
    Ok(())
}

/// How long a write of a page takes that is on disk at its end.
fn write(log: &mut File) -> io::Result<Duration> {
    let started = Instant::now();
    log.write_all(&[7; 4096])?;
    log.sync_data()?;
    Ok(started.elapsed())
}

/// How long a process takes that is started, fed and awaited as Stash does; both in the same way.
fn time(
    plugin: &Path,
    arguments: &[&str],
    stdin: &str,
    says: &str,
) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let mut child = Command::new(plugin)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin.as_bytes())?;
    }
    let ended = child.wait_with_output()?;
    let took = started.elapsed();
    let said = String::from_utf8_lossy(&ended.stdout);
    match said.contains(says) {
        true => Ok(took),
        false => Err(said.into()),
    }
}
