//! A process that Stash started: one document in, one document out.

use std::io::{Read, Write};

use serde_json::json;
use stash::protocol::{Log, PluginInput, Reply, ServerConnection, visible};

use crate::data_dir::DataDir;
use crate::request::Request;
use crate::{catch_up, record, spawn, tasks};

/// Why a call could not be carried out, in words for the user.
type Failure = Box<dyn std::error::Error>;

/// Answers one call. Stash expects exit code 0 also when the answer is an error.
pub fn run(stdin: impl Read, stdout: impl Write) {
    let log = Log::stderr();
    let reply = match answer(stdin, &log) {
        Ok(reply) => reply,
        Err(why) => Reply::Error(why.to_string()),
    };
    // Stash logs errors as they are.
    let reply = match reply {
        Reply::Error(why) => Reply::Error(visible(&why).into_owned()),
        Reply::Warned(output, why) => Reply::Warned(output, visible(&why).into_owned()),
        output => output,
    };
    // Stash drops lines it has not read when the process ends; without lines this returns at once.
    log.linger();
    // When Stash is gone, nobody reads the answer.
    let _ = reply.write_to(stdout);
}

fn answer(stdin: impl Read, log: &Log<std::io::Stderr>) -> Result<Reply, Failure> {
    let input = PluginInput::read(stdin)?;
    match Request::of(&input.args)? {
        Request::Ignore => {
            go_on(&input.server_connection);
            Ok(Reply::Output(json!("nothing that Plex shows has changed")))
        }
        Request::Changed(change) => record::change(&input.server_connection, change, log),
        Request::CatchUp => Ok(Reply::Output(catch_up::want(&input.server_connection))),
        Request::Record(job) => {
            tasks::follow(&job, &input.server_connection, log).map(Reply::Output)
        }
        Request::Task(task) => {
            let answer = tasks::run(task, &input.server_connection, log).map(Reply::Output);
            go_on(&input.server_connection);
            answer
        }
    }
}

/// A worker may have been killed with work left. What cannot be done here, the next call tries again.
fn go_on(connection: &ServerConnection) {
    let dir = DataDir::locate(&connection.dir);
    let _ = spawn::ensure_work_goes_on(&dir, connection);
}
