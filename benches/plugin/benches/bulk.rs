//! A bulk edit as Stash runs it: a hook process for each scene, one after the other, each with the
//! ids of all, beside a worker at work; against a hook that does nothing (`/bin/true`). `cargo
//! bench -p bench-plugin --bench bulk` (Unix).

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench_plugin::{ms, quantile, settings};
use serde_json::json;
use simulators::{PlexOptions, StashOptions, World, build_program};

const SCENES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build_program("stash2plex-plugin", "stash2plex")?;
    println!("{SCENES} hooks of one edit, taking turns with /bin/true; Plex's time for an answer");
    // A worker that the hooks leave behind, and one that is ahead of them.
    for latency in [20, 0] {
        measure(&plugin, latency)?;
    }
    Ok(())
}

fn measure(plugin: &Path, latency: u64) -> Result<(), Box<dyn Error>> {
    let config = tempfile::tempdir()?;
    let stash = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(SCENES, 1, stash, PlexOptions::default())?;
    let settings = settings(&world, &json!({ "idle_timeout": 1 }));
    world.stash.set_plugin_settings("Stash2Plex", settings);
    world.plex.set_latency(Duration::from_millis(latency));
    let edit = json!({ "details": "of all" });
    let (mut nothing, mut hook, mut last) = (Vec::new(), Vec::new(), 0);
    for stdin in world.stash.bulk_edit(&world.scenes, edit) {
        nothing.push(time(Path::new("/bin/true"), &stdin)?);
        hook.push(time(plugin, &stdin)?);
        last = stdin.len();
    }
    let sum = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64();
    let (all_nothing, all_hook) = (sum(&nothing), sum(&hook));
    let [middle_nothing, middle_hook] =
        [&mut nothing, &mut hook].map(|times| ms(quantile(times, 0.5)));
    println!(
        "{latency:3} ms  /bin/true {all_nothing:5.2} s, median {middle_nothing:.2} ms  hook {all_hook:5.2} s, median \
         {middle_hook:.2} ms, longest {:.0} ms  ratio {:.2}, of the medians {:.2}  ({last} bytes of input)",
        ms(quantile(&mut hook, 1.0)),
        all_hook / all_nothing,
        middle_hook / middle_nothing,
    );
    let started = Instant::now();
    while !world.comparison().is_equal() {
        if started.elapsed() > Duration::from_secs(300) {
            return Err(world.comparison().to_string().into());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// How long a process takes that is started, fed and awaited as Stash does.
fn time(program: &Path, stdin: &str) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that does not read ends first.
        let _ = pipe.write_all(stdin.as_bytes());
    }
    let ended = child.wait_with_output()?;
    let took = started.elapsed();
    let said = String::from_utf8_lossy(&ended.stdout);
    match said.contains("error") || !ended.status.success() {
        false => Ok(took),
        true => Err(said.into()),
    }
}
