//! Which Plex items hold a scene's files?
//!
//! Two files are the same if their paths are ([`by_path`]). Likeness ([`by_likeness`]) is for files
//! whose path says nothing, because no folder of any Plex library covers it: the path map is
//! missing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SceneFile;
use crate::path::{self, Path};

/// A file of an item in Plex. An item with several files gives several candidates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// The item's key.
    pub item: String,
    /// The path as Plex writes it (`Part.file`).
    pub path: String,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The duration in seconds.
    pub duration: Option<f64>,
    /// The item is in Plex's trash (`deletedAt`): its files were gone when Plex last looked.
    pub trashed: bool,
}

/// An item that holds a file of the scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The item's key.
    pub item: String,
    /// The file's path as Plex writes it.
    pub path: String,
    /// Which of the scene's files it is, as an index.
    pub file: usize,
    /// How it is known.
    pub evidence: Evidence,
}

/// How an item is known to hold a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It has the very path.
    Path,
    /// It has the path in other case, and the size: the disk does not tell case apart.
    PathButCase,
    /// It has the name, and more.
    Likeness(Reason),
}

impl Evidence {
    /// Whether a person has to say if this is the item: others fit equally well, or only the name
    /// agrees.
    ///
    /// ```
    /// use scene_sync::matching::{Evidence, Reason};
    /// assert!(Evidence::Likeness(Reason::NameOnly).is_guess());
    /// assert!(!Evidence::Path.is_guess());
    /// ```
    #[must_use]
    pub fn is_guess(self) -> bool {
        matches!(
            self,
            Self::Likeness(
                Reason::SeveralAlike | Reason::NameOnly | Reason::OtherFiles | Reason::NotThere
            )
        )
    }
}

/// Every item that holds one of the files, by its path.
///
/// `files` have the paths they have for Plex: see [`PathMap`](crate::PathMap). Items come in the
/// order of files, then of candidates, each once. An item in the trash counts for a file that no
/// other item holds: when the file comes back, so does the item.
///
/// ```
/// use scene_sync::SceneFile;
/// use scene_sync::matching::{Candidate, by_path};
///
/// let file = |path: &str| SceneFile { path: path.into(), ..SceneFile::default() };
/// let in_plex = |item: &str, path: &str| Candidate {
///     item: item.into(),
///     path: path.into(),
///     ..Candidate::default()
/// };
/// let files = [file("/media/A/x.mp4"), file("/media/A/x-2160p.mp4")];
/// let candidates = [
///     in_plex("7", "/media/A/x.mp4"),
///     in_plex("8", "/media/B/x.mp4"),
///     in_plex("9", "/media/A/x-2160p.mp4"),
/// ];
/// let items: Vec<_> = by_path(&files, &candidates).into_iter().map(|bound| bound.item).collect();
/// assert_eq!(items, ["7", "9"]);
/// ```
pub fn by_path(files: &[SceneFile], candidates: &[Candidate]) -> Vec<Bound> {
    let keys: Vec<_> = files.iter().map(|file| path::key(&file.path)).collect();
    let held = candidates.iter().map(|held| (path::key(&held.path), held));
    let held: Vec<_> = held.collect();
    let mut bound: Vec<Bound> = Vec::new();
    for (index, (file, key)) in files.iter().zip(&keys).enumerate() {
        let exact = held.iter().filter(|(held, _)| held == key);
        let mut found: Vec<_> = exact.map(|(_, held)| *held).collect();
        let mut evidence = Evidence::Path;
        if found.is_empty() {
            evidence = Evidence::PathButCase;
            // What another file of the scene has the very path of is that one's.
            let free = held.iter().filter(|(held, _)| !keys.contains(held));
            found = free.map(|(_, held)| *held).collect();
            found.retain(|held| same_but_case(file, held));
        }
        if found.iter().any(|held| !held.trashed) {
            found.retain(|held| !held.trashed);
        }
        let several = found.windows(2).any(|two| two[0].item != two[1].item);
        if evidence == Evidence::PathButCase && several {
            continue;
        }
        for held in found {
            if bound.iter().all(|earlier| earlier.item != held.item) {
                bound.push(Bound {
                    item: held.item.clone(),
                    path: held.path.clone(),
                    file: index,
                    evidence,
                });
            }
        }
    }
    bound
}

/// Only a size that both know and that is equal tells a disk that ignores case from two files.
fn same_but_case(file: &SceneFile, held: &Candidate) -> bool {
    path::loose_key(&file.path) == path::loose_key(&held.path)
        && same_size(file, held) == Some(true)
        && same_duration(file, held) != Some(false)
}

/// What a look for a file by its likeness comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "likeness")]
pub enum Likeness {
    /// This item: more than the name agrees, and nothing speaks against it.
    One {
        /// The item's key.
        item: String,
        /// The file's path as Plex writes it.
        path: String,
        /// What agrees.
        reason: Reason,
    },
    /// One of these, or none: a person must say which.
    Several {
        /// Their files, best first.
        candidates: Vec<Candidate>,
        /// Why none was chosen.
        reason: Reason,
    },
    /// No item.
    None {
        /// Why.
        reason: Reason,
    },
}

/// Why an item was chosen by likeness, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Same file name and size.
    SameNameAndSize,
    /// Same file name in a folder of the same name; a size is not known.
    SameNameAndFolder,
    /// Same file name and duration; a size is not known.
    SameNameAndDuration,
    /// Several items fit equally well.
    SeveralAlike,
    /// Only the file name agrees, and nothing more is known.
    NameOnly,
    /// Files of this name are there, but all of another size, duration or scene.
    OtherFiles,
    /// No file of this name.
    NotThere,
}

/// The item that holds the file, judged by its name and what else is known of it.
///
/// Only for a file whose mapped path no folder of any Plex library [covers](path::covers): where
/// one does, the path is the answer. `owned` says that an item is another scene's; it is never
/// taken. A size or duration that both sides know and that differs rules an item out, whatever else
/// agrees.
///
/// A file that several items hold (it is in two libraries) is one answer, with the first of them:
/// all come from [`by_path`] with the path found.
///
/// ```
/// use scene_sync::SceneFile;
/// use scene_sync::matching::{Candidate, Likeness, by_likeness};
///
/// let file = SceneFile { path: "/data/A/x.mp4".into(), size: Some(100), duration: None };
/// let in_plex = |item: &str, path: &str, size| Candidate {
///     item: item.into(),
///     path: path.into(),
///     size: Some(size),
///     ..Candidate::default()
/// };
/// let candidates = [in_plex("7", "/media/A/x.mp4", 99), in_plex("8", "/media/B/x.mp4", 100)];
/// let found = by_likeness(&file, &candidates, |_| false);
/// assert_eq!(found.to_string(), "/media/B/x.mp4 (item 8): same file name and size");
/// ```
pub fn by_likeness(
    file: &SceneFile,
    candidates: &[Candidate],
    owned: impl Fn(&str) -> bool,
) -> Likeness {
    let names = Path::parse(&file.path).names();
    let alike = |held| Alike::of(file, &names, held);
    let mut left: Vec<_> = candidates.iter().filter_map(alike).collect();
    let there = !left.is_empty();
    left.retain(|one| !one.contradicted() && !owned(&one.held.item));

    let strong = left.iter().filter(|one| one.strong().is_some());
    let best = strong.map(Alike::rank).max();
    if best.is_some() {
        left.retain(|one| one.strong().is_some() && Some(one.rank()) == best);
    }
    let Some(first) = left.first() else {
        let reason = match there {
            true => Reason::OtherFiles,
            false => Reason::NotThere,
        };
        return Likeness::None { reason };
    };
    let very = path::key(&first.held.path);
    let mut held = left.iter().map(|one| one.held);
    let one = held.all(|held| held.item == first.held.item || path::key(&held.path) == very);
    match first.strong() {
        Some(reason) if one => Likeness::One {
            item: first.held.item.clone(),
            path: first.held.path.clone(),
            reason,
        },
        _ => Likeness::Several {
            candidates: left.iter().map(|one| one.held.clone()).collect(),
            reason: match best {
                Some(_) => Reason::SeveralAlike,
                None => Reason::NameOnly,
            },
        },
    }
}

/// How far a file of the same name agrees.
struct Alike<'a> {
    held: &'a Candidate,
    same_size: Option<bool>,
    /// Parent folders of the same name, from the file upwards.
    folders: usize,
    same_duration: Option<bool>,
}

impl<'a> Alike<'a> {
    fn of(file: &SceneFile, names: &[String], held: &'a Candidate) -> Option<Self> {
        let others = Path::parse(&held.path).names();
        let pairs = names.iter().rev().zip(others.iter().rev());
        let same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        Some(Self {
            held,
            same_size: same_size(file, held),
            folders: same.checked_sub(1).filter(|_| !held.trashed)?,
            same_duration: same_duration(file, held),
        })
    }

    fn contradicted(&self) -> bool {
        self.same_size == Some(false) || self.same_duration == Some(false)
    }

    /// What agrees beyond the name.
    fn strong(&self) -> Option<Reason> {
        match (self.same_size, self.folders, self.same_duration) {
            (Some(true), ..) => Some(Reason::SameNameAndSize),
            (_, 1.., _) => Some(Reason::SameNameAndFolder),
            (_, _, Some(true)) => Some(Reason::SameNameAndDuration),
            _ => None,
        }
    }

    fn rank(&self) -> (Option<bool>, usize, Option<bool>) {
        (self.same_size, self.folders, self.same_duration)
    }
}

fn same_size(file: &SceneFile, held: &Candidate) -> Option<bool> {
    let known = |size: &u64| *size > 0;
    let (ours, theirs) = (file.size.filter(known), held.size.filter(known));
    ours.zip(theirs).map(|(ours, theirs)| ours == theirs)
}

/// Two programs measure the same file a little differently.
fn same_duration(file: &SceneFile, held: &Candidate) -> Option<bool> {
    let (ours, theirs) = file.duration.zip(held.duration)?;
    Some((ours - theirs).abs() <= 2.0_f64.max(0.01 * ours.max(theirs)))
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One { item, path, reason } => write!(f, "{path} (item {item}): {reason}"),
            Self::None { reason } => reason.fmt(f),
            Self::Several { candidates, reason } => {
                write!(f, "{reason}:")?;
                candidates.iter().enumerate().try_for_each(|(nth, one)| {
                    let comma = if nth == 0 { "" } else { "," };
                    write!(f, "{comma} {} (item {})", one.path, one.item)
                })
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameNameAndSize => "same file name and size",
            Self::SameNameAndFolder => "same file name, in a folder of the same name",
            Self::SameNameAndDuration => "same file name and duration",
            Self::SeveralAlike => "several files in Plex fit this one equally well",
            Self::NameOnly => "only the file name agrees, which may be chance",
            Self::OtherFiles => {
                "the files of this name in Plex are others: of another size, another duration or \
                 another scene. Scan the library in Plex, or correct the path map"
            }
            Self::NotThere => {
                "Plex has no file of this name. Scan the library in Plex, or add its folder to one"
            }
        })
    }
}
