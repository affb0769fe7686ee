//! What a corrected setting sets free, also one that was corrected while no worker ran.

use breaker::Breaker;
use queue::{DeadFilter, NewJob, Queue, State};
use sha2::{Digest, Sha256};

use crate::core::job::Job;
use crate::core::outcome::ErrorKind;
use crate::core::settings::{PlexTarget, Settings};
use crate::core::words::worker as texts;
use crate::storage::meta;
use crate::storage::notices::{self, Topic};

/// Whose circuit `circuit_breaker.json` is: a fingerprint of address and token.
pub const CIRCUIT_OF: &str = "circuit_of";
/// By which settings items were looked for: a fingerprint.
const SEARCHED_BY: &str = "searched_by";

/// More than that wait for their time anyway.
const MOST: usize = 100_000;

/// Takes note of the settings that are in force from now on, and does what a change of them asks
/// for:
///
/// - The circuit belongs to address and token. Another one starts closed, and what an outage had
///   put off is due now.
/// - With another path map, other libraries or another rule of matching, what failed as not in Plex
///   or of low confidence goes back once, and what waits for its next look is due now.
///
/// Returns what was done, in words. To be called when the breaker has been opened, before jobs are
/// claimed.
///
/// # Errors
/// The queue cannot be read or written; then it is done at the next call.
pub(super) fn apply(
    queue: &mut Queue<Job>,
    target: &PlexTarget,
    settings: &Settings,
    breaker: &Breaker,
) -> queue::Result<Vec<String>> {
    let circuit_of = circuit_of(target);
    let searched_by = fingerprint(&[
        &format!("{:?}", settings.libraries),
        &format!("{:?}", settings.path_map),
        &settings.strict_matching.to_string(),
    ]);
    let is_other = |key: &str, now: &str| -> queue::Result<bool> {
        let before = meta::get(queue.sql(), key)?;
        Ok(before.is_some_and(|before| before != now))
    };
    let elsewhere = is_other(CIRCUIT_OF, &circuit_of)?;
    let otherwise = is_other(SEARCHED_BY, &searched_by)?;
    let (mut done, mut again) = (Vec::new(), 0);
    if elsewhere {
        breaker.reset();
        done.push(texts::PLEX_ELSEWHERE.to_owned());
    }
    if otherwise {
        let (one, other) = (ErrorKind::NotInPlex.word(), ErrorKind::LowConfidence.word());
        let filter = DeadFilter::all().error_type(one).error_type(other);
        again = queue.redrive(&filter)?.jobs;
    }
    if elsewhere || otherwise {
        again += hasten(queue)?;
    }
    if again > 0 {
        done.push(texts::corrected(again));
    }
    // Last: cut off before, all of it is done again.
    queue.transaction(|tx| -> queue::Result<_> {
        if elsewhere {
            notices::clear(tx.sql(), Topic::Plex)?;
        }
        meta::set(tx.sql(), CIRCUIT_OF, &circuit_of)?;
        Ok(meta::set(tx.sql(), SEARCHED_BY, &searched_by)?)
    })?;
    Ok(done)
}

/// Makes what was tried and waits due now; how many. What waits on purpose, untried, goes on
/// waiting.
fn hasten(queue: &mut Queue<Job>) -> queue::Result<u64> {
    let mut waiting = queue.jobs(State::Waiting, MOST)?;
    waiting.retain(|job| job.attempts + job.deferred > 0);
    let jobs = waiting.into_iter().filter_map(|waiting| {
        let job: Job = serde_json::from_str(&waiting.payload).ok()?;
        let priority = i32::try_from(waiting.priority).unwrap_or_default();
        let new = NewJob::new(job).key(waiting.key?);
        Some(new.merge(Job::merge).priority(priority))
    });
    let jobs: Vec<_> = jobs.collect();
    Ok(queue.enqueue_all(jobs)?.len() as u64)
}

/// Whose circuit it is that decides whether jobs go to this address with this token.
pub fn circuit_of(target: &PlexTarget) -> String {
    let token = target.token.as_ref().map_or("", |token| token.expose());
    fingerprint(&[&target.url, token])
}

/// Never the parts themselves: one is a token.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let half = &hash.finalize()[..16];
    half.iter().map(|byte| format!("{byte:02x}")).collect()
}
