//! Paths in words that say nothing of the path, but stay the same for the same path.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::core::settings::Settings;

/// Shows paths as they are, or as stable words.
#[derive(Debug, Clone, Copy)]
pub struct Paths {
    /// Whether to hide them.
    pub hidden: bool,
}

impl Paths {
    /// As these settings want it.
    pub fn of(settings: &Settings) -> Self {
        Self {
            hidden: settings.obfuscate_paths,
        }
    }

    /// The path for a log line or a dead letter.
    pub fn show(self, path: &str) -> Cow<'_, str> {
        if !self.hidden {
            return Cow::Borrowed(path);
        }
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        Cow::Owned(format!("path-{:08x}", hasher.finish() >> 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_has_the_same_word_and_shows_nothing() {
        let hidden = Paths { hidden: true };
        let word = hidden.show("/data/private/x.mp4");
        assert_eq!(word, hidden.show("/data/private/x.mp4"));
        assert_ne!(word, hidden.show("/data/private/y.mp4"));
        assert!(word.starts_with("path-") && word.len() == 13, "{word}");
        assert_eq!(Paths { hidden: false }.show("/a"), "/a");
    }
}
