//! A process that Stash started: one document in, one document out.

use std::io::{Read, Stderr, Write};

use serde_json::json;
use stash::connection::ServerConnection;
use stash::protocol::{Level, Log, PluginInput, Reply};
use stash::visible;
use sync_engine::console::{self, Console};
use sync_engine::storage::data_dir::DataDir;
use sync_engine::{record, start, tasks};

use crate::request::Request;

/// Why a call could not be carried out, in words for the user.
type Failure = Box<dyn std::error::Error>;

/// Stash's log and its bar.
struct StashLog(Log<Stderr>);

impl Console for StashLog {
    fn line(&self, level: console::Level, text: &str) {
        let level = match level {
            console::Level::Info => Level::Info,
            console::Level::Warning => Level::Warning,
            console::Level::Error => Level::Error,
        };
        self.0.log(level, text);
    }

    fn progress(&self, share: f64) {
        self.0.progress(share);
    }
}

/// Answers one call. Stash expects exit code 0 also when the answer is an error.
pub fn run(stdin: impl Read, stdout: impl Write) {
    let log = StashLog(Log::stderr());
    let reply = answer(stdin, &log).unwrap_or_else(|why| Reply::Error(why.to_string()));
    // Stash logs errors as they are.
    let reply = match reply {
        Reply::Error(why) => Reply::Error(visible(&why).into_owned()),
        Reply::Warned(output, why) => Reply::Warned(output, visible(&why).into_owned()),
        output => output,
    };
    // Stash drops lines it has not read when the process ends; without lines this returns at once.
    log.0.linger();
    // When Stash is gone, nobody reads the answer.
    let _ = reply.write_to(stdout);
}

fn answer(stdin: impl Read, console: &dyn Console) -> Result<Reply, Failure> {
    let input = PluginInput::read(stdin).map_err(|why| format!("Nothing was recorded: {why}"))?;
    let connection = &input.server_connection;
    Ok(match Request::of(&input.args)? {
        Request::Ignore => {
            go_on(connection);
            Reply::Output(json!("nothing that Plex shows has changed"))
        }
        Request::Changed(change) => {
            let recorded = record::change(connection, &change, console)?;
            let what = json!(recorded.what);
            match recorded.notice {
                Some(words) => Reply::Warned(what, words),
                None => Reply::Output(what),
            }
        }
        Request::CatchUp => Reply::Output(record::catch_up::want(connection)),
        Request::Record(job) => Reply::Output(tasks::follow(&job, connection, console)?),
        Request::Task(task) => {
            let answer = tasks::run(task, connection, console);
            go_on(connection);
            Reply::Output(answer?)
        }
    })
}

/// A worker may have been killed with work left. What cannot be done here, the next call tries
/// again.
fn go_on(connection: &ServerConnection) {
    let dir = DataDir::locate(&connection.dir);
    let _ = start::ensure_work_goes_on(&dir, connection);
}
