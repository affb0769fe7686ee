//! Compare Only: what Sync All Scenes would write. Nothing is queued, and nothing is written to
//! Plex or to the sync record.

use queue::{InMemory, Options, Queue};
use serde_json::Value;
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};
use crate::core::compare::Report;
use crate::core::job::Job;
use crate::core::obfuscate::Paths;
use crate::core::words::status::warn;
use crate::core::words::{first_run as texts, settings as in_words};
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::first_run::{self, Looked};
use crate::storage::{ledger, queue_file};
use crate::sync::Stopped;
use crate::tasks::ready::{Ready, ready};
use crate::tasks::{say, status};
use crate::worker::SystemTimer;

/// Compares every scene in this process.
///
/// # Errors
/// One of the servers cannot be read, or the sync record; the text says why.
pub fn run(connection: &ServerConnection, console: &dyn Console) -> Result<Value, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let (settings, report) = status::runtime()?.block_on(async {
        let ready = ready(connection, &dir).await?;
        let report = compare(&ready, &dir, console).await?;
        Ok::<_, Failure>((ready.settings, report))
    })?;
    // Where nothing was found, nobody has seen yet what would be written.
    let found = report.would_change + report.equal > 0;
    if found {
        first_run::note(&dir, Looked::AtAll);
    }
    let paths = Paths::of(&settings);
    say(console, texts::compared(&report, paths));
    // With these, what was compared is not written after all.
    let off = [
        (!settings.enabled).then(in_words::paused),
        (!settings.toggles.master).then(in_words::read_only),
    ];
    say(console, off.into_iter().flatten().map(warn).collect());
    if found {
        status::say_next_step(&settings, &dir, console);
    }
    Ok(serde_json::to_value(&report)?)
}

async fn compare(ready: &Ready, dir: &DataDir, console: &dyn Console) -> Result<Report, Failure> {
    let mut record = record(dir)?;
    let server = ledger::on_record(record.sql(), &ready.server)?;
    let known = ledger::library_fields(record.sql(), server)?;
    ready.syncer.capabilities.load(known);
    let (db, time) = (Db::new(&mut record), SystemTimer::default());
    let progress = |share| console.progress(share);
    let compared = ready.syncer.compare_all((&db, server), &time, progress);
    compared.await.map_err(|stopped| {
        let why = match stopped {
            Stopped::Failed(failure) => failure.why,
            Stopped::Database(why) => queue_file::words(dir, &why),
        };
        texts::stopped(&why).into()
    })
}

/// The sync record, for reading; an empty one where no worker has made it yet.
fn record(dir: &DataDir) -> Result<Queue<Job>, String> {
    let words = |why: queue::Error| queue_file::words(dir, &why);
    if let Some(queue) = queue_file::inspected(dir)?
        && ledger::is_made(queue.sql()).map_err(|why| words(why.into()))?
    {
        return Ok(queue);
    }
    let queue = InMemory::new().and_then(|file| Queue::open(file, Options::producer()));
    let queue = queue.map_err(words)?;
    ledger::create(queue.sql()).map_err(|why| words(why.into()))?;
    Ok(queue)
}
