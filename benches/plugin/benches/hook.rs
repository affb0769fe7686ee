//! A hook process with its durable insert, against the same binary doing nothing (`--version`): `cargo bench -p bench-plugin --bench hook`.

use std::error::Error;
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
    for _ in 0..RUNS {
        nothing.push(version(&plugin)?);
        let run = run_plugin(&plugin, &stdin)?;
        if let Some(error) = run.error() {
            return Err(error.to_owned().into());
        }
        hook.push(run.took);
    }
    let (nothing, hook) = (quantile(&mut nothing, 0.5), quantile(&mut hook, 0.5));
    println!("stash2plex --version   {:6.2} ms", ms(nothing));
    println!(
        "hook, durable insert   {:6.2} ms   (median of {RUNS})",
        ms(hook)
    );
    println!("ratio                  {:6.2}", ms(hook) / ms(nothing));
    Ok(())
}

/// Started and awaited as a hook is, pipes included.
fn version(plugin: &Path) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let child = Command::new(plugin)
        .arg("--version")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.wait_with_output()?;
    Ok(started.elapsed())
}
