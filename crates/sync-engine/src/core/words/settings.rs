//! What is wrong with a setting, and what is used instead. A value is quoted as far as it is needed
//! to be recognized.

use std::fmt::Display;

use crate::core::settings::names;
use crate::core::words::RECONCILE_ALL;

/// The user wants that nothing is sent.
pub fn paused() -> String {
    format!(
        "{} is off: nothing is sent to Plex, and changes are kept. Turn it on under Settings › Plugins › Stash2Plex, then run the \
         task Process Queue",
        names::of("enabled")
    )
}

/// The user wants that nothing is written.
pub fn read_only() -> String {
    format!(
        "{} is off: nothing is written to Plex, and changes count as done. Turn it on under Settings › Plugins › Stash2Plex, then save \
         again what you saved meanwhile, or run {RECONCILE_ALL}",
        names::of("sync_master")
    )
}

/// Why Plex cannot be asked.
pub const NO_TARGET: &str = "what is wrong above has to be corrected first";

/// The same where Stash does not tell the settings.
pub const SETTINGS_UNKNOWN: &str = "its address is in Stash's settings, which could not be read; run this task again when Stash answers";

/// A switch that is neither on nor off.
pub fn no_switch(value: &str, used: bool) -> String {
    let used = if used { "on" } else { "off" };
    format!(
        "{} is neither on (true) nor off (false); using {used}. Turn it on or off",
        quoted(value)
    )
}

/// A number that is too small or too large.
pub fn outside(value: &str, (least, most): (f64, f64), used: f64) -> String {
    format!("{value} is outside {least}–{most}; using {used}. Enter {least} to {most}")
}

/// What should be a number and is none.
pub fn no_number(value: &str, used: f64) -> String {
    format!(
        "{} is not a number; using {used}. Enter a number",
        quoted(value)
    )
}

/// A part of a number where only whole ones make sense.
pub fn not_whole(value: f64, used: f64) -> String {
    format!("{value} is not a whole number; using {used}")
}

/// A word that is not among those that are understood.
pub fn no_such_word(value: &str, known: &[&str], used: &str) -> String {
    let known = known.join(", ");
    format!("{} is not one of {known}; using {used}", quoted(value))
}

/// An entry of a map; named by its number where paths have to stay out of logs.
pub fn no_pair(nth: usize, entry: Option<&str>) -> String {
    let entry = entry.map_or_else(|| format!("entry {nth}"), quoted);
    format!("{entry} is not of the form /in/stash=>/in/plex; it is left out")
}

/// Two entries for one folder.
pub const TWICE: &str = "it names a folder of Stash twice; using the first";

/// No address.
pub const NO_ADDRESS: &str =
    "it is empty; enter the address of Plex, such as http://192.168.1.10:32400";

/// No token.
pub const NO_TOKEN: &str = "it is empty; enter the token of the server's owner (in Plex, as the owner: ⋯ › Get Info › View XML; it follows \
                            X-Plex-Token= in that page's address). Only a server of no Plex account needs none";

/// A token that was copied in part.
pub const SHORT_TOKEN: &str =
    "it is too short to be a Plex token (at least 10 characters); copy it again";

/// A gradual restart that would slow down.
pub fn falling_ramp(target: f64, initial: f64) -> String {
    format!("{target} is below ramp_initial_rate ({initial}); using {initial} for both")
}

/// An address that leads nowhere.
pub fn no_address(why: impl Display) -> String {
    format!("it is {why}")
}

/// Something that was meant, as far as anybody can tell.
pub fn taken_for(remark: impl Display, used: &str) -> String {
    format!("{remark}; using {used}")
}

fn quoted(text: &str) -> String {
    const ENOUGH: usize = 40;
    match text.char_indices().nth(ENOUGH) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
