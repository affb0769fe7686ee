//! What is written in the transaction that settles a job, and the jobs it leads to.

use queue::{DeadFilter, NewJob, Tx};
use serde::Serialize;

use crate::core::catch_up::Stamp;
use crate::core::job::Job;
use crate::core::settings::Settings;
use crate::storage::ledger::{self, ServerId};
use crate::storage::meta;
use crate::sync::{Record, late};

/// Bulk work waits behind what people just saved.
pub const BULK_PRIORITY: i32 = 10;

/// A job about a scene, behind what people just saved.
pub(super) fn scene_job(id: u64, force: bool) -> NewJob<Job> {
    let job = keyed(Job::Scene { id, force });
    job.merge(Job::merge).priority(BULK_PRIORITY)
}

/// A job that one like it, which waits, takes in.
pub(super) fn keyed(job: Job) -> NewJob<Job> {
    let key = job.key();
    NewJob::new(job).key(key)
}

/// What an earlier job about the same thing died of is of no interest when a later one has an end
/// of its own.
pub(super) fn forget_letters(tx: &Tx<'_, Job>, claim: &queue::Claim<Job>) -> queue::Result<()> {
    match claim.key() {
        Some(key) => tx.purge(&DeadFilter::all().key(key)).map(drop),
        None => Ok(()),
    }
}

/// Writes what a scene's job leaves on record, and queues the scenes that must be looked at for
/// that.
pub(super) fn record_and_queue(
    tx: &Tx<'_, Job>,
    record: Option<Record>,
    settings: &Settings,
) -> queue::Result<()> {
    let Some(record) = record else { return Ok(()) };
    let again = record.needs_another_look().then_some(record.scene);
    for id in record.apply(tx)? {
        tx.enqueue(scene_job(id, true))?;
    }
    if let Some(id) = again {
        tx.enqueue(scene_job(id, true).due_in(late(settings)))?;
    }
    Ok(())
}

/// Notes what the scene was, however its job ended: it comes again when it is something else.
pub(super) fn note_look(
    tx: &Tx<'_, Job>,
    claim: &queue::Claim<Job>,
    looked: Option<(ServerId, Stamp)>,
) -> queue::Result<()> {
    if let (Some((server, stamp)), Job::Scene { id, .. }) = (looked, claim.payload()) {
        ledger::looked(tx.sql(), server, *id, stamp)?;
    }
    Ok(())
}

/// Remembers a small structure under a key.
pub(super) fn remember(tx: &Tx<'_, Job>, key: &str, what: &impl Serialize) -> queue::Result<()> {
    // Nothing in it can fail to be text.
    let text = serde_json::to_string(what).unwrap_or_default();
    Ok(meta::set(tx.sql(), key, &text)?)
}
