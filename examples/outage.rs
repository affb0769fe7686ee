//! An outage of Plex from beginning to end, with nothing to install: `cargo run --release --example
//! outage`.
//!
//! Simulated servers on loopback, the real plugin binary run as Stash runs it. Only intervals are
//! shorter than usual, and those are settings. Ends with exit code 1 unless every scene is equal in
//! Stash and Plex.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulators::{PlexOptions, StashOptions, Trigger, World, build_program, run_plugin};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SCENES: usize = 24;

fn main() -> ExitCode {
    match story() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("the example could not run: {why}");
            ExitCode::FAILURE
        }
    }
}

fn story() -> Result<bool> {
    println!("building the plugin (the first time this may take some minutes)…");
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let mut world = World::with(SCENES, 2026, stash, PlexOptions::default())?;
    let compared = &mut world.mapping;
    (compared.collection, compared.rating) = (true, true);
    (compared.poster, compared.background) = (true, true);
    world
        .stash
        .set_plugin_settings("Stash2Plex", settings(&world));
    let data = config.path().join("stash2plex");
    let mut stage = Stage {
        world,
        plugin,
        data,
        started: Instant::now(),
        log_seen: 0,
        state: String::new(),
    };

    stage.say(&format!(
        "Stash has {SCENES} scenes full of metadata; Plex knows only their files."
    ));
    stage.say("Someone saves the first eight scenes.");
    stage.save(0..8)?;
    stage.until("the first eight arrive in Plex", |world| {
        world.comparison().equal() >= 8
    })?;

    stage.say("Plex goes down. The editing goes on: eight more saves, and a second thought about the first.");
    stage.world.plex.down();
    stage.save(8..16)?;
    let first = stage.world.scenes[0];
    stage
        .world
        .stash
        .edit(first)
        .title("Second thoughts")
        .tags(&["Edited while Plex was down"]);
    stage.save(0..1)?;
    stage.until_state("open")?;
    stage.say("The circuit is open: jobs wait in the queue, only health probes go out.");
    stage.watch(Duration::from_secs(5))?;
    stage.say(&format!(
        "{} jobs wait, and none is lost.",
        stage.waiting()?
    ));

    stage.say("The worker is killed (kill -9). The next save starts another.");
    stage.kill_worker();
    stage.save(16..SCENES)?;
    stage.watch(Duration::from_secs(1))?;

    stage.say("Plex comes back.");
    stage.world.plex.up()?;
    stage.until_state("closed")?;
    stage.until("every scene is equal", |world| {
        world.comparison().is_equal()
    })?;
    stage.watch(Duration::from_secs(2))?;

    let health = run_plugin(
        &stage.plugin,
        &stage
            .world
            .stash
            .task_stdin(json!({"mode": "health_check"})),
    )?;
    for (_, line) in health.log.iter().filter(|(level, _)| *level != 'p') {
        stage.say(&format!("Health Check: {line}"));
    }

    let comparison = stage.world.comparison();
    for difference in &comparison.differences {
        println!("{difference}");
    }
    println!(
        "\n{} of {} scenes equal in Stash and Plex",
        comparison.equal(),
        comparison.scenes
    );
    Ok(comparison.is_equal())
}

fn settings(world: &World) -> Value {
    json!({
        "plex_url": world.plex.url(),
        "plex_token": world.plex.token(),
        "path_map": "/data=>/media/scenes",
        "debug_logging": true,
        // As always, but shorter: a minute's outage in seconds.
        "recovery_timeout": 4,
        "probe_interval": 0.5,
        "probe_cap": 2,
        "ramp_duration": 4,
        "idle_timeout": 1,
    })
}

struct Stage {
    world: World,
    plugin: PathBuf,
    data: PathBuf,
    started: Instant,
    log_seen: usize,
    state: String,
}

impl Stage {
    fn say(&self, text: &str) {
        println!("{:5.1} s  {text}", self.started.elapsed().as_secs_f64());
    }

    fn save(&mut self, scenes: std::ops::Range<usize>) -> Result<()> {
        let (mut slowest, count) = (Duration::ZERO, scenes.len());
        for scene in scenes.filter_map(|n| self.world.scenes.get(n)) {
            let run = run_plugin(
                &self.plugin,
                &self.world.stash.hook_stdin(&Trigger::SceneForm(*scene)),
            )?;
            if let Some(error) = run.error() {
                return Err(error.to_owned().into());
            }
            slowest = slowest.max(run.took);
        }
        self.say(&format!(
            "{count} saved; the slowest hook took {:.1} ms",
            slowest.as_secs_f64() * 1e3
        ));
        Ok(())
    }

    /// Shows what the worker and the circuit do meanwhile.
    fn look(&mut self) {
        let log = fs::read_to_string(self.data.join("worker.log")).unwrap_or_default();
        for line in log.lines().skip(self.log_seen) {
            self.log_seen += 1;
            // The file has times of its own.
            let text = line.split_once(' ').map_or(line, |(_, text)| text);
            let noise = text.starts_with("DEBUG scene") || text.contains("wrote ");
            if !noise || self.log_seen.is_multiple_of(8) {
                self.say(&format!("    worker  {text}"));
            }
        }
        let document = fs::read(self.data.join("circuit_breaker.json")).unwrap_or_default();
        let document: Value = serde_json::from_slice(&document).unwrap_or_default();
        let state = document["state"].as_str().unwrap_or("closed").to_owned();
        if state != self.state {
            self.say(&format!("    circuit {}", state.to_uppercase()));
            self.state = state;
        }
    }

    fn watch(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look();
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn until(&mut self, what: &str, condition: impl Fn(&World) -> bool) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !condition(&self.world) {
            self.look();
            if Instant::now() > give_up {
                let found = self.world.comparison();
                return Err(format!("it took more than 30 s until {what}: {found}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.look();
        self.say(&format!("Now {what}."));
        Ok(())
    }

    fn until_state(&mut self, state: &str) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(30);
        while self.state != state {
            self.look();
            if Instant::now() > give_up {
                return Err(format!("it took more than 30 s until the circuit was {state}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn waiting(&self) -> Result<u64> {
        let path = self.data.join("stash2plex.db");
        Ok(
            queue::Queue::<Value>::open(path, queue::Options::inspector())?
                .counts()?
                .live(),
        )
    }

    /// Whoever holds the worker's lock.
    fn kill_worker(&self) {
        let pattern = format!("{} worker", self.plugin.display());
        if cfg!(unix) {
            let _ = Command::new("pkill").args(["-9", "-f", &pattern]).status();
        }
    }
}
