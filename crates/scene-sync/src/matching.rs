//! Which Plex item is this scene?

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::{PathMap, SceneFile};

/// A file of an item in Plex. An item with several files gives several candidates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Candidate {
    /// The item's key.
    pub item: String,
    /// The path as Plex sees it (`Part.file`).
    pub path: String,
    /// The size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The duration in seconds.
    #[serde(default)]
    pub duration: Option<f64>,
}

/// The answer, each with its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Without doubt this item.
    Exact {
        /// The item's key.
        item: String,
        /// Why.
        reason: Reason,
    },
    /// This item, by more than its file name.
    Likely {
        /// The item's key.
        item: String,
        /// Why.
        reason: Reason,
    },
    /// One of these, or none: a person should look.
    Ambiguous {
        /// Their files.
        candidates: Vec<Candidate>,
        /// Why.
        reason: Reason,
    },
    /// No item of Plex's.
    None {
        /// Why.
        reason: Reason,
    },
}

/// Why a verdict was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The file has the very path the scene's file has for Plex.
    SamePath,
    /// Same file name and size.
    SameNameAndSize,
    /// Same file name in a folder of the same name.
    SameNameAndFolder,
    /// Same file name and duration.
    SameNameAndDuration,
    /// Several items hold a file of this path.
    SeveralSamePath,
    /// Several items fit equally well.
    SeveralAlike,
    /// Little more than the file name agrees.
    NameOnly,
    /// Files of this name are there, but their size, folder or duration say they are others.
    OtherFiles,
    /// No file of this name.
    NotThere,
    /// The scene has no file.
    NoFile,
}

/// Finds the item of a scene with these files (the primary one first) among candidates.
///
/// A candidate is taken by its full path after mapping; else by its file name, told apart by size, folder and
/// duration. `ignore_case` is for servers on file systems that do not tell case apart; paths of Windows never do.
///
/// ```
/// use scene_sync::matching::{Candidate, Reason, Verdict, find};
/// use scene_sync::{PathMap, SceneFile};
///
/// let files = [SceneFile { path: "/data/A/x.mp4".into(), ..SceneFile::default() }];
/// let candidates = [Candidate { item: "7".into(), path: "/media/A/x.mp4".into(), ..Candidate::default() }];
/// let map = PathMap::parse("/data=>/media")?;
/// let verdict = find(&files, &candidates, &map, false);
/// assert_eq!(verdict, Verdict::Exact { item: "7".into(), reason: Reason::SamePath });
/// # Ok::<(), scene_sync::PathMapError>(())
/// ```
pub fn find(
    files: &[SceneFile],
    candidates: &[Candidate],
    map: &PathMap,
    ignore_case: bool,
) -> Verdict {
    if files.is_empty() {
        return Verdict::None {
            reason: Reason::NoFile,
        };
    }
    let parsed: Vec<Path> = candidates
        .iter()
        .map(|candidate| Path::parse(&candidate.path))
        .collect();
    let mut best = Verdict::None {
        reason: Reason::NotThere,
    };
    for file in files {
        let path = Path::parse(&map.map(&file.path));
        let compared: Vec<_> = candidates
            .iter()
            .zip(&parsed)
            .filter_map(|(candidate, other)| {
                Likeness::of(file, &path, candidate, other, ignore_case)
            })
            .collect();
        let verdict = judge(&compared);
        if verdict.rank() > best.rank() {
            best = verdict;
        }
    }
    best
}

/// The file name as matching compares it at most loosely: a key for an index of Plex's paths, in which every candidate of
/// a scene is found under the key of the scene's path.
///
/// ```
/// use scene_sync::matching::name_key;
/// assert_eq!(name_key(r"D:\Films\Dawn.MP4"), name_key("/data/dawn.mp4"));
/// ```
pub fn name_key(path: &str) -> String {
    Path::parse(path).keys(true).pop().unwrap_or_default()
}

/// How far a candidate of the same file name agrees.
struct Likeness<'a> {
    candidate: &'a Candidate,
    same_path: bool,
    /// Parent folders of the same name, from the file upwards.
    folders: usize,
    same_size: Option<bool>,
    same_duration: Option<bool>,
}

impl<'a> Likeness<'a> {
    fn of(
        file: &SceneFile,
        path: &Path,
        candidate: &'a Candidate,
        other: &Path,
        ignore_case: bool,
    ) -> Option<Self> {
        let fold = ignore_case || path.windows || other.windows;
        let (ours, theirs) = (path.keys(fold), other.keys(fold));
        let same = ours
            .iter()
            .rev()
            .zip(theirs.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        Some(Self {
            candidate,
            same_path: ours == theirs,
            folders: same.checked_sub(1)?,
            same_size: file.size.zip(candidate.size).map(|(a, b)| a == b),
            same_duration: file
                .duration
                .zip(candidate.duration)
                .map(|(a, b)| close(a, b)),
        })
    }

    /// The file agrees in more than its name, and in nothing that counts disagrees.
    fn strong(&self) -> Option<Reason> {
        match (self.same_size, self.folders, self.same_duration) {
            (Some(true), ..) => Some(Reason::SameNameAndSize),
            // Re-encoded in place: Plex shows the old size until it scans again.
            (Some(false), 1.., Some(true)) => Some(Reason::SameNameAndFolder),
            (None, 1.., Some(true) | None) => Some(Reason::SameNameAndFolder),
            (None, 0, Some(true)) => Some(Reason::SameNameAndDuration),
            _ => None,
        }
    }

    /// Nothing but the name agrees and something disagrees: another file.
    fn another_file(&self) -> bool {
        self.folders == 0 && (self.same_size == Some(false) || self.same_duration == Some(false))
    }
}

fn judge(compared: &[Likeness<'_>]) -> Verdict {
    let exact: Vec<_> = compared.iter().filter(|one| one.same_path).collect();
    match one_item(&exact) {
        Some(item) => {
            return Verdict::Exact {
                item,
                reason: Reason::SamePath,
            };
        }
        None if !exact.is_empty() => return ambiguous(&exact, Reason::SeveralSamePath),
        None => {}
    }
    let strong: Vec<_> = compared
        .iter()
        .filter(|one| one.strong().is_some())
        .collect();
    let rank = |one: &Likeness<'_>| (one.same_size, one.folders, one.same_duration);
    let best: Vec<_> = match strong.iter().map(|one| rank(one)).max() {
        Some(top) => strong.into_iter().filter(|one| rank(one) == top).collect(),
        None => Vec::new(),
    };
    if let Some(item) = one_item(&best) {
        let reason = best
            .first()
            .and_then(|one| one.strong())
            .unwrap_or(Reason::NameOnly);
        return Verdict::Likely { item, reason };
    }
    if !best.is_empty() {
        return ambiguous(&best, Reason::SeveralAlike);
    }
    let weak: Vec<_> = compared.iter().filter(|one| !one.another_file()).collect();
    match (compared.is_empty(), weak.is_empty()) {
        (true, _) => Verdict::None {
            reason: Reason::NotThere,
        },
        (false, true) => Verdict::None {
            reason: Reason::OtherFiles,
        },
        (false, false) => ambiguous(&weak, Reason::NameOnly),
    }
}

/// The item, if all of these are files of one.
fn one_item(found: &[&Likeness<'_>]) -> Option<String> {
    let items: BTreeSet<_> = found.iter().map(|one| &one.candidate.item).collect();
    let mut items = items.into_iter();
    items.next().filter(|_| items.next().is_none()).cloned()
}

fn ambiguous(found: &[&Likeness<'_>], reason: Reason) -> Verdict {
    Verdict::Ambiguous {
        candidates: found.iter().map(|one| one.candidate.clone()).collect(),
        reason,
    }
}

/// Two durations in seconds, as two programs measure the same file.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2.0_f64.max(0.01 * a.max(b))
}

impl Verdict {
    /// The item to sync: of an ambiguous verdict none.
    pub fn item(&self) -> Option<&str> {
        match self {
            Self::Exact { item, .. } | Self::Likely { item, .. } => Some(item),
            Self::Ambiguous { .. } | Self::None { .. } => None,
        }
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Exact { reason, .. }
            | Self::Likely { reason, .. }
            | Self::Ambiguous { reason, .. }
            | Self::None { reason } => *reason,
        }
    }

    fn rank(&self) -> (u8, bool) {
        let other = self.reason() == Reason::OtherFiles;
        match self {
            Self::None { .. } => (0, other),
            Self::Ambiguous { .. } => (1, false),
            Self::Likely { .. } => (2, false),
            Self::Exact { .. } => (3, false),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact { item, reason } => write!(f, "item {item}: {reason}"),
            Self::Likely { item, reason } => write!(f, "probably item {item}: {reason}"),
            Self::None { reason } => write!(f, "no item: {reason}"),
            Self::Ambiguous { candidates, reason } => {
                write!(f, "cannot tell which item: {reason}:")?;
                candidates.iter().enumerate().try_for_each(|(nth, one)| {
                    let comma = if nth == 0 { "" } else { "," };
                    write!(f, "{comma} Plex item {} ({})", one.item, one.path)
                })
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SamePath => "the same file",
            Self::SameNameAndSize => "same file name and size",
            Self::SameNameAndFolder => "same file name in a folder of the same name",
            Self::SameNameAndDuration => "same file name and duration",
            Self::SeveralSamePath => "several items hold this very file",
            Self::SeveralAlike => {
                "several files of this name fit equally well; a path map would tell them apart"
            }
            Self::NameOnly => {
                "little more than the file name agrees; a path map would tell for sure"
            }
            Self::OtherFiles => {
                "files of this name are in Plex, but of another size, folder or duration"
            }
            Self::NotThere => "Plex has no file of this name (yet)",
            Self::NoFile => "the scene has no file",
        })
    }
}
