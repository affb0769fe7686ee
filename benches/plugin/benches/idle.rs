//! What a worker costs while it has nothing to do, and while Plex is away: CPU seconds an hour, as
//! the system counts them for its process. `cargo bench -p bench-plugin --bench idle` (Linux; takes
//! two minutes).

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bench_plugin::{cpu_time, settings, worker};
use serde_json::json;
use simulators::{PlexOptions, StashOptions, Trigger, World, build_program, run_plugin};

const WATCHED: Duration = Duration::from_secs(60);
const JOBS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(JOBS, 1, stash, PlexOptions::default())?;
    let more = json!({ "idle_timeout": 600 });
    world
        .stash
        .set_plugin_settings("Stash2Plex", settings(&world, &more));
    let save =
        |scene: u64| run_plugin(&plugin, &world.stash.hook_stdin(&Trigger::SceneForm(scene)));

    let mut scenes = world.scenes.iter();
    if let Some(first) = scenes.next() {
        save(*first)?;
    }
    // It looks less often the longer nothing happens.
    thread::sleep(Duration::from_secs(25));
    report("idle", config.path())?;
    world.plex.down();
    for scene in scenes {
        save(*scene)?;
    }
    thread::sleep(Duration::from_secs(5));
    let before = world.plex.request_count();
    report("outage", config.path())?;
    assert_eq!(world.plex.request_count(), before, "Plex is down");
    Ok(())
}

fn report(what: &str, config: &Path) -> Result<(), Box<dyn Error>> {
    let worker = worker(config).ok_or("no worker runs, or this is not Linux")?;
    let (before, started) = (cpu_time(worker)?, Instant::now());
    thread::sleep(WATCHED);
    let used = cpu_time(worker)? - before;
    let share = used as f64 / 1e9 / started.elapsed().as_secs_f64();
    println!("{what:8} {:6.2} CPU seconds an hour", share * 3600.0);
    Ok(())
}
