//! Reading a breaker's document beside its writer.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::{StoreError, failed};
use crate::document::Document;

/// A document of more bytes than this is not ours.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What a breaker's file says, read without any lock: for a health check beside the process that
/// owns the breaker.
///
/// The file is replaced in one step, so a reader sees one whole document, never half of two.
///
/// ```
/// use breaker::Report;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("circuit_breaker.json");
/// assert!(matches!(Report::read(&path), Report::Missing));
///
/// std::fs::write(&path, "{\"state\": \"op").unwrap();
/// let Report::Corrupted(why) = Report::read(&path) else { unreachable!() };
/// assert!(why.contains("EOF"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// There is no file: the breaker never left its first state, CLOSED.
    Missing,
    /// The file cannot be read or makes no sense, and why: the state is UNKNOWN.
    Corrupted(String),
    /// The document.
    Known(Box<Document>),
}

impl Report {
    /// Reads the file at `path`.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        match load(path) {
            Ok(None) => Self::Missing,
            Ok(Some(document)) => Self::Known(Box::new(document)),
            Err(StoreError::Corrupted { why, .. }) => Self::Corrupted(why),
            Err(error) => Self::Corrupted(error.to_string()),
        }
    }
}

pub(super) fn load(path: &Path) -> Result<Option<Document>, StoreError> {
    let corrupted = |why| StoreError::Corrupted {
        path: path.to_owned(),
        why,
    };
    let error = match read_bounded(path) {
        Ok(text) => return Document::parse(&text).map(Some).map_err(corrupted),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::NotFound => Ok(None),
        // No reading again will help.
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory => Err(corrupted(error.to_string())),
        _ => Err(failed("read", path, error)),
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST).read_to_end(&mut text).map(|_| text)
}
