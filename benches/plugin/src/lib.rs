//! What the benchmarks in `benches/` share: installing, running, reading what the system counted.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulators::World;

/// The plugin's settings for this world, without pictures and ratings; `more` replaces some of
/// them.
pub fn settings(world: &World, more: &Value) -> Value {
    let mut settings = json!({
        "plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": "/data=>/media/scenes",
        "sync_poster": false, "sync_background": false, "sync_rating": false, "recovery_ramp": false, "idle_timeout": 0.3,
        "reconcile_interval": "never",
        "watch_time": 0,
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut settings, more) {
        all.extend(more.clone());
    }
    settings
}

/// Holds the worker's lock, so that what is recorded meanwhile starts no worker.
///
/// # Errors
/// The file cannot be made or locked.
pub fn no_worker(config: &Path) -> io::Result<File> {
    fs::create_dir_all(config.join("stash2plex"))?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(config.join("stash2plex/worker.lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Records a job for each scene, as its hook would.
///
/// # Errors
/// The queue cannot be written.
pub fn record(config: &Path, scenes: &[u64]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(config.join("stash2plex"))?;
    let path = config.join("stash2plex/stash2plex.db");
    let mut queue = queue::Queue::<Value>::open(path, queue::Options::producer())?;
    let job = |id: &u64| {
        queue::NewJob::new(json!({ "do": "scene", "id": id })).key(format!("scene:{id}"))
    };
    queue.enqueue_all(scenes.iter().map(job))?;
    Ok(())
}

/// What one worker did.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// How long it took until nothing was left.
    pub took: Duration,
    /// Its peak resident memory in MB; 0 where the system does not tell.
    pub peak: f64,
}

/// A worker works off what waits, and ends.
///
/// # Errors
/// The plugin cannot be run, or its queue read.
pub fn drain(plugin: &Path, config: &Path, world: &World) -> Result<Drain, Box<dyn Error>> {
    let started = Instant::now();
    let mut child = Command::new(plugin)
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(world.stash.task_stdin(json!({})).as_bytes())?;
    }
    let path = config.join("stash2plex/stash2plex.db");
    let queue = queue::Queue::<Value>::open(path, queue::Options::inspector())?;
    while queue.counts()?.live() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = started.elapsed();
    let peak = watch(&mut child)?;
    Ok(Drain { took, peak })
}

/// Looks at the memory of a process until it ends.
fn watch(child: &mut Child) -> io::Result<f64> {
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        peak = peak.max(peak_memory(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(peak)
}

/// Peak resident memory in MB; 0 where the system does not tell.
pub fn peak_memory(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .map_or(0.0, |kib: f64| kib / 1024.0)
}

/// The process that works for this installation.
pub fn worker(config: &Path) -> Option<u32> {
    let folder = config.join("stash2plex");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .find_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// CPU time of all threads of a process in nanoseconds: clock ticks of `stat` are too coarse for so
/// little.
///
/// # Errors
/// There is no such process, or the system does not tell.
pub fn cpu_time(process: u32) -> Result<u64, Box<dyn Error>> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let text = fs::read_to_string(thread.path().join("schedstat"))?;
        sum += text
            .split(' ')
            .next()
            .ok_or("an empty schedstat")?
            .parse::<u64>()?;
    }
    Ok(sum)
}

/// The value below which this share of the times lies; zero of none.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let index = (times.len() as f64 * share) as usize;
    times
        .get(index.min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
