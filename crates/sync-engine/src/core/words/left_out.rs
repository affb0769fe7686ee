//! What Plex does not get of a scene, why, and what helps.

use scene_sync::{Note, Part};
use stash::client::Error;

use crate::core::settings::names;
use crate::core::words::format::count;

/// It is told once of each scene.
pub fn left_out(what: &str) -> String {
    format!("left out: {what}")
}

/// What was lost on the way from a scene to what is wanted of it.
pub fn lost(note: &Note, by_request: bool) -> String {
    match note {
        Note::PartialDate(date) => {
            format!("the date {date}, which has no day. Complete it in Stash")
        }
        Note::UnknownDate => {
            "the date, which is not in the calendar. Correct it in Stash".to_owned()
        }
        Note::Shortened(field) => {
            format!("the end of the {field}, which is longer than Plex takes. Shorten it in Stash")
        }
        Note::TooMany(kind, lost) => {
            let (one, many) = (kind.to_string(), format!("{kind}s"));
            let lost = count(*lost as u64, &one, &many);
            match by_request {
                true => format!("{lost}, more than one request to this Plex holds"),
                false => format!(
                    "{lost}, more than max_tags allows. Raise it through Stash's API, as the guide says, to write all"
                ),
            }
        }
        note => note.to_string(),
    }
}

/// A cover that Plex cannot show.
pub fn cover_left_out(why: &Error) -> String {
    match why {
        Error::TooLarge { limit } => {
            let limit = limit / 1_000_000;
            format!("the cover, which is larger than {limit} MB. Choose a smaller one in Stash")
        }
        Error::NotAPicture { content_type } => format!(
            "the cover, which is {content_type}. Choose a JPEG, PNG or WebP picture in Stash"
        ),
        why => format!("the cover: {why}"),
    }
}

/// A cover that Stash does not give, and whether it is fetched again by itself.
pub fn cover_not_given(why: &str, by_itself: bool) -> String {
    let again = match by_itself {
        true => "It is fetched again by itself",
        false => {
            "The scene's next save or a reconciliation fetches it again. If this lasts, look into Stash's log"
        }
    };
    format!("the cover, which Stash did not give ({why}). {again}")
}

/// Items that may be in a library that cannot be searched.
pub fn not_searched(why: &str) -> String {
    format!(
        "items in one library, if any, since {why}. A save or a reconciliation searches it again. If this lasts, look into Plex's \
         log, or leave the library out by naming the others in {}",
        names::of("plex_library")
    )
}

/// Why a picture counts as refused that was answered like any other.
pub const PICTURE_NOT_SHOWN: &str = "Plex answered that it has the picture, but shows none";

/// What a scene is synced without.
pub fn synced_without(what: &str) -> String {
    format!("synced without {what}")
}

/// What Plex was told twice and does not show.
pub fn not_shown(fields: &str) -> String {
    format!("Plex does not show what was sent of {fields}; {NOT_SHOWN}")
}

/// The same in the list of what Plex does not get.
pub fn not_shown_left_out(fields: &str) -> String {
    format!("{fields}, which was sent and which Plex does not show; {NOT_SHOWN}")
}

const NOT_SHOWN: &str = "the next save or reconciliation tries again. If Plex does not show it then either, refresh the item's \
                         metadata in Plex";

/// A part that an item does not take.
pub fn part_refused(part: Part, why: &str, passes: bool) -> String {
    let again = part_again(part, passes);
    format!("synced without its {part}: {why}. {again}")
}

/// The same in the list of what Plex does not get.
pub fn part_left_out(part: Part, passes: bool) -> String {
    let why = match passes {
        true => "at which Plex failed",
        false => "which Plex, or a proxy in front of it, does not take",
    };
    format!("the {part}, {why}. {}", part_again(part, passes))
}

fn part_again(part: Part, passes: bool) -> &'static str {
    match passes {
        false if matches!(part, Part::Poster | Part::Background) => {
            "Raise the upload limit of the proxy in front of Plex (nginx: client_max_body_size), or enter Plex's own address in \
             Plex address (plex_url); then run Sync All Scenes. Another cover in Stash is sent by itself"
        }
        true => {
            "Run Sync All Scenes to send it again, and look into Plex's log if that does not help. By itself it is sent with the \
             scene's next save, or the next reconciliation, when an hour has passed"
        }
        false => "It is sent again when it changes in Stash, or with Sync All Scenes",
    }
}
