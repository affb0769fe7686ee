//! Other processes: the test's own program, started again to play a part.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The part this process plays, and the queue it plays it on, when it was started to play one.
pub fn part() -> Option<(String, PathBuf)> {
    Some((
        std::env::var("QUEUE_TEST_PART").ok()?,
        std::env::var_os("QUEUE_TEST_FILE")?.into(),
    ))
}

/// A command that runs the test `plays` of this program (ignored unless asked for) in the given
/// part.
pub fn command(part: &str, file: &Path) -> Command {
    under(Command::new(std::env::current_exe().unwrap()), part, file)
}

/// The same, started by another program, such as a tracer.
pub fn under(mut command: Command, part: &str, file: &Path) -> Command {
    command.args([
        "plays",
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
        .env("QUEUE_TEST_PART", part)
        .env("QUEUE_TEST_FILE", file);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

/// Says something to the parent, at once. False when it is gone.
pub fn say(line: &str) -> bool {
    use std::io::Write;
    let line = format!("\n{line}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .is_ok()
}

/// What a child said, without what the test harness says around it.
pub fn said(output: &[u8], word: &str) -> Vec<String> {
    let prefix = format!("{word} ");
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
        .collect()
}
