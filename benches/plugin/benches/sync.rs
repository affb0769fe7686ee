//! A thousand scenes through the plugin, first time and unchanged: requests, speed, memory.
//! `cargo bench -p bench-plugin --bench sync`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulators::{PlexOptions, StashOptions, World, build_program};

const SCENES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    println!(
        "{SCENES} scenes; latency of each answer of Plex, images or not, jobs/s, requests to Plex a scene, peak memory"
    );
    for (latency, images) in [(0, false), (0, true), (20, false), (20, true)] {
        let config = tempfile::tempdir()?;
        let stash = StashOptions {
            config_dir: config.path().to_owned(),
            ..StashOptions::default()
        };
        let world = World::with(SCENES, 1, stash, PlexOptions::default())?;
        world
            .stash
            .set_plugin_settings("Stash2Plex", settings(&world, images));
        world.plex.set_latency(Duration::from_millis(latency));
        for what in ["first", "unchanged", "forced"] {
            let mode = if what == "unchanged" {
                Value::Null
            } else {
                json!("all")
            };
            world.plex.take_requests();
            let (took, memory) = drain(&plugin, &world, &mode, config.path())?;
            let requests = world.plex.take_requests().len() as f64 / SCENES as f64;
            println!(
                "{latency:3} ms  {}  {what:9} {:8.1} jobs/s  {requests:5.2} requests  {:5.1} MB",
                if images { "images   " } else { "no images" },
                SCENES as f64 / took.as_secs_f64(),
                memory / 1024.0,
            );
        }
        println!(
            "        {}",
            world
                .comparison()
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
        );
    }
    Ok(())
}

fn settings(world: &World, images: bool) -> Value {
    json!({
        "plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": "/data=>/media/scenes",
        "sync_poster": images, "sync_background": images, "recovery_ramp": false,
    })
}

/// Queues every scene (by the task, or by a hook for each when no mode is given) and works them off in the foreground.
fn drain(
    plugin: &Path,
    world: &World,
    mode: &Value,
    config: &Path,
) -> Result<(Duration, f64), Box<dyn Error>> {
    // Held while queueing, so that no worker starts before the clock does.
    fs::create_dir_all(config.join("stash2plex"))?;
    let lock = fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(config.join("stash2plex/worker.lock"))?;
    lock.lock()?;
    if mode.is_null() {
        let path = config.join("stash2plex/stash2plex.db");
        let mut queue = queue::Queue::<Value>::open(path, queue::Options::producer())?;
        let jobs = world.scenes.iter().map(|id| {
            queue::NewJob::new(json!({ "do": "scene", "id": id })).key(format!("scene:{id}"))
        });
        queue.enqueue_all(jobs)?;
    } else {
        simulators::run_plugin(plugin, &world.stash.task_stdin(json!({ "mode": mode })))?;
    }
    drop(lock);
    let started = Instant::now();
    let mut child = Command::new(plugin)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    if let Some(mut stdin) = child.stdin.take() {
        let task = world.stash.task_stdin(json!({ "mode": "process_queue" }));
        std::io::Write::write_all(&mut stdin, task.as_bytes())?;
    }
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        peak = peak.max(high_water(&status));
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok((started.elapsed(), peak))
}

/// Peak resident memory in KiB, where the system tells.
fn high_water(status: &str) -> f64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0)
}
