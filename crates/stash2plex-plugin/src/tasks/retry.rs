//! Failed jobs are queued again: all, those of one kind, or one.

use queue::{DeadFilter, Options};
use serde_json::{Value, json};
use stash::protocol::ServerConnection;

use super::Failure;
use crate::data_dir::DataDir;
use crate::status::render::{Line, info};
use crate::status::words::count;
use crate::store;

/// Retry Failed Jobs. A job of a scene that waits already stays where it is.
pub fn run(
    connection: &ServerConnection,
    kind: Option<&str>,
    job: Option<i64>,
) -> Result<(Vec<Line>, Value), Failure> {
    let dir = DataDir::locate(&connection.dir);
    let mut filter = DeadFilter::all();
    if let Some(kind) = kind {
        filter = filter.error_type(kind);
    }
    if let Some(job) = job {
        filter = filter.job(job);
    }
    let (mut queued, mut left) = (0, 0);
    if dir.database().try_exists()? {
        let words = |why| store::words(&dir, &why);
        let mut queue = store::open(&dir, Options::producer(), |_| {}).map_err(words)?;
        queued = queue.redrive(&filter).map_err(words)?.jobs;
        left = queue.counts().map_err(words)?.dead;
    }
    let line = match (queued, kind.is_some() || job.is_some()) {
        (0, false) if left == 0 => "No job failed: nothing to try again".to_owned(),
        (0, _) => "No such failed job: nothing to try again".to_owned(),
        _ => format!(
            "{} queued again",
            count(queued, "failed job", "failed jobs")
        ),
    };
    let line = match left {
        0 => line,
        _ => format!("{line}; {} left", count(left, "failed job", "failed jobs")),
    };
    Ok((vec![info(line)], json!({ "queued": queued, "left": left })))
}
