//! What does the `file=` filter find?

use unicode_normalization::UnicodeNormalization as _;

use super::file_index::FileIndex;
use super::options::FileFilter;
use super::scan::split_path;

/// What a `file=` filter asks for.
pub(super) enum FileQuery {
    /// Paths that contain one of the texts.
    Contains(Vec<String>),
    /// Paths that contain the folded text when folded themselves.
    Folded(String),
    BaseName(String),
}

impl FileQuery {
    /// `None` where the filter is ignored.
    pub fn new(text: &str, temper: FileFilter) -> Option<Self> {
        let pieces = || text.split(',').filter(|piece| !piece.is_empty());
        Some(match temper {
            FileFilter::Substring => Self::Contains(vec![text.to_owned()]),
            FileFilter::Folded => Self::Folded(fold(text)),
            FileFilter::BaseName => Self::BaseName(text.to_owned()),
            FileFilter::CommaIsOr => Self::Contains(pieces().map(str::to_owned).collect()),
            FileFilter::CommaFindsNothing if text.contains(',') => Self::Contains(Vec::new()),
            FileFilter::CommaFindsNothing => Self::Contains(vec![text.to_owned()]),
            FileFilter::Ignored => return None,
        })
    }

    pub fn accepts(&self, path: &str) -> bool {
        match self {
            Self::Contains(texts) => texts.iter().any(|text| path.contains(text.as_str())),
            Self::Folded(text) => fold(path).contains(text.as_str()),
            Self::BaseName(name) => split_path(path).1 == name,
        }
    }

    /// All items that can be meant, and perhaps others, in order; `None`: any item can.
    pub fn candidates(&self, index: &FileIndex) -> Option<Vec<u64>> {
        match self {
            Self::Contains(texts) => {
                let lists: Option<Vec<_>> =
                    texts.iter().map(|text| index.candidates(text)).collect();
                let mut keys = lists?.concat();
                keys.sort_unstable();
                keys.dedup();
                Some(keys)
            }
            Self::BaseName(name) => index.candidates(name),
            Self::Folded(_) => None,
        }
    }
}

fn fold(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase()
}
