//! What a scene that Plex does not have costs, in libraries of growing size, with the file filter
//! of Plex and without: `cargo bench -p bench-plugin --bench library`.

use std::error::Error;
use std::path::Path;

use bench_plugin::{drain, no_worker, record, settings};
use serde_json::json;
use simulators::{FileFilter, PlexOptions, StashOptions, World, build_program};

/// Scenes that Plex has, so that there is something to find too, and as many that it has not.
const SCENES: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    println!(
        "{SCENES} scenes in Plex and {SCENES} not; file filter, items in the library, time, requests, pages of listings among them, peak memory"
    );
    for filter in [FileFilter::Substring, FileFilter::Ignored] {
        for items in [1_000, 10_000, 50_000] {
            measure(&plugin, filter, items)?;
        }
    }
    Ok(())
}

fn measure(plugin: &Path, filter: FileFilter, items: usize) -> Result<(), Box<dyn Error>> {
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let plex = PlexOptions {
        file_filter: filter,
        ..PlexOptions::default()
    };
    let mut world = World::with(SCENES, 1, stash, plex)?;
    world.fill_plex(items);
    for number in 0..SCENES {
        let scene = world
            .stash
            .add_scene(&format!("/data/new/not yet {number}.mp4"));
        world.stash.edit(scene).title("Not in Plex");
        world.scenes.push(scene);
    }
    world.stash.set_plugin_settings(
        "Stash2Plex",
        settings(&world, &json!({ "skip_not_found": true })),
    );
    let lock = no_worker(config.path())?;
    record(config.path(), &world.scenes)?;
    drop(lock);
    world.plex.take_requests();
    let drained = drain(plugin, config.path(), &world)?;
    let requests = world.plex.take_requests();
    let listings = requests
        .iter()
        .filter(|request| {
            request.query.contains("X-Plex-Container-Start") && !request.query.contains("file=")
        })
        .count();
    println!(
        "{filter:9?}  {items:6} items  {:7.2} s  {:5} requests  {listings:4} pages  {:5.1} MB",
        drained.took.as_secs_f64(),
        requests.len(),
        drained.peak,
    );
    Ok(())
}
