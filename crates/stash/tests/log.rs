//! Log lines as Stash reads them, from a real child process too.
#![allow(clippy::unwrap_used)]

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use proptest::prelude::*;
use stash::protocol::{LINGER, Level, Log, MAX_LINE, Reply, encode, encode_progress};

/// As Stash reads: SOH, a letter, STX, text.
fn lines(encoded: &str) -> Vec<(char, &str)> {
    encoded
        .split_terminator('\n')
        .map(|line| {
            let mut chars = line.chars();
            assert_eq!(chars.next(), Some('\u{1}'), "{line:?}");
            let letter = chars.next().unwrap();
            assert_eq!(chars.next(), Some('\u{2}'), "{line:?}");
            (letter, chars.as_str())
        })
        .collect()
}

#[test]
fn every_line_has_its_prefix() {
    let encoded = encode(Level::Warning, "one\r\n\n  two\u{1b}[31m\n \n");
    assert_eq!(lines(&encoded), [('w', "one"), ('w', "  two\\u{1b}[31m")]);
    let letters: String = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warning,
        Level::Error,
    ]
    .into_iter()
    .map(|level| lines(&encode(level, "x"))[0].0)
    .collect();
    assert_eq!(letters, "tdiwe");
}

#[test]
fn progress_is_a_share() {
    assert_eq!(encode_progress(0.25), "\u{1}p\u{2}0.2500\n");
    assert_eq!(encode_progress(f64::NAN), "\u{1}p\u{2}0.0000\n");
    assert_eq!(encode_progress(50.0), "\u{1}p\u{2}1.0000\n");
    assert_eq!(encode_progress(f64::NEG_INFINITY), "\u{1}p\u{2}0.0000\n");
}

proptest! {
    #[test]
    fn any_text_becomes_readable_lines(text in any::<String>()) {
        for (letter, line) in lines(&encode(Level::Info, &text)) {
            prop_assert_eq!(letter, 'i');
            // Stash takes lines shorter than four bytes for raw output.
            prop_assert!(!line.trim().is_empty());
            prop_assert!(line.chars().all(|c| !c.is_control() || c == '\t'));
        }
    }

    #[test]
    fn long_lines_are_cut_between_characters(c in any::<char>(), length in 4000usize..20_000) {
        let encoded = encode(Level::Info, &c.to_string().repeat(length));
        for (_, line) in lines(&encoded) {
            prop_assert!(line.len() <= MAX_LINE + '…'.len_utf8());
        }
    }
}

/// A pipe that Stash closed.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_pipe_is_no_fault_of_the_log_but_one_of_the_reply() {
    Log::new(Closed).error("nobody hears");
    assert!(Reply::Output("x".into()).write_to(Closed).is_err());
}

#[test]
fn it_lingers_only_after_a_line() {
    let log = Log::new(Vec::new());
    let start = Instant::now();
    log.linger();
    assert!(start.elapsed() < LINGER);
    let start = Instant::now();
    log.info("last words");
    log.linger();
    assert!(start.elapsed() >= LINGER);
}

const CHILD: &str = "STASH_TEST_LOG_CHILD";

/// Not a test by itself: the plugin that the next test starts.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let log = Log::stderr();
    for line in 0..2000 {
        log.info(format_args!("line {line:04} {}", "x".repeat(40)));
    }
    log.linger();
    // No more output of the test harness.
    std::process::exit(0);
}

/// Stash stops reading when the process ends, whatever is left in the pipe.
#[test]
fn two_thousand_lines_just_before_the_end_all_arrive() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let ended = Arc::new(AtomicBool::new(false));
    let reader = thread::spawn({
        let ended = ended.clone();
        move || {
            let mut read = Vec::new();
            for line in stderr.lines() {
                if ended.load(Ordering::Acquire) {
                    break;
                }
                read.push(line.unwrap());
            }
            read
        }
    });
    let status = child.wait().unwrap();
    ended.store(true, Ordering::Release);
    let read = reader.join().unwrap();
    assert!(status.success());
    let messages = read
        .iter()
        .filter(|line| line.starts_with("\u{1}i\u{2}line "));
    assert_eq!(messages.count(), 2000);
}
