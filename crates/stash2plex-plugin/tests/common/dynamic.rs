//! The plugin's program with the C library of this machine, so that a test can put its own
//! functions before it.

use std::io;
use std::process::ExitCode;

use stash2plex_plugin::dispatch;
use sync_engine::{start, worker};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(start::WORKER_ARG) {
        return worker::run(io::stdin().lock());
    }
    dispatch::run(io::stdin().lock(), io::stdout().lock());
    ExitCode::SUCCESS
}
