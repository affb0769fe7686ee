//! Which file is this? A queue is sound only while its file has one name: SQLite puts the log
//! beside the name it was given, so under a second name another process would write another log
//! (<https://www.sqlite.org/howtocorrupt.html>).

use std::fs::{File, Metadata};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// A file, whatever its name; where that cannot be told, any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(Option<(u64, u64)>);

impl FileId {
    pub(crate) fn of(file: &Metadata) -> Self {
        Self(number(file))
    }

    /// The file at a path.
    pub(crate) fn at(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().as_ref().and_then(number))
    }

    fn noted(self) -> Option<String> {
        self.0.map(|(device, inode)| format!("{device} {inode}\n"))
    }

    /// Whether the path leads to this file. A file is deleted or replaced only where it has a
    /// number.
    pub(crate) fn is_at(self, path: &Path) -> bool {
        self.0.is_none()
            || match std::fs::metadata(path) {
                Ok(file) => number(&file) == self.0,
                Err(error) => error.kind() != std::io::ErrorKind::NotFound,
            }
    }
}

/// Device and inode.
#[cfg(unix)]
fn number(file: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

/// Elsewhere a file that is open stays.
#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Refuses a file that others may reach under another name. Where that cannot be told, it is taken
/// to have one. To ask the kernel takes a fifth of opening a queue: not again for a file that is
/// noted in `beside`, which lies in the same folder.
pub(crate) fn check_one_name(path: &Path, file: &Metadata, beside: Option<&File>) -> Result<()> {
    let links = links(file);
    if links > 1 {
        return Err(Error::HardLinked {
            path: path.into(),
            links,
        });
    }
    if beside.is_some_and(|beside| is_noted(beside, FileId::of(file))) {
        return Ok(());
    }
    match (mount(path), path.parent().and_then(mount)) {
        (Some(file), Some(folder)) if file != folder => {
            Err(Error::MountPoint { path: path.into() })
        }
        _ => Ok(()),
    }
}

/// Notes that the file was found to belong beside this one. Where it cannot, the next one asks the
/// kernel too.
pub(crate) fn note(mut beside: &File, file: FileId) {
    if let Some(note) = file.noted()
        && !is_noted(beside, file)
    {
        let _ = beside
            .rewind()
            .and_then(|()| beside.write_all(note.as_bytes()));
    }
}

fn is_noted(mut beside: &File, file: FileId) -> bool {
    let mut found = [0; 48];
    let read = beside.rewind().and_then(|()| beside.read(&mut found));
    let found = found.get(..read.unwrap_or_default()).unwrap_or_default();
    file.noted()
        .is_some_and(|note| found.starts_with(note.as_bytes()))
}

#[cfg(unix)]
fn links(file: &Metadata) -> u64 {
    if file.is_file() {
        std::os::unix::fs::MetadataExt::nlink(file)
    } else {
        1
    }
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}

/// The mount that a name leads into, as the kernel numbers them.
///
/// Opened as a name only (`O_PATH`), since closing a real handle would drop the process's locks on
/// the database.
#[cfg(target_os = "linux")]
fn mount(path: &Path) -> Option<u64> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    const O_PATH: i32 = 0o10_000_000;
    let name = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(O_PATH)
        .open(path)
        .ok()?;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", name.as_raw_fd())).ok()?;
    let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    id.trim().parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn mount(_: &Path) -> Option<u64> {
    None
}
