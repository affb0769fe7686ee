//! A thousand scenes through the plugin, first time, unchanged and forced: requests, speed, memory.
//! `cargo bench -p bench-plugin --bench sync`.

use std::error::Error;
use std::time::Duration;

use bench_plugin::{drain, no_worker, record, settings};
use serde_json::{Value, json};
use simulators::{PlexOptions, StashOptions, World, build_program, run_plugin};

const SCENES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    println!(
        "{SCENES} scenes; latency of each answer of Plex, what is written, jobs/s, requests to Plex a scene, peak memory"
    );
    let fields = ("fields", json!({}));
    let rating = ("and rating", json!({ "sync_rating": true }));
    let images = (
        "and images",
        json!({ "sync_poster": true, "sync_background": true }),
    );
    for latency in [0, 20] {
        for (what, more) in [&fields, &rating, &images] {
            measure(&plugin, latency, what, more)?;
        }
    }
    Ok(())
}

fn measure(
    plugin: &std::path::Path,
    latency: u64,
    what: &str,
    more: &Value,
) -> Result<(), Box<dyn Error>> {
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(SCENES, 1, stash, PlexOptions::default())?;
    world
        .stash
        .set_plugin_settings("Stash2Plex", settings(&world, more));
    world.plex.set_latency(Duration::from_millis(latency));
    for run in ["first", "unchanged", "forced"] {
        let lock = no_worker(config.path())?;
        if run == "forced" {
            run_plugin(plugin, &world.stash.task_stdin(json!({ "mode": "all" })))?;
        } else {
            record(config.path(), &world.scenes)?;
        }
        drop(lock);
        world.plex.take_requests();
        let drained = drain(plugin, config.path(), &world)?;
        let requests = world.plex.take_requests().len() as f64 / SCENES as f64;
        println!(
            "{latency:3} ms  {what:10}  {run:9} {:8.1} jobs/s  {requests:5.2} requests  {:5.1} MB",
            SCENES as f64 / drained.took.as_secs_f64(),
            drained.peak,
        );
    }
    let database = config.path().join("stash2plex/stash2plex.db");
    let size = std::fs::metadata(database)?.len() as f64 / SCENES as f64 / 100.0;
    println!(
        "        database {size:.1} MB for 10,000 scenes; {}",
        world
            .comparison()
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
    );
    Ok(())
}
