//! Paths of another machine, compared without touching a file system: one equality for all uses.

use unicode_normalization::UnicodeNormalization;

/// A path in parts. The first part is the root: `/`, a drive such as `C:`, or `//` for a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub parts: Vec<String>,
    pub windows: bool,
    pub separator: char,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Self {
        let (plain, long) = without_long_prefix(text);
        let share = plain.starts_with(r"\\") || plain.starts_with("//");
        let windows =
            long || share || drive(&plain) || !plain.starts_with('/') && plain.contains('\\');
        let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
        let root = plain.starts_with('/').then_some("/");
        let root = if share { Some("//") } else { root };
        let names = plain
            .split(separators)
            .filter(|part| !part.is_empty() && *part != ".");
        Self {
            parts: root.into_iter().chain(names).map(str::to_owned).collect(),
            windows,
            separator: match windows && plain.contains('\\') {
                true => '\\',
                false => '/',
            },
        }
    }

    /// The parts as they are compared.
    pub(crate) fn keys(&self, fold: bool) -> Vec<String> {
        let key = |part: &String| match fold {
            true => folded(part),
            false => part.nfc().collect(),
        };
        self.parts.iter().map(key).collect()
    }

    /// The parts below the root, as they are compared at most loosely.
    pub(crate) fn names(&self) -> Vec<String> {
        let rooted = self.parts.first().is_some_and(|part| part.starts_with('/'));
        self.keys(true).split_off(usize::from(rooted))
    }

    /// How many parts are below what every path of its disk or host begins with.
    fn below_root(&self) -> usize {
        let is_share = self.parts.first().is_some_and(|part| part == "//");
        let root = if is_share { 2 } else { 1 };
        self.parts.len().saturating_sub(root)
    }

    /// The first `count` parts as the machine of this path writes them.
    pub(crate) fn beginning(&self, count: usize) -> String {
        let mut text = String::new();
        for part in self.parts.iter().take(count) {
            if part.starts_with('/') {
                text.extend(part.chars().map(|_| self.separator));
                continue;
            }
            if !text.is_empty() && !text.ends_with(self.separator) {
                text.push(self.separator);
            }
            text.push_str(part);
        }
        if drive(&text) && count == 1 {
            text.push(self.separator);
        }
        text
    }
}

/// Two paths lead to the same file if and only if their keys are equal.
///
/// Separators, `\\?\` prefixes, `.` and doubled separators do not count, nor does it whether
/// letters are composed. Case counts, except in paths of Windows (with a drive letter, or of a
/// share).
///
/// ```
/// use scene_sync::path::key;
/// assert_eq!(key(r"\\?\D:\Films\Dawn.mp4"), key("d:/films/DAWN.mp4"));
/// assert_eq!(key(r"\\?\UNC\nas\films\x.mp4"), key("//NAS/films/x.mp4"));
/// assert_eq!(key("/media/./e\u{301}//x.mp4"), key("/media/\u{e9}/x.mp4"));
/// assert_ne!(key("/media/X.mp4"), key("/media/x.mp4"));
/// ```
pub fn key(path: &str) -> String {
    let path = Path::parse(path);
    joined(&path.keys(path.windows))
}

/// The [`key`] without case: an index by it finds every file that [`by_path`] may accept.
///
/// ```
/// use scene_sync::path::loose_key;
/// assert_eq!(loose_key("/media/X.mp4"), loose_key("/media/x.MP4"));
/// ```
///
/// [`by_path`]: crate::matching::by_path
pub fn loose_key(path: &str) -> String {
    joined(&Path::parse(path).keys(true))
}

/// The [`loose_key`] of the file name alone: an index by it finds every file that [`by_likeness`]
/// may accept.
///
/// ```
/// use scene_sync::path::name_key;
/// assert_eq!(name_key(r"D:\Films\Dawn.MP4"), name_key("/data/dawn.mp4"));
/// ```
///
/// [`by_likeness`]: crate::matching::by_likeness
pub fn name_key(path: &str) -> String {
    Path::parse(path).names().pop().unwrap_or_default()
}

/// Whether the path is this folder or below it, whatever the case.
///
/// ```
/// use scene_sync::path::covers;
/// assert!(covers("/media/films/", "/media/films/a/x.mp4"));
/// assert!(covers("d:", r"D:\Films\x.mp4"));
/// assert!(!covers("/media/films", "/media/films2/x.mp4"));
/// ```
pub fn covers(folder: &str, path: &str) -> bool {
    let folder = Path::parse(folder).keys(true);
    !folder.is_empty() && Path::parse(path).keys(true).starts_with(&folder)
}

/// The path as the machine of this folder writes it, when it is the folder or below it: the folder
/// as it is written there, and the rest with its separators.
///
/// ```
/// use scene_sync::path::below;
/// assert_eq!(below(r"d:\Films", "D:/films/a/x.mp4"), Some(r"d:\Films\a\x.mp4".into()));
/// assert_eq!(below("//nas/films/", r"\\NAS\films"), Some("//nas/films/".into()));
/// assert_eq!(below("/media/films", "/media/films2"), None);
/// ```
pub fn below(folder: &str, path: &str) -> Option<String> {
    if !covers(folder, path) {
        return None;
    }
    let (whole, path) = (Path::parse(folder), Path::parse(path));
    let mut text = folder.to_owned();
    for part in path.parts.get(whole.parts.len()..)? {
        if !text.ends_with(['/', whole.separator]) {
            text.push(whole.separator);
        }
        text.push_str(part);
    }
    Some(text)
}

/// The shortest rule of a [`PathMap`](crate::PathMap) that leads from a file as Stash sees it to
/// the very same file as Plex sees it: the two folders in which the paths differ.
///
/// `None` if the paths are equal already, or are not those of one file because the names differ.
///
/// ```
/// use scene_sync::path::suggested_rule;
/// assert_eq!(
///     suggested_rule("/in/stash/a/x.mp4", r"D:\Plex\a\x.mp4"),
///     Some(("/in/stash".into(), r"D:\Plex".into()))
/// );
/// assert_eq!(suggested_rule("/a/x.mp4", "/a/x.mp4"), None);
/// ```
pub fn suggested_rule(stash_path: &str, plex_path: &str) -> Option<(String, String)> {
    let (stash, plex) = (Path::parse(stash_path), Path::parse(plex_path));
    // As Plex compares: what the rule leaves as it is must be right for Plex.
    if stash.keys(plex.windows) == plex.keys(plex.windows) {
        return None;
    }
    let common = common_tail(&stash, &plex);
    (common > 0).then(|| {
        (
            stash.beginning(stash.parts.len() - common),
            plex.beginning(plex.parts.len() - common),
        )
    })
}

/// How many parts at the end are the same for Plex. The root is no name that could be common, nor
/// is the host of a share.
pub(crate) fn common_tail(stash: &Path, plex: &Path) -> usize {
    let (ours, theirs) = (stash.keys(plex.windows), plex.keys(plex.windows));
    let pairs = ours.iter().rev().zip(theirs.iter().rev());
    let common = pairs.take_while(|(ours, theirs)| ours == theirs).count();
    common.min(stash.below_root()).min(plex.below_root())
}

/// The folder a file is in, as the machine it lies on writes it; none for a bare name.
///
/// ```
/// use scene_sync::path::folder_of;
/// assert_eq!(folder_of("/media/a/x.mp4"), Some("/media/a"));
/// assert_eq!(folder_of(r"D:\New\x.mp4"), Some(r"D:\New"));
/// assert_eq!(folder_of("/x.mp4"), Some("/"));
/// ```
pub fn folder_of(path: &str) -> Option<&str> {
    let windows = Path::parse(path).windows;
    let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
    let at = path.rfind(separators)?;
    let folder = path.get(..at)?;
    match folder.is_empty() || folder.ends_with(':') {
        // The root keeps its separator.
        true => path.get(..=at),
        false => Some(folder),
    }
}

/// The path without the `\\?\` of long paths, and whether it had one.
fn without_long_prefix(text: &str) -> (String, bool) {
    let long = text.strip_prefix(r"\\?\").or(text.strip_prefix("//?/"));
    let Some(long) = long else {
        return (text.to_owned(), false);
    };
    let is_share =
        |start: &str| start.eq_ignore_ascii_case(r"UNC\") || start.eq_ignore_ascii_case("UNC/");
    match long.get(..4).is_some_and(is_share) {
        true => (format!(r"\\{}", &long[4..]), true),
        false => (long.to_owned(), true),
    }
}

/// Letter by letter, as file systems fold case: `ß` and `ss` are different names.
fn folded(part: &str) -> String {
    fn single(mut mapped: impl Iterator<Item = char>, else_: char) -> char {
        let first = mapped.next();
        first.filter(|_| mapped.next().is_none()).unwrap_or(else_)
    }
    part.nfc()
        .map(|c| single(c.to_uppercase(), c))
        .map(|c| single(c.to_lowercase(), c))
        .nfc()
        .collect()
}

fn joined(parts: &[String]) -> String {
    match parts {
        [root, names @ ..] if root.starts_with('/') => format!("{root}{}", names.join("/")),
        parts => parts.join("/"),
    }
}

fn drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', rest @ ..]
        if letter.is_ascii_alphabetic() && matches!(rest, [] | [b'/' | b'\\', ..]))
}
