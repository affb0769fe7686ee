//! What to do next, from nothing set to a library that is kept equal.

use crate::core::first_run::Step;
use crate::core::settings::{Fault, names};
use crate::core::words::format::count;

/// That a library is not written because a plugin was installed.
const UNTIL: &str = "Until you have once run Sync All Scenes or Reconcile All Scenes (once more, if the database was replaced), only what you save is written \
                     to Plex";

/// What to do next.
pub fn next_step(step: Step) -> String {
    let page = "under Settings › Plugins › Stash2Plex";
    match step {
        // How they look, and where they are found, is said with what is wrong.
        Step::Address => format!("Next step: enter {} {page}", names::of("plex_url")),
        Step::Token => format!("Next step: enter {} {page}", names::of("plex_token")),
        Step::Enable => format!(
            "Next step: turn on {} {page}; until then nothing is sent to Plex",
            names::of("enabled")
        ),
        Step::Write => format!(
            "Next step: turn on {} {page}; until then nothing is written to Plex, and what you save counts as done",
            names::of("sync_master")
        ),
        Step::PathMap => format!(
            "Next step: run the task Find Path Map, which says what to enter in {}, if anything. {UNTIL}",
            names::of("path_map")
        ),
        Step::Compare => format!(
            "Next step: run the task Compare Only, which shows what Sync All Scenes would write, and writes nothing. {UNTIL}"
        ),
        Step::SyncAll => format!(
            "Next step: save a scene and look at it in Plex, then run the task Sync All Scenes, which writes your library to Plex \
             and cannot be undone. {UNTIL}"
        ),
    }
}

/// What a task lacks that asks both servers.
pub fn not_ready(faults: &[Fault]) -> String {
    format!(
        "Plex was not asked. {}. {}",
        blocking(faults),
        correct(faults, "run this task again")
    )
}

/// Faults with which nothing can be sent, as a line of its own.
pub fn blocks(faults: &[Fault]) -> String {
    format!(
        "Nothing is sent to Plex, and changes are kept. {}. {}",
        blocking(faults),
        correct(faults, "run the task Process Queue")
    )
}

/// One with which the rest goes on.
pub fn harmless(fault: &Fault) -> String {
    match names::is_on_page(fault.key) {
        true => format!("{fault}. It stands under Settings › Plugins › Stash2Plex"),
        false => format!("{fault}. It is set through Stash's API, as the guide says"),
    }
}

/// What keeps everything from being sent.
pub fn blocking(faults: &[Fault]) -> String {
    let blocking = faults.iter().filter(|fault| fault.blocks);
    let blocking: Vec<_> = blocking.map(ToString::to_string).collect();
    blocking.join(". ")
}

/// What to do about it: a sentence after it.
pub fn correct(faults: &[Fault], then: &str) -> String {
    let blocking = faults.iter().filter(|fault| fault.blocks);
    let names: Vec<_> = blocking.map(|fault| names::of(fault.key)).collect();
    format!(
        "Next step: enter {} under Settings › Plugins › Stash2Plex, then {then}",
        names.join(" and ")
    )
}

/// What a rule of the path map has going for it.
pub fn suggested(rule: &str, scenes: u64) -> String {
    let seen = count(scenes, "scene", "scenes");
    format!(
        "{}: {rule} is suggested, seen on {seen}",
        names::of("path_map")
    )
}

/// The same where rules are paths, and paths are hidden.
pub fn suggested_hidden(scenes: u64) -> String {
    let seen = count(scenes, "scene", "scenes");
    format!(
        "{}: a rule is suggested, seen on {seen}. Turn off {} to see it",
        names::of("path_map"),
        names::of("obfuscate_paths")
    )
}
