//! Where a person reads what is going on, line by line.

/// Why something that a person asked for cannot be done, in words.
pub type Failure = Box<dyn std::error::Error>;

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Takes the lines of a task, and how far it has come. Neither can fail for the caller.
pub trait Console {
    /// One line, or several.
    fn line(&self, level: Level, text: &str);

    /// The share that is done, 0 to 1.
    fn progress(&self, share: f64);
}

impl dyn Console + '_ {
    /// Something worth knowing.
    pub fn info(&self, text: impl AsRef<str>) {
        self.line(Level::Info, text.as_ref());
    }

    /// Something a person may want to change.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.line(Level::Warning, text.as_ref());
    }

    /// Something that keeps work from being done.
    pub fn error(&self, text: impl AsRef<str>) {
        self.line(Level::Error, text.as_ref());
    }
}
