//! Failed jobs are queued again: all, those of one kind, or one.

use queue::{DeadFilter, Options};
use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::Failure;
use crate::core::words::status::{Line, info};
use crate::core::words::tasks as texts;
use crate::storage::data_dir::DataDir;
use crate::storage::queue_file;

/// Retry Failed Changes. A job of a scene that waits already stays where it is.
pub fn run(
    connection: &ServerConnection,
    kind: Option<&str>,
    job: Option<i64>,
) -> Result<(Vec<Line>, Value), Failure> {
    let dir = DataDir::locate(&connection.dir);
    let filter = DeadFilter::all();
    let filter = kind.into_iter().fold(filter, DeadFilter::error_type);
    let filter = job.into_iter().fold(filter, DeadFilter::job);
    let (mut queued, mut left) = (0, 0);
    if dir.database().try_exists()? {
        let words = |why| queue_file::words(&dir, &why);
        let mut queue = queue_file::open(&dir, Options::producer(), |_| {}).map_err(words)?;
        queued = queue.redrive(&filter).map_err(words)?.jobs;
        left = queue.counts().map_err(words)?.dead;
    }
    let all = kind.is_none() && job.is_none();
    let line = texts::queued_again(queued, all, left);
    Ok((vec![info(line)], json!({ "queued": queued, "left": left })))
}
