//! What the tasks of a first run say: the path map that is proposed, and what would be written.

use scene_sync::{Proposal, SuggestedRule};

use crate::core::compare::{Change, Listed, Names, Report};
use crate::core::obfuscate::Paths;
use crate::core::settings::{names, path_map_entry};
use crate::core::words;
use crate::core::words::format::count;
use crate::core::words::next_step::{suggested, suggested_hidden};
use crate::core::words::status::{Line, info, warn};

/// Find Path Map.
pub fn proposal(proposal: &Proposal, paths: Paths) -> Vec<Line> {
    let name = names::of("path_map");
    let both = count(proposal.scenes, "scene has", "scenes have");
    let both = format!("{both} a file that Plex has too, known by its name and size");
    if proposal.scenes == 0 {
        return vec![warn(format!(
            "{name}: nothing to propose, since for no file of Stash Plex has exactly one of the same name and size. See that Stash \
             has scanned its files, and Plex the same ones, in a library that {} names; then run Find Path Map again. Or enter a folder of Stash, =>, and \
             what Plex calls it, such as /data=>/media/videos",
            names::of("plex_library")
        ))];
    }
    if proposal.agrees() {
        return vec![info(format!(
            "{name}: right as it is. {both}, and each is where Plex has it"
        ))];
    }
    let right = match proposal.right {
        0 => format!("{both}, and the path agrees for none"),
        n => format!("{both}; the path agrees for {n} of them"),
    };
    if proposal.rules.is_empty() {
        return vec![
            info(right),
            warn(format!(
                "{name}: nothing to propose. The other files lie in folders that lead to no common place in Plex"
            )),
        ];
    }
    let mut lines = vec![info(right)];
    for rule in &proposal.rules {
        lines.extend(rule_lines(rule, paths));
    }
    let map = proposal.map();
    let entries: Vec<_> = map
        .iter()
        .filter_map(|(from, to)| path_map_entry(from, to))
        .collect();
    if entries.len() < map.len() {
        lines.push(warn(format!(
            "{name}: a folder whose name holds ; or => cannot be entered, nor one that begins or ends with a blank: rename it"
        )));
    }
    if proposal.wrong > 0 {
        lines.push(info(format!(
            "{} would still not be found by the path",
            count(proposal.wrong, "scene", "scenes")
        )));
    }
    if !paths.hidden && !entries.is_empty() {
        lines.push(info(format!(
            "No setting was changed. {}Next step: replace what stands in {name} by what follows, then run Compare Only: {}",
            moved(proposal.right),
            entries.join("; ")
        )));
    }
    lines
}

/// Where other files are found by the path, some may only be ahead of Plex.
fn moved(right: u64) -> &'static str {
    match right {
        0 => "",
        _ => {
            "If files were moved lately, let Plex scan and run Find Path Map again before you use this. "
        }
    }
}

fn rule_lines(rule: &SuggestedRule, paths: Paths) -> Vec<Line> {
    if paths.hidden {
        return vec![info(suggested_hidden(rule.scenes))];
    }
    let SuggestedRule { from, to, .. } = rule;
    let mut lines = vec![info(suggested(&format!("{from}=>{to}"), rule.scenes))];
    lines.extend(
        rule.examples
            .iter()
            .map(|(stash, plex)| info(format!("For example {stash}, which is {plex} in Plex"))),
    );
    lines
}

/// Compare Only.
pub fn compared(report: &Report, paths: Paths) -> Vec<Line> {
    let mut lines = vec![info(format!(
        "Compared {}: {} would be written, {} with nothing to write, {} not found in Plex. Nothing was written",
        count(report.compared, "scene", "scenes"),
        report.would_change,
        report.equal,
        report.not_in_plex
    ))];
    if report.compared > 0 && report.not_in_plex == report.compared {
        lines.push(warn(
            "None of them was found in Plex, so that Sync All Scenes would write nothing. Next step: run the task Find Path Map, or \
             scan the library in Plex, and see that Plex libraries (plex_library) names it; then run Compare Only again",
        ));
    }
    if !report.fields.is_empty() {
        let fields = report.fields.iter();
        let fields: Vec<_> = fields.map(|(field, n)| format!("{field} {n}")).collect();
        lines.push(info(format!(
            "Would be written, by field: {}",
            fields.join(", ")
        )));
    }
    lines.extend(report.scenes.iter().map(|one| info(listed(one))));
    let more = report
        .would_change
        .saturating_sub(report.scenes.len() as u64);
    if more > 0 {
        lines.push(info(format!(
            "and {}",
            count(more, "scene more", "scenes more")
        )));
    }
    lines.extend(missing(report));
    lines.extend(several(report));
    lines.extend(fileless(report));
    lines.extend(left_alone(report));
    lines.extend(not_compared(report));
    lines.extend(hinted(report, paths));
    lines
}

/// Which scenes were not found, where others were.
fn missing(report: &Report) -> Option<Line> {
    let some = report.not_in_plex > 0 && report.not_in_plex < report.compared;
    let which = which(&report.missing, report.not_in_plex);
    let unread = report.unread.as_deref();
    let unread = unread.map_or_else(String::new, words::may_be_unread);
    some.then(|| {
        info(format!(
            "Not found in Plex: {which}. Scan the library in Plex, or run the task Find Path Map{unread}"
        ))
    })
}

/// Which scenes are not written, since nobody can tell to which item.
fn several(report: &Report) -> Option<Line> {
    let which = which(&report.several, report.ambiguous);
    (report.ambiguous > 0).then(|| {
        info(format!(
            "Not written, since several Plex items may be meant: {which}. Fill in {} so that full paths agree, or turn {} off, so that the \
             likeliest one is written",
            names::of("path_map"),
            names::of("strict_matching")
        ))
    })
}

/// Which scenes a sync would name as failed.
fn fileless(report: &Report) -> Option<Line> {
    let which = which(&report.fileless, report.without_file);
    (report.without_file > 0).then(|| {
        info(format!(
            "Without a file, so that a sync would fail: {which}. Give a scene a file in Stash, or delete it there"
        ))
    })
}

/// Some scenes by their ids, and how many more there are.
fn which(first: &[u64], all: u64) -> String {
    let noun = if all == 1 { "scene" } else { "scenes" };
    let listed: Vec<_> = first.iter().map(u64::to_string).collect();
    let more = match all.saturating_sub(first.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{noun} {}{more}", listed.join(", "))
}

fn left_alone(report: &Report) -> impl Iterator<Item = Line> {
    let left = [
        (report.without_metadata, "without metadata, left alone"),
        (
            report.shown_as_others,
            "whose Plex items show another scene",
        ),
    ];
    let left = left.into_iter().filter(|(scenes, _)| *scenes > 0);
    left.map(|(scenes, what)| info(format!("{} {what}", count(scenes, "scene", "scenes"))))
}

fn not_compared(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    if report.unknown > 0 {
        let first = report.first_unknown.as_deref().unwrap_or_default();
        lines.push(warn(format!(
            "{} could not be compared; the first: {first}. Run Compare Only again; if it says the same, report it, with the versions of Stash \
             and Plex",
            count(report.unknown, "scene", "scenes")
        )));
    }
    if report.covers_unknown > 0 {
        lines.push(info(format!(
            "Covers were not compared for {}, since that takes a download: Sync All Scenes sets those that Plex does not \
             show yet",
            count(report.covers_unknown, "scene", "scenes")
        )));
    }
    lines
}

fn hinted(report: &Report, paths: Paths) -> impl Iterator<Item = Line> {
    let mut hints: Vec<_> = report.hints.iter().collect();
    hints.sort_by_key(|(_, scenes)| std::cmp::Reverse(**scenes));
    hints.into_iter().take(3).map(move |(rule, scenes)| {
        let words = match paths.hidden {
            true => suggested_hidden(*scenes),
            false => suggested(rule, *scenes),
        };
        info(format!(
            "{words}. The task Find Path Map says what to enter"
        ))
    })
}

fn listed(one: &Listed) -> String {
    let title = match one.title.as_str() {
        "" => String::new(),
        title => format!(" \"{title}\""),
    };
    let changes: Vec<_> = one.changes.iter().map(change).collect();
    let Listed { scene, item, .. } = one;
    format!(
        "Scene {scene}{title} (Plex item {item}): {}",
        changes.join("; ")
    )
}

fn change(change: &Change) -> String {
    let value = |text: &str| match text {
        "" => "empty".to_owned(),
        text => format!("\"{text}\""),
    };
    match change {
        Change::Value { field, from, to } => {
            format!("{field} from {} to {}", value(from), value(to))
        }
        Change::List { field, add, remove } => {
            let parts = [("add", add), ("remove", remove)];
            let parts = parts
                .into_iter()
                .filter(|(_, names)| !names.first.is_empty());
            let parts: Vec<_> = parts
                .map(|(what, names)| format!("{what} {}", quoted(names)))
                .collect();
            format!("{field}: {}", parts.join(", "))
        }
        Change::Picture { field } => format!("{field}: the cover, unless it is shown already"),
    }
}

fn quoted(names: &Names) -> String {
    let quoted: Vec<_> = names
        .first
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let quoted = quoted.join(", ");
    match names.more {
        0 => quoted,
        more => format!("{quoted} and {more} more"),
    }
}

/// Why a task that asks both servers cannot go on.
pub fn stopped(why: &str) -> String {
    format!("Stopped, and nothing was written: {why}")
}
