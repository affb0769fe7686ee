//! Paths of another machine: split and compared without touching a file system.

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// A path in parts. The first part is the root: `/`, a drive such as `C:`, or `//` for a Windows share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    parts: Vec<String>,
    pub windows: bool,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Self {
        let plain = match text.strip_prefix(r"\\?\") {
            Some(long) => match long.strip_prefix(r"UNC\") {
                Some(share) => format!(r"\\{share}"),
                None => long.to_owned(),
            },
            None => text.to_owned(),
        };
        let share = plain.starts_with(r"\\") || plain.starts_with("//");
        let windows = share || drive(&plain) || !plain.starts_with('/') && plain.contains('\\');
        let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
        let root = match () {
            () if share => Some("//"),
            () if plain.starts_with('/') => Some("/"),
            () => None,
        };
        let names = plain
            .split(separators)
            .filter(|part| !part.is_empty() && *part != ".");
        Self {
            parts: root.into_iter().chain(names).map(str::to_owned).collect(),
            windows,
        }
    }

    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The parts as they are compared.
    pub(crate) fn keys(&self, fold: bool) -> Vec<String> {
        self.parts
            .iter()
            .map(|part| {
                if fold {
                    text::key(part)
                } else {
                    part.nfc().collect()
                }
            })
            .collect()
    }
}

/// The folder a file is in, as the machine it lies on writes it; none for a bare name.
///
/// ```
/// use scene_sync::folder_of;
/// assert_eq!(folder_of("/media/a/x.mp4"), Some("/media/a"));
/// assert_eq!(folder_of(r"D:\New\x.mp4"), Some(r"D:\New"));
/// assert_eq!(folder_of("/x.mp4"), Some("/"));
/// ```
pub fn folder_of(path: &str) -> Option<&str> {
    let separators: &[char] = if Path::parse(path).windows {
        &['/', '\\']
    } else {
        &['/']
    };
    let at = path.rfind(separators)?;
    let folder = path.get(..at)?;
    // The root keeps its separator.
    if folder.is_empty() || folder.ends_with(':') {
        path.get(..=at)
    } else {
        Some(folder)
    }
}

fn drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', rest @ ..]
        if letter.is_ascii_alphabetic() && matches!(rest, [] | [b'/' | b'\\', ..]))
}
