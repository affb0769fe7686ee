//! What tells a program from the one that comes after it in the same place.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// When the file was written, and how long it is.
pub(super) fn fingerprint(path: &Path) -> io::Result<String> {
    let meta = path.metadata()?;
    let modified = meta.modified()?.duration_since(UNIX_EPOCH);
    let modified = modified.unwrap_or_default().as_nanos();
    Ok(format!("{modified:x}-{:x}", meta.len()))
}
