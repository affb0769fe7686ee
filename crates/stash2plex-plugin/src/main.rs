//! The plugin binary: started by Stash with one JSON document on stdin, or by itself as the worker.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use stash2plex_plugin::dispatch;
use sync_engine::{start, worker};

const USAGE: &str = "\
stash2plex is a plugin: Stash starts it and writes its input to stdin.
Install it as the README says, or try it without Stash: cargo run --release --example outage

  stash2plex --version    print the version
  stash2plex --help       print this";

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        None if io::stdin().is_terminal() => println!("{USAGE}"),
        None => dispatch::run(io::stdin().lock(), io::stdout().lock()),
        Some(start::WORKER_ARG) => return worker::run(io::stdin().lock()),
        Some("--version" | "-V") => println!("stash2plex {}", env!("CARGO_PKG_VERSION")),
        Some("--help" | "-h") => println!("{USAGE}"),
        Some(other) => {
            eprintln!("stash2plex: unknown argument {other:?}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
