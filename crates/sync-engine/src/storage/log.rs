//! Log lines of the worker: to its own file, since Stash closes the pipes of what it started.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stash::{timestamp, visible};

use crate::core::reconcile::unix;
use crate::storage::data_dir::private_file;

/// Where log lines go. Writing never fails for the caller: a full disk must not stop the sync.
pub struct WorkerLog<'a> {
    line: Box<TakeLine<'a>>,
    debug: Cell<bool>,
}

/// Takes the level, and the text.
type TakeLine<'a> = dyn Fn(&str, &str) + 'a;

impl<'a> WorkerLog<'a> {
    /// Appends to a file of the worker's own.
    pub fn file(path: &Path) -> Self {
        let file = RefCell::new(LogFile::open(path));
        Self::to(move |word, text| file.borrow_mut().append(word, text))
    }

    /// Collects the lines, for tests: level, a space, the text.
    pub fn memory(lines: &'a RefCell<Vec<String>>) -> Self {
        Self::to(|word, text| lines.borrow_mut().push(format!("{word} {text}")))
    }

    fn to(line: impl Fn(&str, &str) + 'a) -> Self {
        let (line, debug) = (Box::new(line), Cell::default());
        Self { line, debug }
    }

    /// Writes debug lines too, or not.
    pub fn set_debug(&self, on: bool) {
        self.debug.set(on);
    }

    /// Expected noise, shown on request.
    pub fn debug(&self, text: impl AsRef<str>) {
        if self.debug.get() {
            (self.line)("DEBUG", text.as_ref());
        }
    }

    /// Something worth knowing.
    pub fn info(&self, text: impl AsRef<str>) {
        (self.line)("INFO", text.as_ref());
    }

    /// Something a person may want to change.
    pub fn warn(&self, text: impl AsRef<str>) {
        (self.line)("WARN", text.as_ref());
    }

    /// Something a person must change.
    pub fn error(&self, text: impl AsRef<str>) {
        (self.line)("ERROR", text.as_ref());
    }
}

/// A file of this size becomes `worker.log.1`, so the two never hold much more than twice as much.
const ROTATE_AT: u64 = 2 * 1024 * 1024;

struct LogFile {
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl LogFile {
    fn open(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: append_to(path).ok(),
        }
    }

    fn append(&mut self, level: &str, text: &str) {
        let now = timestamp::format(unix(SystemTime::now()));
        let text = visible(text).replace(['\n', '\r'], " ");
        let line = format!("{now} {level:<5} {text}\n");
        if matches!(&self.open, Some((_, size)) if *size >= ROTATE_AT) {
            self.open = None; // Windows renames no open file.
            let _ = fs::rename(&self.path, self.path.with_extension("log.1"));
        }
        if self.open.is_none() {
            self.open = append_to(&self.path).ok();
        }
        if let Some((file, size)) = &mut self.open
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_rotated_and_lines_stay_single() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("worker.log");
        fs::write(&path, vec![b'x'; ROTATE_AT as usize]).unwrap();
        let log = WorkerLog::file(&path);
        log.info("two\nlines \u{1b}[2J\u{7}\u{9b}");
        log.debug("not shown");
        let text = fs::read_to_string(&path).unwrap();
        let line = " INFO  two lines \\u{1b}[2J\\u{7}\\u{9b}\n";
        assert!(text.ends_with(line), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert_eq!(
            fs::metadata(path.with_extension("log.1")).unwrap().len(),
            ROTATE_AT
        );
    }
}
