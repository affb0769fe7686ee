//! What a look at the changes in Stash costs a worker that starts, in libraries of growing size of
//! which nothing has changed: requests, and CPU time with all else that a start needs. `cargo bench
//! -p bench-plugin --bench looks` (Linux).

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bench_plugin::{cpu_time, ms, quantile, settings, worker};
use serde_json::json;
use simulators::{PlexOptions, Recorded, StashOptions, World, build_program, run_plugin};

/// Long ago: what is read of such a scene is certain.
const LONG_AGO: i64 = 1_700_000_000;
const LOOKS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    for scenes in [10, 10_000, 50_000] {
        measure(&plugin, scenes)?;
    }
    Ok(())
}

fn measure(plugin: &Path, scenes: usize) -> Result<(), Box<dyn Error>> {
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        now: Some(LONG_AGO),
        ..StashOptions::default()
    };
    let world = World::with(scenes, 1, stash, PlexOptions::default())?;
    // Nothing is written: what is compared is Stash with what was read of it.
    let more = json!({ "idle_timeout": 1, "sync_master": false });
    world
        .stash
        .set_plugin_settings("Stash2Plex", settings(&world, &more));
    let task = |mode: &str| run_plugin(plugin, &world.stash.task_stdin(json!({ "mode": mode })));
    task("all")?;
    let path = config.path().join("stash2plex/stash2plex.db");
    let queue = queue::Queue::<serde_json::Value>::open(path, queue::Options::inspector())?;
    until(|| Ok(queue.counts()?.done > 0 && queue.counts()?.live() == 0))?;
    let no_worker = || until(|| Ok(worker(config.path()).is_none()));
    no_worker()?;
    // What was read within seconds of its making is read again, once.
    task("process_queue")?;
    no_worker()?;
    let first = looks(&world).len();
    let (mut cpu, mut took) = (Vec::new(), Vec::new());
    for _ in 0..LOOKS {
        let known = looks(&world).len();
        task("process_queue")?;
        until(|| Ok(looks(&world).len() > known))?;
        thread::sleep(Duration::from_millis(300));
        let process = worker(config.path()).ok_or("no worker runs, or this is not Linux")?;
        cpu.push(Duration::from_nanos(cpu_time(process)?));
        let last = looks(&world).pop();
        took.extend(last.and_then(|look| Some(look.ended? - look.at)));
        no_worker()?;
    }
    println!(
        "{scenes:6} scenes  {:4.1} requests a look  {:5.1} ms CPU of the worker  {:5.1} ms in Stash",
        (looks(&world).len() - first) as f64 / LOOKS as f64,
        ms(quantile(&mut cpu, 0.5)),
        ms(quantile(&mut took, 0.5)),
    );
    Ok(())
}

fn looks(world: &World) -> Vec<Recorded> {
    let mut requests = world.stash.requests();
    requests.retain(|request| request.contains("query Changes"));
    requests
}

fn until(
    mut condition: impl FnMut() -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let give_up = Instant::now() + Duration::from_secs(600);
    while !condition()? {
        if Instant::now() > give_up {
            return Err("it takes too long".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
