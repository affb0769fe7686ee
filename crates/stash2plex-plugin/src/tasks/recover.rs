//! Putting back what failed because Plex was down.

use std::io::Stderr;
use std::time::{Duration, UNIX_EPOCH};

use breaker::{Outage, Report};
use queue::{DeadFilter, DeadLetter, Options, Queue};
use serde_json::{Value, json};
use stash::client::{Client, SceneId};
use stash::protocol::Log;

use crate::data_dir::DataDir;
use crate::job::Job;
use crate::outcome::ErrorKind;
use crate::settings::Settings;

/// The dead letters of the last outage that ended go back, behind three gates: Plex is healthy, the scene is
/// not queued already, Stash still has it. Run again, it finds nothing more.
///
/// # Errors
/// The queue or Stash fail; nothing has changed then.
pub async fn run(
    dir: &DataDir,
    stash: &Client,
    settings: &Settings,
    log: &Log<Stderr>,
) -> Result<Value, Box<dyn std::error::Error>> {
    let Some(outage) = last_ended(&Report::read(&dir.breaker())) else {
        log.info("no outage has ended yet, so there is nothing to recover");
        return Ok(json!({ "recovered": 0, "queued_already": 0, "gone": 0 }));
    };
    let healthy = match super::probe(settings, dir).await? {
        None => return Err("the settings do not say where Plex is".into()),
        Some(report) if report.verdict.is_healthy() => true,
        Some(report) => {
            log.warn(format!("Plex: {report}. {}", report.verdict.hint()));
            false
        }
    };
    let mut queue = Queue::<Job>::open(dir.database(), Options::producer())?;
    let dead = queue.dead_letters(&of_outage(&outage))?;
    if !healthy {
        log.warn(format!(
            "{} jobs wait to be recovered; run this again when Plex is up",
            dead.len()
        ));
        return Ok(json!({ "recovered": 0, "found": dead.len(), "plex": "not healthy" }));
    }
    let scenes: Vec<_> = dead.iter().filter_map(scene).map(SceneId).collect();
    let missing = stash.find_scenes(&scenes).await?.missing;
    let (mut recovered, mut queued_already, mut gone) = (0, 0, 0);
    for letter in &dead {
        let filter = DeadFilter::all().job(letter.id);
        if scene(letter).is_some_and(|id| missing.contains(&SceneId(id))) {
            gone += queue.purge(&filter)?;
            continue;
        }
        let back = queue.redrive(&filter)?;
        recovered += back.jobs;
        queued_already += back.skipped;
        // The live job does this one's work.
        if back.skipped > 0 {
            queue.purge(&filter)?;
        }
    }
    log.info(format!(
        "{recovered} jobs are queued again, {queued_already} were queued already, {gone} are gone from Stash"
    ));
    Ok(json!({ "recovered": recovered, "queued_already": queued_already, "gone": gone }))
}

fn last_ended(report: &Report) -> Option<Outage> {
    let Report::Known(document) = report else {
        return None;
    };
    document
        .outages
        .iter()
        .rev()
        .find(|outage| outage.ended.is_some())
        .cloned()
}

/// What died of the server's fault from the beginning of the outage on: a job's last try may end after it.
fn of_outage(outage: &Outage) -> DeadFilter {
    // Failures before the circuit opened belong to the outage.
    const BEFORE: Duration = Duration::from_secs(600);
    let started = UNIX_EPOCH + Duration::from_micros(outage.started.unix_micros());
    DeadFilter::all()
        .error_type(ErrorKind::PlexFailing.word())
        .died_from(started.checked_sub(BEFORE).unwrap_or(UNIX_EPOCH))
}

fn scene(letter: &DeadLetter) -> Option<u64> {
    match serde_json::from_str(&letter.payload) {
        Ok(Job::Scene { id, .. }) => Some(id),
        _ => None,
    }
}
