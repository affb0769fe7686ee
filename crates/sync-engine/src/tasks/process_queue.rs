//! Process Queue: the worker is started and followed for as long as it has something to do at once.

use std::time::SystemTime;

use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};
use crate::core::reconcile::unix_millis;
use crate::core::status::SettingsStatus;
use crate::core::words::status::data_folder;
use crate::core::words::tasks as texts;
use crate::start::{self, Start};
use crate::storage::data_dir::DataDir;
use crate::storage::notices::{self, Topic};
use crate::storage::standstill::Standstill;
use crate::storage::{catch_up, meta, queue_file};
use crate::tasks::watch::{End, Mark, Watch};
use crate::tasks::{say, status};

/// Ends when nothing more can be done at once: the queue is empty, or its jobs wait for their time
/// or for a server.
///
/// # Errors
/// The queue cannot be read, or there can be no worker.
pub fn run(connection: &ServerConnection, console: &dyn Console) -> Result<Value, Failure> {
    let dir = &DataDir::create(&connection.dir)?;
    if let Some(why) = status::unwritable(dir) {
        say(console, vec![data_folder(&why)]);
    }
    // Made when missing, so that the first task of a new installation finds an empty queue.
    let queue = queue_file::open(dir, queue::Options::producer(), |said| console.error(said))
        .map_err(|why| queue_file::words(dir, &why))?;
    let (mark, counts) = (Mark::of(&queue)?, queue.counts()?);
    let before = counts.live();
    console.info(texts::waiting(before, counts.dead));
    // A person may have changed a setting, whether there is a worker or not.
    Standstill::end(dir);
    let now = unix_millis(SystemTime::now()).to_string();
    // Without its tables no worker has ever read a setting.
    let _ = meta::set(queue.sql(), meta::SETTINGS_ASKED, &now);
    drop(queue);
    catch_up::note(dir);
    start::ensure_worker(dir, connection, Start::Always)?;
    let watch = Watch { dir, console, mark };
    let end = match before {
        0 => End::NothingDue,
        _ => watch.follow(None, |_| Ok(true))?,
    };
    if let End::Standstill(why) = end {
        return Err(why.into());
    }
    // Replaced earlier, or by the worker meanwhile.
    let queue = watch.queue()?;
    let damage = notices::words(queue.sql(), Topic::Damage);
    damage
        .unwrap_or_default()
        .into_iter()
        .for_each(|said| console.warn(said));
    let since = watch.since(&queue)?;
    drop(queue);
    let waiting = since.counts.live();
    console.progress(1.0);
    if before + since.done + since.failed + waiting > 0 {
        console.info(texts::processed(since.done, since.failed, waiting));
    }
    let told = status::runtime()?.block_on(status::settings(connection)).1;
    // Where Stash does not tell the settings, no worker can go on.
    let goes_on = !matches!(told.reading, Some(SettingsStatus::Failed { .. }));
    watch.held_up(&end, waiting, told);
    if waiting > 0 && end == End::NothingDue && goes_on {
        console.info(texts::goes_on(&dir.worker_log()));
    }
    Ok(json!({ "done": since.done, "failed": since.failed, "waiting": waiting }))
}
