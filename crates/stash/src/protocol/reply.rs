//! What does a plugin answer? The document on its stdout.

use std::io::{self, Write};

use serde_json::{Value, json};

/// The one document a plugin writes to stdout.
///
/// Exit with code 0 after it, also after an error: on any other code Stash throws the document away
/// and reports only `exit status N`. Print nothing else to stdout, or Stash takes the whole for
/// plain text.
///
/// ```
/// use stash::protocol::Reply;
/// let mut out = Vec::new();
/// Reply::Output("queued".into()).write_to(&mut out)?;
/// assert_eq!(out, b"{\"output\":\"queued\"}\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The result: any JSON. Operations return it to their caller, hooks and tasks log it at debug
    /// level.
    Output(Value),
    /// What went wrong, in words for the user. Stash logs it at error level.
    Error(String),
    /// A result, and something the user must know all the same. Stash logs that at error level; an
    /// operation fails with it.
    Warned(Value, String),
}

impl Reply {
    /// Writes the document and flushes.
    ///
    /// # Errors
    /// When writing fails, as when Stash has gone.
    pub fn write_to(&self, mut stdout: impl Write) -> io::Result<()> {
        let document = match self {
            Self::Output(output) => json!({ "output": output }),
            Self::Error(error) => json!({ "error": error }),
            Self::Warned(output, error) => json!({ "output": output, "error": error }),
        };
        writeln!(stdout, "{document}")?;
        stdout.flush()
    }
}
