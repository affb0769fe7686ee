//! How is the simulated Plex set up?

use std::time::Duration;

/// What an indexed tag edit (`genre[0].tag.tag=…`) does to the tags that are there. Public sources
/// contradict one another, so a client must be right under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagMode {
    /// They stay; the new ones are added.
    #[default]
    Add,
    /// They go.
    Replace,
}

/// What the undocumented `file=` filter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFilter {
    /// Items with a file whose path contains the text, byte by byte: neither case nor normal form
    /// is folded.
    #[default]
    Substring,
    /// The same without regard to case and to how accents are composed (NFC or NFD).
    Folded,
    /// Items with a file of exactly this name, byte by byte; a path finds nothing.
    BaseName,
    /// A comma is "or", as in Plex's other filters: each piece is a text that the path may contain.
    CommaIsOr,
    /// A text with a comma finds nothing; others are contained.
    CommaFindsNothing,
    /// Nothing: the whole library comes back, as with every filter Plex does not know.
    Ignored,
}

/// How the simulated server is set up and behaves. [`PlexServer::set`](super::PlexServer::set)
/// changes it while it runs.
#[derive(Debug, Clone)]
pub struct PlexOptions {
    /// The owner's token; `None` is an unclaimed server, which needs none.
    pub token: Option<String>,
    /// A token of a user the libraries are shared with: reads, is told of no file and no folder,
    /// may neither edit nor read the settings.
    pub guest_token: Option<String>,
    /// The status of what that user may not do: 401 or 403.
    pub guest_refusal: u16,
    /// 40 hexadecimal digits.
    pub machine_identifier: String,
    /// As `/identity` tells it.
    pub version: String,
    /// Shown by `/` while the server is starting, for instance `startingPlugins`.
    pub start_state: Option<String>,
    /// Add or replace.
    pub tag_mode: TagMode,
    /// What the `file=` filter does.
    pub file_filter: FileFilter,
    /// A moved file keeps its item's `ratingKey`, as Plex does when it knows the file again.
    pub moves_keep_keys: bool,
    /// Whether `/library/sections` tells the folders of the libraries.
    pub tells_locations: bool,
    /// Of several removals (`genre[].tag.tag-=…`) in one edit only the first counts.
    pub one_removal_per_edit: bool,
    /// An edit locks its fields although it does not say so.
    pub edits_lock: bool,
    /// Most items a page holds, whatever is asked.
    pub page_limit: usize,
    /// Numbers and truth values come as strings, as other server versions write them.
    pub loose_types: bool,
    /// Longer request lines get 400, in bytes.
    pub line_limit: usize,
    /// Longer request lines get 414 from a proxy in front, in bytes.
    pub proxy_line_limit: Option<usize>,
    /// Whether error answers bear `X-Plex-Protocol`; for 401 and 503 nobody has recorded it.
    pub protocol_on_errors: bool,
    /// How long a scan takes until its finds appear.
    pub scan_takes: Duration,
    /// Fixed time in Unix seconds instead of the real one.
    pub now: Option<i64>,
    /// Idle connections are closed after this, and `Keep-Alive: timeout=` says so in whole seconds.
    /// Fixed at the start.
    pub keep_alive: Duration,
}

impl Default for PlexOptions {
    fn default() -> Self {
        Self {
            token: Some("plex-owner-token-7Qk2".to_owned()),
            guest_token: None,
            guest_refusal: 403,
            machine_identifier: "5173a1b2c3d4e5f60718293a4b5c6d7e8f901234".to_owned(),
            version: "1.43.1.10611-1e34174b1".to_owned(),
            start_state: None,
            tag_mode: TagMode::default(),
            file_filter: FileFilter::default(),
            moves_keep_keys: false,
            tells_locations: true,
            one_removal_per_edit: false,
            edits_lock: false,
            page_limit: 1000,
            loose_types: false,
            line_limit: 30_000,
            proxy_line_limit: None,
            protocol_on_errors: true,
            scan_takes: Duration::ZERO,
            now: None,
            keep_alive: Duration::from_secs(20),
        }
    }
}
