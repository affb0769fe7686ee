//! A bulk edit of ten thousand scenes, a hook process for each, one after another as Stash runs
//! them, beside a worker that is already at it: `cargo bench -p bench-plugin --bench storm`. Fewer
//! with `STORM_HOOKS=1000`; with `STORM_SCAN=1` the hooks of a scan that finds as many new files,
//! of which Plex scans the folders.

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use bench_plugin::{ms, quantile, settings};
use serde_json::json;
use simulators::{PlexOptions, StashOptions, Trigger, World, build_program, run_plugin};

fn main() -> Result<(), Box<dyn Error>> {
    let hooks = std::env::var("STORM_HOOKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(hooks, 1, stash, PlexOptions::default())?;
    let scan = std::env::var_os("STORM_SCAN").is_some();
    let more = json!({ "idle_timeout": 1, "trigger_plex_scan": scan });
    let settings = settings(&world, &more);
    world.stash.set_plugin_settings("Stash2Plex", settings);

    let started = Instant::now();
    let mut took = Vec::with_capacity(hooks);
    for id in world.scenes.iter().copied() {
        let trigger = match scan {
            true => Trigger::SceneCreate(id),
            false => Trigger::SceneBulk {
                id,
                ids: &world.scenes,
                set: json!({ "rating100": 80 }),
            },
        };
        let run = run_plugin(&plugin, &world.stash.hook_stdin(&trigger))?;
        if let Some(error) = run.error() {
            return Err(error.to_owned().into());
        }
        took.push(run.took);
    }
    let stormed = started.elapsed();
    while !world.comparison().is_equal() {
        if started.elapsed() > Duration::from_secs(3600) {
            return Err(world.comparison().to_string().into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "{hooks} hooks in {:.1} s, all scenes equal after {:.1} s",
        stormed.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    let requests = world.plex.requests();
    let scans: Vec<_> = requests
        .iter()
        .filter(|one| one.path.ends_with("/refresh"))
        .collect();
    let folders: HashSet<_> = scans.iter().map(|one| &one.query).collect();
    println!(
        "{} scans of {} folders asked of Plex, {} questions to Stash",
        scans.len(),
        folders.len(),
        world.stash.request_count()
    );
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        println!("{name:8} {:6.2} ms", ms(quantile(&mut took, share)));
    }
    Ok(())
}
