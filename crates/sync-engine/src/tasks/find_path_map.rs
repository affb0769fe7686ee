//! Find Path Map: what the files of both servers say about it. No setting is changed.

use serde_json::{Value, json};
use stash::connection::ServerConnection;

use crate::console::{Console, Failure};
use crate::core::obfuscate::Paths;
use crate::core::settings::path_map_entry;
use crate::core::words::first_run as texts;
use crate::storage::data_dir::DataDir;
use crate::storage::first_run::{self, Looked};
use crate::tasks::ready::ready;
use crate::tasks::{say, status};

/// Reads the paths of both, and says what map leads from one to the other.
///
/// # Errors
/// One of the servers cannot be read; the text says why.
pub fn run(connection: &ServerConnection, console: &dyn Console) -> Result<Value, Failure> {
    let dir = DataDir::create(&connection.dir)?;
    let (settings, files) = status::runtime()?.block_on(async {
        let ready = ready(connection, &dir).await?;
        let progress = |share| console.progress(share);
        let files = ready.syncer.files(progress).await;
        let files = files.map_err(|failure| texts::stopped(&failure.why))?;
        Ok::<_, Failure>((ready.settings, files))
    })?;
    let proposal = files.propose(&settings.path_map);
    let paths = Paths::of(&settings);
    let agree = proposal.rules.is_empty() && proposal.scenes > 0;
    first_run::note(&dir, Looked::ForPaths { agree });
    say(console, texts::proposal(&proposal, paths));
    // Else what to do next is to enter what is proposed, if anything.
    if agree {
        status::say_next_step(&settings, &dir, console);
    }
    let map = proposal.map();
    let entries = map.iter().filter_map(|(from, to)| path_map_entry(from, to));
    let entries: Vec<_> = entries.filter(|_| !paths.hidden).collect();
    Ok(json!({
        "scenes_in_both": proposal.scenes, "right": proposal.right, "agrees": proposal.agrees(),
        "proposed": !proposal.rules.is_empty(), "path_map": entries.join("; "),
        "scenes_by_rule": proposal.rules.iter().map(|rule| rule.scenes).collect::<Vec<_>>(), "still_wrong": proposal.wrong,
    }))
}
