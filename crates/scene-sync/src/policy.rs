//! What does the user want synced, and how?

use std::collections::BTreeSet;

use crate::{Field, Unsupported};

/// What to sync and how. The default syncs all but the ratings, and Stash wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A field that was changed by hand in Plex stays. Off: Stash wins.
    pub preserve_plex_edits: bool,
    /// The texts that the scene decides; the content rating is not among them.
    pub fields: BTreeSet<Field>,
    /// What to do with a date of only a year or a month.
    pub partial_dates: PartialDates,
    /// Performers as actors.
    pub performers: bool,
    /// Tags as genres.
    pub tags: bool,
    /// Studio as collection.
    pub collection: bool,
    /// Rating as user rating.
    pub rating: bool,
    /// The content rating every synced item gets, such as `XXX`; none leaves it alone.
    pub content_rating: Option<String>,
    /// Cover as poster.
    pub poster: bool,
    /// Cover as background.
    pub background: bool,
    /// Parts that an item refused are tried again even when they are the same. Not part of the
    /// content hash.
    pub retry_refused: bool,
    /// At most this many tags become genres.
    pub max_tags: usize,
    /// At most this many performers become actors.
    pub max_performers: usize,
    /// Longest text in bytes once percent-encoded: Plex takes edits in the request line, and common
    /// proxies refuse lines over 8,192 bytes. Longer text is cut between characters.
    pub max_encoded: usize,
    /// Longest tag list in bytes once encoded for a request, per kind: a Plex that replaces lists
    /// needs each whole in one request. Names that find no room are left out. None: no limit. Not
    /// part of the [`content_hash`](crate::content_hash).
    pub max_list_encoded: Option<usize>,
    /// What the items of this library cannot hold: not sent, and not on record.
    /// Not part of the [`content_hash`](crate::content_hash).
    pub unsupported: Unsupported,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            preserve_plex_edits: false,
            fields: Field::ALL.into(),
            partial_dates: PartialDates::Complete,
            performers: true,
            tags: true,
            collection: true,
            rating: false,
            content_rating: None,
            poster: true,
            background: true,
            retry_refused: false,
            max_tags: 100,
            max_performers: 50,
            max_encoded: 7200,
            max_list_encoded: None,
            unsupported: Unsupported::default(),
        }
    }
}

/// Plex takes only whole dates; Stash 0.30 and later also has `YYYY` and `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartialDates {
    /// The first day of the year or month, so that Plex shows the right year.
    #[default]
    Complete,
    /// Leave the date in Plex as it is.
    Skip,
}
