//! What the worker's log says.

use std::time::Duration;

use queue::Salvage;

use crate::core::outcome::{FaultKind, Trouble, Whose};
use crate::core::settings::names;
use crate::core::words::format::{count, span};

/// What finds everything that was missed, and what a person should know before it is run in a
/// library of which only single scenes were meant to be synced.
pub const RECONCILE_ALL: &str =
    "Reconcile All Scenes (which also writes scenes that were never synced)";

/// Why nothing was written to an item that must not be written to.
pub const READ_ONLY: &str = "not written: Write to Plex (master switch) (sync_master) is off";
/// Nothing had to be written.
pub const EQUAL: &str = "nothing to write, Plex shows it already";
/// What became of a scene that is gone.
pub const GONE: &str = "deleted in Stash; what was on record of it is dropped";

/// What was written to an item.
pub fn wrote(title: &str, fields: &[String], item: &str) -> String {
    let fields = fields.join(", ");
    match title {
        "" => format!("wrote {fields} to Plex item {item}"),
        title => format!("wrote {fields} to Plex item \"{title}\" ({item})"),
    }
}

/// Scenes changed of which no hook told, or their hooks' jobs read them too early to be sure.
pub fn changed_in_stash(scenes: usize) -> String {
    let scenes = count(scenes as u64, "scene", "scenes");
    format!("{scenes} changed in Stash since the last look: queued")
}

/// Scenes that are left alone.
pub fn never_synced(scenes: u64) -> String {
    let are = count(scenes, "scene is", "scenes are");
    format!(
        "{are} not on record as synced: one that Plex has is written when you save it, and all of them by the task Sync All Scenes"
    )
}

/// A scene that is not in Plex is left at that.
pub fn skipped(why: &str) -> String {
    format!(
        "{why}. It is left at that, since {} is on",
        names::of("skip_not_found")
    )
}

/// An attempt failed, and others follow.
pub fn next_attempt(why: &str, kind: &str, attempt: u32, most: u32, wait: Duration) -> String {
    let next = match wait.as_secs_f64().round() {
        seconds if seconds < 1.0 => "at once".to_owned(),
        seconds => format!("in {}", span(seconds)),
    };
    if attempt == 0 {
        return format!(
            "{why}. Other changes fail too, so this attempt does not count; next {next}"
        );
    }
    let advice = advice_meanwhile(kind).filter(|_| attempt == 1);
    let advice = advice.map_or_else(String::new, |advice| format!(". What to do: {advice}"));
    format!("{why}. Attempt {attempt} of {most}, next {next}{advice}")
}

/// No other attempt follows.
pub fn failed(kind: &str, why: &str, attempts: u32) -> String {
    let attempts = count(attempts.into(), "attempt", "attempts");
    format!(
        "failed after {attempts}: {why}. What to do: {}",
        advice(kind)
    )
}

/// The same where nobody counted.
pub fn failed_once(job: &str, kind: &str, why: &str) -> String {
    format!("{job} failed: {why}. What to do: {}", advice(kind))
}

/// The same where the next line says what to do about both.
pub fn failed_alike(job: &str, why: &str) -> String {
    format!("{job} failed: {why}")
}

/// What a person can do while a job that failed in this way waits for its next attempt, where that
/// helps.
pub fn advice_meanwhile(kind: &str) -> Option<&'static str> {
    match kind {
        "NotInPlex" => Some(
            "Scan the library in Plex, and see that Plex libraries (plex_library) names it; or correct Path map (path_map): the task \
             Find Path Map says how. It is tried again by itself, and at once if you save the scene",
        ),
        "PlexRefused" => Some(
            "If a proxy or a login page is in front of Plex, enter Plex's own address in Plex address (plex_url). If there is none, Health \
             Check says whether the token is the owner's",
        ),
        _ => None,
    }
}

/// What a person can do about failed jobs of the kind with this name.
pub fn advice(kind: &str) -> &'static str {
    match kind {
        "InvalidScene" => {
            "Give the scene a file, or correct its data in Stash, then save it: a save tries again"
        }
        "NotInPlex" => {
            "Scan the library in Plex, and see that Plex libraries (plex_library) names it; or correct Path map (path_map): the task \
             Find Path Map says how. Then run Retry Failed Changes"
        }
        "LowConfidence" => {
            "Fill in Path map (path_map) so that full paths agree, or turn Strict matching (strict_matching) off, so that the \
             likeliest one is written; then run Retry Failed Changes"
        }
        "PlexRefused" => {
            "If a proxy or a login page is in front of Plex, enter Plex's own address in Plex address (plex_url), or let this \
             program pass there, then run Retry Failed Changes. If there is none, Health Check says whether the token is the owner's; \
             if a scene was refused, its details, tags or performers may be too long: shorten them and save it. \
             Plex's own log says why it refuses"
        }
        "PlexFailing" => "Look into Plex's log; when it is well again, run Retry Failed Changes",
        "UnreadableItem" => {
            "For this item, refresh its metadata in Plex, then save the scene; report it if that does not help"
        }
        "UnreadableScene" => {
            "Report it, with Stash's version; a save of the scene tries again, and the others are synced"
        }
        queue::OWNER_DIED => "Save the scene to try again, and report it if that ends so too",
        queue::UNDECODABLE => {
            "Run Reconcile All Scenes, which also writes scenes that were never synced, then Clear Failed Changes, which deletes \
             all failed changes from the list"
        }
        _ => "See stash2plex/worker.log in Stash's configuration folder, and report it",
    }
}

/// Why a job of this kind failed: the queue's own words are for programs.
pub fn reason<'a>(kind: &str, message: &'a str) -> &'a str {
    match kind {
        queue::OWNER_DIED => "the worker ended in the middle of it ten times in a row",
        queue::UNDECODABLE => "this version cannot read it",
        _ => message,
    }
}

/// The circuit opened.
pub fn paused(why: &str, waiting: u64, next: Duration) -> String {
    let (waiting, next) = (kept(waiting, ""), span(next.as_secs_f64().ceil()));
    format!("{why}. Sending to Plex is paused: {waiting}; next attempt in {next}")
}

/// The circuit closed.
pub fn resumed(waiting: u64, last_failed: bool) -> String {
    let why = match last_failed {
        true => "Plex passes its probe, and this change fails for reasons of its own",
        false => "Plex is back",
    };
    let waiting = match waiting {
        0 => "no change waits".to_owned(),
        n => count(n, "change waits", "changes wait"),
    };
    format!("{why}: sending goes on, {waiting}")
}

/// Stash does not answer.
pub fn without_stash(why: &str, waiting: u64) -> String {
    let waiting = kept(waiting, " for Stash");
    format!("{why}. {}{}", waiting[..1].to_uppercase(), &waiting[1..])
}

/// What waits, and that it does so safely.
fn kept(waiting: u64, for_whom: &str) -> String {
    match waiting {
        0 => format!("no change waits{for_whom}"),
        n => format!(
            "{}{for_whom}, none is lost",
            count(n, "change waits", "changes wait")
        ),
    }
}

/// What a failure means where it opens a circuit.
pub fn cause(whose: Whose, why: &str) -> String {
    match whose {
        Whose::Stash | Whose::Plex(Trouble::NoLibrary) => why.to_owned(),
        Whose::Plex(Trouble::Unauthorized) => format!(
            "{why}: enter a token of the server's owner in {}",
            names::of("plex_token")
        ),
        Whose::Plex(Trouble::WrongServer) => {
            let address = names::of("plex_url");
            format!(
                "Another Plex server answers at the {address}, and nothing is written to it from now on: correct the address, or run Clear \
                 Match Cache if it is your new server"
            )
        }
        Whose::Plex(Trouble::Starting) => {
            format!("Plex is not ready yet ({why}); you need do nothing")
        }
        Whose::Request(fault) if fault.kind == FaultKind::Refused => {
            format!(
                "Plex answers, but refuses one scene after the other ({why}). If a proxy or filter is in front of Plex, enter \
                 Plex's own address in {}",
                names::of("plex_url")
            )
        }
        Whose::Request(_) => {
            format!(
                "Plex answers, but fails for one scene after the other ({why}): Plex's log may say why"
            )
        }
        _ => format!("Plex cannot be used ({why}); the task Health Check says what to do"),
    }
}

/// The address leads to another server than before.
pub fn another_server() -> String {
    let address = names::of("plex_url");
    format!(
        "{address} leads to another Plex server than before: what you save from now on is written to it. If this is a mistake, \
         correct the address now; else run Reconcile All Scenes to sync all of it"
    )
}

/// What the items of a library do not keep.
pub fn not_kept(library: &str, fields: &str) -> String {
    format!(
        "Plex library \"{library}\" does not keep {fields} for its items: that is not sent to them any more"
    )
}

/// A list is cut from now on.
pub const LISTS_CUT: &str = "This Plex accepts only short requests, so long lists of tags or performers are cut: what does not fit \
     into one request is left out. If a proxy is in front of Plex, enter Plex's own address, or raise the proxy's limit";

/// Why nothing can be done with a token, or with that of somebody else.
pub fn token_refused(status: u16) -> String {
    format!("Plex refuses the token (HTTP {status})")
}

/// The same where it is somebody else's.
pub const TOKEN_OF_A_GUEST: &str = "Plex refuses the token, since it is not the owner's";

/// The scene may not be the item's.
pub fn guessed(path: &str, item: &str, why: &str) -> String {
    format!(
        "it was written to the Plex item of {path} ({item}), which is a guess: {why}. If it is the wrong one, fill in {}, save the \
         scene, and correct that item by hand in Plex",
        names::of("path_map")
    )
}

/// It is the item's, by likeness.
pub fn matched(own: &str, (path, item): (&str, &str), by: &str) -> String {
    format!(
        "matched to the Plex item of {path} ({item}) by name and {by}, since its own path, {own}, is in no folder of Plex: give {} \
         a rule for it",
        names::of("path_map")
    )
}

/// Plex listed it a moment ago.
pub const NO_SUCH_LIBRARY: &str = "Plex lists it, but answers that it does not exist (HTTP 404)";

/// A library that cannot be searched, before the reason.
pub fn unsearched(title: &str) -> String {
    format!("the library \"{title}\" cannot be searched")
}

/// The item is another scene's, and only by likeness this one's too.
pub fn taken(path: &str, item: &str, other: u64) -> String {
    format!(
        "not written: the only Plex item that is like it, that of {path} ({item}), is already scene {other}'s. Let Plex scan this \
         scene's own file, give {} a rule by which each scene finds its own item, and save the scene",
        names::of("path_map")
    )
}

/// The item is another scene's, whose file it holds too.
pub fn shared(path: &str, item: &str, other: u64) -> String {
    format!(
        "not written: the Plex item of {path} ({item}) holds a file of scene {other} too, which was first, and shows that scene. \
         To show both, split the item in Plex (Split Apart); if it has one file only, correct {}, which leads both scenes to it",
        names::of("path_map")
    )
}

/// No item holds the file.
pub fn not_in_plex(path: &str) -> String {
    format!("Plex has no file {path} yet")
}

/// Where else it may be: the rest of such a sentence.
pub fn in_another_library(title: &str) -> String {
    let name = names::of("plex_library");
    format!("; the library \"{title}\" holds this folder, and {name} does not name it")
}

/// The same of a file that no scan of Plex can find.
pub fn in_no_library() -> String {
    let name = names::of("path_map");
    format!("; no Plex library holds this folder: add it to one in Plex, or correct {name}")
}

/// The same of an item that nobody can read.
pub fn may_be_unread(item: &str) -> String {
    format!(". If it is {item}, which cannot be read, refresh that item's metadata in Plex")
}

/// The same of a file that speaks for a path map.
pub fn elsewhere(rule: &str) -> String {
    let name = names::of("path_map");
    format!(". It has one of the same name and size elsewhere: set {name} to {rule}")
}

/// The same of one that may be the same one, or not.
pub fn different_file(path: &str) -> String {
    format!(". It has one of this name, {path}, which may be the same video")
}

/// One of several files.
pub fn other_file_not_in_plex(path: &str) -> String {
    format!("its other file is not in Plex yet: {path}")
}

/// An item that nobody can read.
pub fn unreadable(item: &str) -> String {
    format!(
        "What Plex answers about {item} cannot be read: it is left out, the others are not. Refresh its metadata in Plex; \
         report it if that does not help"
    )
}

/// A folder that Plex cannot be asked to scan.
pub fn not_scanned(path: &str) -> String {
    format!(
        "Plex was not asked to scan {path}: no library that is searched holds this folder. Add it to one in Plex, or correct \
         {}",
        names::of("path_map")
    )
}

/// What became of a damaged database.
pub fn replaced(salvage: &Salvage) -> String {
    // What the queue says ends with an advice for programs.
    let found = salvage.reason.split("): ").next().unwrap_or_default();
    let found = found.replacen("the queue file is damaged (", "", 1);
    let lost = match salvage.lost.as_slice() {
        [] => String::new(),
        lost => format!(". Lost: {}", lost.join("; ")),
    };
    format!(
        "Stash2Plex's database was damaged and has been replaced (Stash's own is another); {} waiting and {} failed were rescued from it. \
         To find the changes that were lost, if any, run {RECONCILE_ALL}. If this happens again, check the disk for errors. The \
         old file is kept as {}. If you report this, add: {found}{lost}",
        count(salvage.jobs, "change", "changes"),
        salvage.dead,
        salvage.set_aside.display(),
    )
}
