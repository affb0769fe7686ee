//! Running a plugin the way Stash does: a child process, one document on stdin, until stdout ends.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What Stash saw of one plugin process.
#[derive(Debug)]
pub struct Run {
    /// The document on stdout: `output` and `error`; text that is no JSON object is an output as it
    /// is.
    pub reply: Value,
    /// The log lines: level letter (`t d i w e p`, or `?` for a raw line) and text.
    pub log: Vec<(char, String)>,
    /// How the process ended.
    pub status: ExitStatus,
    /// From its start until Stash lets the user go on: the process has ended and nobody holds its
    /// stdout.
    pub took: Duration,
}

impl Run {
    /// The error the plugin answered with.
    pub fn error(&self) -> Option<&str> {
        self.reply.get("error")?.as_str()
    }

    /// The output the plugin answered with.
    pub fn output(&self) -> Option<&Value> {
        self.reply.get("output").filter(|output| !output.is_null())
    }

    /// All log lines as one text.
    pub fn log_text(&self) -> String {
        self.log
            .iter()
            .map(|(level, text)| format!("{level} {text}\n"))
            .collect()
    }
}

/// Runs `program`, writes `stdin` to it and waits as Stash does.
///
/// # Errors
/// The process cannot be started.
pub fn run_plugin(program: &Path, stdin: &str) -> io::Result<Run> {
    run_command(&mut Command::new(program), stdin)
}

/// The same for a command with more to it, such as another user.
///
/// # Errors
/// The process cannot be started.
pub fn run_command(command: &mut Command, stdin: &str) -> io::Result<Run> {
    Started::new(command, stdin)?.finish()
}

/// Runs a process for each of these documents, one after the other, as Stash does after an edit of
/// several scenes.
///
/// With `gone_after` the client of the edit goes away once so many hooks have ended: Stash kills
/// the one that runs then (SIGKILL, here as soon as it has started) and starts none of the rest.
/// The killed one is the last of the runs.
///
/// # Errors
/// A process cannot be started.
pub fn run_hooks(
    mut command: impl FnMut() -> Command,
    hooks: &[String],
    gone_after: Option<usize>,
) -> io::Result<Vec<Run>> {
    let ends = hooks.len().min(gone_after.unwrap_or(usize::MAX));
    let mut runs = Vec::new();
    for hook in &hooks[..ends] {
        runs.push(run_command(&mut command(), hook)?);
    }
    if let Some(hook) = hooks.get(ends) {
        let mut started = Started::new(&mut command(), hook)?;
        started.child.kill()?;
        runs.push(started.finish()?);
    }
    Ok(runs)
}

/// A plugin process that runs, with the threads at its pipes.
struct Started {
    begun: Instant,
    child: Child,
    output: Option<ChildStdout>,
    writer: JoinHandle<()>,
    logger: JoinHandle<String>,
}

impl Started {
    fn new(command: &mut Command, stdin: &str) -> io::Result<Self> {
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (mut input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let text = stdin.to_owned();
        // A plugin may exit without reading; Stash only warns.
        let writer = thread::spawn(move || {
            _ = input.as_mut().map(|pipe| pipe.write_all(text.as_bytes()));
        });
        let logger = thread::spawn(move || read(errors));
        Ok(Self {
            begun,
            child,
            output,
            writer,
            logger,
        })
    }

    /// Waits as Stash does: until nobody holds stdout any more, and the process has ended.
    fn finish(mut self) -> io::Result<Run> {
        let reply = read(self.output.take());
        let status = self.child.wait()?;
        let took = self.begun.elapsed();
        let _ = self.writer.join();
        let log = self.logger.join().unwrap_or_default();
        Ok(Run {
            reply: reply_of(&reply),
            log: log.lines().map(line).collect(),
            status,
            took,
        })
    }
}

/// Builds a program of this workspace, if need be, in the profile of the running example or
/// benchmark, and says where it is.
///
/// # Errors
/// It does not build, or the running program is not in cargo's target folder.
pub fn build_program(package: &str, name: &str) -> io::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let profile = running.ancestors().nth(2).unwrap_or(&running);
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--package", package, "--bin", name]);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    if !build.status()?.success() {
        return Err(io::Error::other(format!("{package} does not build")));
    }
    Ok(profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reply_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Value::Object(map),
        _ => serde_json::json!({ "output": text }),
    }
}

fn line(line: &str) -> (char, String) {
    let mut chars = line.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\u{1}'), Some(level), Some('\u{2}')) => (level, chars.as_str().to_owned()),
        _ => ('?', line.to_owned()),
    }
}
