//! How do log lines and progress reach Stash?

use std::fmt::Display;
use std::io::{self, Stderr, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::visible;

/// Longest text of one log line in bytes. A line over 64 KiB ends Stash's log reading for good and
/// closes the pipe, so this stays far below.
pub const MAX_LINE: usize = 16_000;

/// How old the last line must be before the process ends: Stash drops what it has not read by then.
/// Waiting this long let 2,000 of 2,000 lines arrive, against 350 to 690 without (measured on Stash
/// 0.30.1).
pub const LINGER: Duration = Duration::from_millis(300);

const SOH: char = '\u{1}';
const STX: char = '\u{2}';

/// How serious a log line is. Stash shows info and above unless its own log level is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    fn letter(self) -> char {
        ['t', 'd', 'i', 'w', 'e'][self as usize]
    }
}

/// A message as Stash reads it: each line with its own prefix, cut at [`MAX_LINE`] bytes, blank
/// lines left out (Stash would log their bare prefix as an error), control characters escaped.
///
/// ```
/// use stash::protocol::{Level, encode};
/// assert_eq!(encode(Level::Info, "one\ntwo"), "\u{1}i\u{2}one\n\u{1}i\u{2}two\n");
/// ```
pub fn encode(level: Level, message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 4);
    for line in message.split(['\n', '\r']) {
        let line = visible(line);
        let end = line.floor_char_boundary(MAX_LINE);
        let shown = line[..end].trim_end();
        if shown.is_empty() {
            continue;
        }
        out.extend([SOH, level.letter(), STX]);
        out.push_str(shown);
        if end < line.len() {
            out.push('…');
        }
        out.push('\n');
    }
    out
}

/// A task's progress as Stash reads it: `share` done, 0 to 1. Values outside are brought in, NaN is 0.
pub fn encode_progress(share: f64) -> String {
    let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
    format!("{SOH}p{STX}{share:.4}\n")
}

/// Writes log lines and progress, normally to stderr.
///
/// A failed write is ignored: Stash closes the pipe when it likes, and logging must not end a
/// plugin (`eprintln!` would panic).
///
/// ```
/// use stash::protocol::Log;
/// let log = Log::new(Vec::new());
/// log.info("12 scenes queued");
/// log.progress(0.5);
/// assert_eq!(log.into_inner(), b"\x01i\x0212 scenes queued\n\x01p\x020.5000\n");
/// ```
#[derive(Debug)]
pub struct Log<W> {
    sink: Mutex<Sink<W>>,
}

#[derive(Debug)]
struct Sink<W> {
    writer: W,
    last_write: Option<Instant>,
}

impl Log<Stderr> {
    /// A log to stderr, where Stash listens.
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }
}

impl<W: Write> Log<W> {
    /// A log to any writer.
    pub fn new(writer: W) -> Self {
        let last_write = None;
        let sink = Mutex::new(Sink { writer, last_write });
        Self { sink }
    }

    /// Logs a message; each of its lines becomes a log line.
    pub fn log(&self, level: Level, message: impl Display) {
        self.write(&encode(level, &message.to_string()));
    }

    /// Logs at info level.
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message);
    }

    /// Logs at warning level.
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warning, message);
    }

    /// Logs at error level.
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message);
    }

    /// Shows a task's progress, 0 to 1. Only tasks have a bar, and Stash may drop a value, so send
    /// it again.
    pub fn progress(&self, share: f64) {
        self.write(&encode_progress(share));
    }

    /// Waits until the last line is [`LINGER`] old, so that Stash has read it; at once if none was
    /// written.
    ///
    /// Call it last in a task. A hook should not: the user's save waits for it.
    pub fn linger(&self) {
        let last_write = self.lock().last_write;
        if let Some(written) = last_write {
            thread::sleep(LINGER.saturating_sub(written.elapsed()));
        }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.sink
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .writer
    }

    fn write(&self, lines: &str) {
        let mut sink = self.lock();
        // One write for all, so that lines of several processes do not mix.
        let _ = sink.writer.write_all(lines.as_bytes());
        let _ = sink.writer.flush();
        sink.last_write = Some(Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, Sink<W>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
