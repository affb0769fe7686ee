//! The worker's log: a file of its own, since Stash closes the pipes of what it started.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::data_dir::private_file;

/// A file of this size becomes `worker.log.1`, so the two never hold much more than twice as much.
const ROTATE_AT: u64 = 2 * 1024 * 1024;

/// An open log file; writing never fails for the caller, since a full disk must not stop the sync.
#[derive(Debug)]
pub struct WorkerLog {
    path: PathBuf,
    open: RefCell<Option<(File, u64)>>,
}

impl WorkerLog {
    /// Opens the log for appending.
    pub fn open(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: RefCell::new(append_to(path).ok()),
        }
    }

    /// Appends one line; line breaks in `text` become spaces.
    pub fn line(&self, level: &str, text: &str) {
        let now = humantime::format_rfc3339_seconds(SystemTime::now());
        let text = text.replace(['\n', '\r'], " ");
        let line = format!("{now} {level:<5} {text}\n");
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_some_and(|(_, size)| *size >= ROTATE_AT) {
            *open = None; // Windows renames no open file.
            let _ = fs::rename(&self.path, self.path.with_extension("log.1"));
        }
        if open.is_none() {
            *open = append_to(&self.path).ok();
        }
        if let Some((file, size)) = open.as_mut()
            && file.write_all(line.as_bytes()).is_ok()
        {
            *size += line.len() as u64;
        }
    }
}

fn append_to(path: &Path) -> io::Result<(File, u64)> {
    let file = private_file().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}
