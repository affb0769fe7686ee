//! A thousand scenes through the plugin, first time, unchanged and forced: requests, speed, memory.
//! `cargo bench -p bench-plugin --bench sync`.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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
        println!(
            "{latency:3} ms  bare writes, one after the other {:8.1} a second",
            bare_writes(latency)?
        );
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

/// What nobody can be faster than: Plex is written to by one request at a time.
fn bare_writes(latency: u64) -> Result<f64, Box<dyn Error>> {
    const WRITES: u32 = 200;
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(1, 1, stash, PlexOptions::default())?;
    world.plex.set_latency(Duration::from_millis(latency));
    let item = world.plex.items().first().map_or(0, |item| item.key);
    let host = world.plex.url().replace("http://", "");
    let mut connection = TcpStream::connect(&host)?;
    connection.set_nodelay(true)?;
    let mut answers = BufReader::new(connection.try_clone()?);
    let (section, token) = (world.section, world.plex.token());
    let began = Instant::now();
    for n in 0..WRITES {
        let request = format!(
            "PUT /library/sections/{section}/all?type=1&id={item}&title.value=Title%20{n}&title.locked=1 HTTP/1.1\r\n\
             Host: {host}\r\nX-Plex-Token: {token}\r\nContent-Length: 0\r\n\r\n"
        );
        connection.write_all(request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        answers.read_line(&mut line)?;
        if !line.contains(" 200 ") {
            return Err(format!("Plex answered {line}").into());
        }
        while line.trim() != "" {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            line.clear();
            answers.read_line(&mut line)?;
        }
        answers.by_ref().take(length).read_to_end(&mut Vec::new())?;
    }
    Ok(f64::from(WRITES) / began.elapsed().as_secs_f64())
}
