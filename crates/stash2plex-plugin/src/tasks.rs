//! What a person asked for in Stash's task list.

mod process_queue;
mod recover;

use std::io::Stderr;
use std::time::SystemTime;

use serde_json::Value;
use stash::protocol::{Log, ServerConnection};

use crate::data_dir::DataDir;
use crate::request::Task;
use crate::settings::{Fault, Settings};
use crate::status::{self, Line, Status};
use crate::worker::session;

type Failure = Box<dyn std::error::Error>;

/// Runs a task and returns its data for the page and the log.
///
/// # Errors
/// The task cannot be carried out; the text says why.
pub fn run(task: Task, connection: &ServerConnection, log: &Log<Stderr>) -> Result<Value, Failure> {
    if task == Task::ProcessQueue {
        return process_queue::run(connection, log);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(report(task, connection, log))
}

async fn report(
    task: Task,
    connection: &ServerConnection,
    log: &Log<Stderr>,
) -> Result<Value, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let stash = session::stash(connection)?;
    let (settings, faults) = match session::settings(&stash).await {
        Ok((settings, faults)) => (
            Some(settings),
            faults.iter().map(Fault::to_string).collect(),
        ),
        Err(why) => (None, vec![format!("the settings cannot be read: {why}")]),
    };
    let now = SystemTime::now();
    if task == Task::RecoverOutageJobs {
        let settings = settings.ok_or_else(|| faults.join("; "))?;
        return recover::run(&dir, &stash, &settings, log).await;
    }
    let mut status = Status::look(&dir, settings.as_ref(), now);
    status.faults = faults;
    let lines = match task {
        Task::QueueStatus => status::queue(&status, now),
        Task::OutageSummary => status::outages(&status, now),
        _ => {
            status.plex = match &settings {
                Some(settings) => probe(settings, &dir).await?,
                None => None,
            };
            status::health(&status)
        }
    };
    say(log, &lines);
    Ok(serde_json::to_value(&status)?)
}

/// A deep probe, where the settings say of what.
async fn probe(settings: &Settings, dir: &DataDir) -> Result<Option<plex_health::Report>, Failure> {
    match &settings.plex {
        None => Ok(None),
        Some(target) => Ok(Some(
            session::health_check(target, settings, dir)?.deep().await,
        )),
    }
}

fn say(log: &Log<Stderr>, lines: &[Line]) {
    for (level, text) in lines {
        log.log(*level, text);
    }
}
