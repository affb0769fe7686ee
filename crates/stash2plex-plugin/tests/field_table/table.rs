//! The table: the user guide's "What is written", cell by cell.

use serde_json::{Value, json};
use simulators::PlexServer;

use crate::field::Field;

/// What happened to the value in Stash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InStash {
    /// It is there and was never synced.
    Set,
    /// It is another than the one synced before.
    Changed,
    /// It was synced before and is gone.
    Cleared,
}

/// What happened to the item: before the first sync of a value that is set, after it otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InPlex {
    Untouched,
    /// It shows something else and has no lock, as after an agent or a tool. In a list one of ours
    /// is gone and a foreign tag came.
    Edited,
    /// The same with a lock, as after a person in Plex Web.
    EditedAndLocked,
    /// A person locked what it shows.
    Locked,
}

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    StashWins,
    /// `preserve_plex_edits`.
    Preserve,
    /// Every field's own switch is turned off after the first sync.
    FieldsOff,
    /// `sync_master` is turned off after the first sync.
    AllOff,
}

/// What the item shows in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ends {
    AsItWas,
    AsStash,
    /// Of a list: what Stash has, and what somebody else put there.
    StashAndForeign,
    /// The same without those of ours that a person took off.
    StashButTakenOffAndForeign,
}

pub fn ends(field: Field, stash: InStash, plex: InPlex, mode: Mode) -> Ends {
    use Ends::{AsItWas, AsStash, StashAndForeign, StashButTakenOffAndForeign};
    use Field::{Background, Poster, Rating, Title};
    use InPlex::{Edited, EditedAndLocked, Locked};
    use InStash::{Changed, Cleared, Set};
    match (mode, field, stash, plex) {
        (Mode::AllOff, ..) => AsItWas,
        // The title has no switch of its own.
        (Mode::FieldsOff, Title, Set | Changed, _) => AsStash,
        (Mode::FieldsOff, ..) => AsItWas,

        // An empty title never clears one, and without a cover there is nothing to show instead.
        (_, Title | Poster | Background, Cleared, _) => AsItWas,

        // Tags, actors and collections that someone else put there stay in every mode.
        (Mode::StashWins, field, ..) if field.is_list() => StashAndForeign,
        (Mode::Preserve, field, ..) if field.is_list() => StashButTakenOffAndForeign,

        // Set by the settings, so never gone.
        (Mode::StashWins, Field::ContentRating, ..) => AsStash,
        // Only what this plugin sent is ever removed.
        (_, _, Cleared, Edited | EditedAndLocked) => AsItWas,
        (Mode::StashWins, ..) => AsStash,

        (Mode::Preserve, _, Changed, Edited | EditedAndLocked) => AsItWas,
        // Before the first sync only the lock tells a person's value from an agent's. No agent
        // gives stars.
        (Mode::Preserve, _, Set, EditedAndLocked) => AsItWas,
        (Mode::Preserve, Rating, Set, Edited) => AsItWas,
        // These are never empty, so that there is something that a person can have locked.
        (Mode::Preserve, Title | Poster | Background, Set, Locked) => AsItWas,
        (Mode::Preserve, ..) => AsStash,
    }
}

impl Mode {
    /// For the first sync.
    pub fn settings_before(self) -> Value {
        let mut settings = all_on();
        settings["preserve_plex_edits"] = json!(self == Self::Preserve);
        settings
    }

    pub fn settings(self) -> Value {
        let mut settings = self.settings_before();
        match self {
            Self::StashWins | Self::Preserve => {}
            Self::FieldsOff => {
                for field in Field::ALL {
                    settings[field.switch()] = json!(field == Field::Title);
                }
            }
            Self::AllOff => settings["sync_master"] = json!(false),
        }
        settings
    }
}

/// Settings that sync every field.
pub fn all_on() -> Value {
    Field::ALL
        .into_iter()
        .map(|field| (field.switch().to_owned(), json!(true)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl InPlex {
    pub const ALL: [Self; 4] = [
        Self::Untouched,
        Self::Edited,
        Self::EditedAndLocked,
        Self::Locked,
    ];

    /// Lets it happen.
    pub fn act(self, plex: &PlexServer, key: u64, field: Field) {
        if matches!(self, Self::Edited | Self::EditedAndLocked) {
            field.edit_in_plex(plex, key);
        }
        let lock = field.lock();
        match self {
            Self::Untouched => {}
            Self::Edited => plex.change(key, |item| _ = item.locked.remove(lock)),
            Self::EditedAndLocked | Self::Locked => {
                plex.change(key, |item| _ = item.locked.insert(lock.to_owned()));
            }
        }
    }
}
