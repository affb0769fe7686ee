use std::io;
use std::path::{Path, PathBuf};

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, or a command.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A zip that cannot be written or read.
    #[error("zip: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The manifest of the plugin lacks something, or has something else.
    #[error("the plugin's manifest: {0}")]
    Manifest(String),
    /// A target that no package is made for.
    #[error("no package is made for {0:?}; known are those of xtask/src/platform.rs")]
    Platform(String),
    /// Neither the environment nor git says when the release was made.
    #[error("no date: {0}; set SOURCE_DATE_EPOCH, or run this in the repository")]
    Date(String),
    /// A command that failed, and has said why.
    #[error("{0} failed")]
    Command(String),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
