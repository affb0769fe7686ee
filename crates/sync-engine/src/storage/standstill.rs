//! The mark of a worker that could do nothing, such as without Plex's address: three hundred saves
//! need not start three hundred workers to find the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::storage::data_dir::{DataDir, replace_private};

/// After this time it is looked at anew, whatever the mark says.
const LONGEST: Duration = Duration::from_secs(600);
/// The same where the settings' file cannot be seen, and so no change of it.
const UNSEEN: Duration = Duration::from_secs(60);

/// The state of a file, by which a change of it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    modified: Duration,
    length: u64,
}

impl Stamp {
    /// Of the file at this path, if it can be seen.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            modified: meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?,
            length: meta.len(),
        })
    }
}

/// Stash's configuration file as it was before the settings were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsFile {
    /// Where it is, if that is known.
    #[serde(rename = "settings")]
    pub path: Option<PathBuf>,
    /// Its state, if it can be seen.
    pub stamp: Option<Stamp>,
}

impl SettingsFile {
    /// Whether it is not as it was.
    pub fn has_changed(&self) -> bool {
        self.path.as_deref().and_then(Stamp::of) != self.stamp
    }
}

/// Why the last worker could do nothing, and in which state it found Stash's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standstill {
    /// In words.
    pub why: String,
    #[serde(flatten)]
    settings: SettingsFile,
}

impl Standstill {
    /// With the settings in this file.
    pub fn new(why: String, settings: SettingsFile) -> Self {
        Self { why, settings }
    }

    /// Leaves the mark. Where it cannot be written, each hook starts a worker.
    pub fn leave(&self, dir: &DataDir) {
        replace_private(&dir.standstill(), self);
    }

    /// Removes it: a worker works.
    pub fn end(dir: &DataDir) {
        let _ = fs::remove_file(dir.standstill());
    }

    /// What the last worker left.
    pub fn read(dir: &DataDir) -> Option<Self> {
        serde_json::from_slice(&fs::read(dir.standstill()).ok()?).ok()
    }

    /// Whether another worker would find the same.
    pub fn lasts(dir: &DataDir) -> bool {
        let left = fs::metadata(dir.standstill()).and_then(|meta| meta.modified());
        let Ok(Ok(age)) = left.map(|at| SystemTime::now().duration_since(at)) else {
            return false;
        };
        Self::read(dir).is_some_and(|mark| {
            let longest = mark.settings.stamp.map_or(UNSEEN, |_| LONGEST);
            age < longest && !mark.settings.has_changed()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_until_the_settings_change_and_ten_minutes_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::create(folder.path()).unwrap();
        let config = folder.path().join("config.yml");
        fs::write(&config, "plugins: {}").unwrap();
        assert!(!Standstill::lasts(&dir));
        let leave = || {
            let (path, stamp) = (Some(config.clone()), Stamp::of(&config));
            Standstill::new("no address".into(), SettingsFile { path, stamp }).leave(&dir);
        };
        leave();
        assert!(Standstill::lasts(&dir));
        assert_eq!(Standstill::read(&dir).unwrap().why, "no address");
        fs::write(&config, "plugins: {a: 1}").unwrap();
        assert!(!Standstill::lasts(&dir), "the settings changed");
        leave();
        let set = |at: SystemTime| {
            let file = fs::File::options().write(true).open(dir.standstill());
            file.unwrap().set_modified(at).unwrap();
        };
        set(SystemTime::now() - LONGEST);
        assert!(!Standstill::lasts(&dir), "too old");
        set(SystemTime::now() + LONGEST);
        assert!(!Standstill::lasts(&dir), "the clock was set back");
        fs::remove_file(&config).unwrap();
        leave();
        assert!(Standstill::lasts(&dir));
        set(SystemTime::now() - UNSEEN);
        assert!(
            !Standstill::lasts(&dir),
            "what cannot be seen may have changed"
        );
        leave();
        Standstill::end(&dir);
        assert!(!Standstill::lasts(&dir));
    }
}
