//! Every write and sync of a process as strace saw it, and the disk that a power cut would leave.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::child::{self, Dice};

const SECTOR: usize = 512;

/// One recorded step.
#[derive(Debug)]
pub enum Op {
    Write {
        file: String,
        offset: usize,
        data: Vec<u8>,
    },
    Truncate {
        file: String,
        len: usize,
    },
    Sync {
        file: String,
    },
    Unlink {
        file: String,
    },
    Said(String),
}

/// Runs a part under strace. None, with a message, when there is no strace.
pub fn record(part: &str, dir: &Path) -> Option<Vec<Op>> {
    let trace = dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-y",
        "-xx",
        "-s",
        "100000",
        "-e",
        "trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat",
        "-o",
    ]);
    strace
        .arg(&trace)
        .arg("--")
        .arg(std::env::current_exe().unwrap());
    let output = match child::under(strace, part, &dir.join("q.db")).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            println!("skipped: strace cannot trace here ({})", output.status);
            return None;
        }
        Err(error) => {
            println!("skipped: strace cannot be run ({error}); apt-get install strace");
            return None;
        }
    };
    assert!(!output.stdout.is_empty());
    let folder = fs::canonicalize(dir).unwrap();
    let trace = fs::read_to_string(trace).unwrap();
    Some(
        trace
            .lines()
            .filter_map(|line| parse(line, &folder))
            .collect(),
    )
}

/// `1234 pwrite64(5</tmp/q.db-wal>, "\x37…", 4096, 32) = 4096`; with `-xx` every string and path is
/// in hex.
fn parse(line: &str, folder: &Path) -> Option<Op> {
    let (_, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let path = || {
        let path =
            String::from_utf8(unhex(arguments.split_once('<')?.1.split_once('>')?.0)).ok()?;
        ours(&path, folder)
    };
    let text = || Some(unhex(arguments.split_once('"')?.1.split_once('"')?.0));
    let last = || {
        arguments
            .trim_end_matches(')')
            .rsplit(", ")
            .next()?
            .parse()
            .ok()
    };
    match name {
        "pwrite64" => {
            let data = text()?;
            assert_eq!(
                data.len(),
                result.split(' ').next()?.parse::<usize>().ok()?,
                "a write is recorded whole"
            );
            Some(Op::Write {
                file: path()?,
                offset: last()?,
                data,
            })
        }
        "ftruncate" => Some(Op::Truncate {
            file: path()?,
            len: last()?,
        }),
        "fsync" | "fdatasync" => Some(Op::Sync { file: path()? }),
        "unlink" | "unlinkat" => Some(Op::Unlink {
            file: ours(&String::from_utf8(text()?).ok()?, folder)?,
        }),
        "write" if arguments.starts_with("1<") => {
            Some(Op::Said(String::from_utf8(text()?).ok()?.trim().to_owned()))
        }
        _ => None,
    }
}

/// The database and its logs, and their folder, whose name is empty. Shared memory does not outlive
/// the machine.
fn ours(path: &str, folder: &Path) -> Option<String> {
    let name = Path::new(path).strip_prefix(folder).ok()?.to_str()?;
    ["", "q.db", "q.db-wal", "q.db-journal"]
        .contains(&name)
        .then(|| name.to_owned())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap())
        .collect();
    if text.starts_with("\\x") {
        digits
    } else {
        text.as_bytes().to_vec()
    }
}

/// What is on the disk, and what is only on its way.
#[derive(Default)]
pub struct Disk<'a> {
    synced: BTreeMap<String, Vec<u8>>,
    pending: Vec<&'a Op>,
}

impl<'a> Disk<'a> {
    pub fn run(&mut self, op: &'a Op) {
        let Op::Sync { file: synced } = op else {
            return self.pending.push(op);
        };
        let reached = |op: &&Op| match op {
            // That a file is gone is written in its folder.
            Op::Unlink { .. } => synced.is_empty(),
            op => file_of(op) == Some(synced),
        };
        let (done, left) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(reached);
        self.pending = left;
        for op in done {
            apply(&mut self.synced, op, None);
        }
    }

    /// The files after a cut: with only what was synced, or with a part of the rest.
    pub fn cut(mut self, dice: Option<&mut Dice>) -> BTreeMap<String, Vec<u8>> {
        if let Some(dice) = dice {
            for op in std::mem::take(&mut self.pending) {
                if dice.roll(2) == 0 {
                    apply(&mut self.synced, op, Some(dice));
                }
            }
        }
        self.synced
    }
}

fn file_of(op: &Op) -> Option<&String> {
    match op {
        Op::Write { file, .. }
        | Op::Truncate { file, .. }
        | Op::Sync { file }
        | Op::Unlink { file } => Some(file),
        Op::Said(_) => None,
    }
}

/// With dice, some sectors of a write do not arrive.
fn apply(files: &mut BTreeMap<String, Vec<u8>>, op: &Op, mut dice: Option<&mut Dice>) {
    match op {
        Op::Write { file, offset, data } => {
            let content = files.entry(file.clone()).or_default();
            let torn = dice.as_mut().is_some_and(|dice| dice.roll(4) == 0);
            for (n, sector) in data.chunks(SECTOR).enumerate() {
                if torn && dice.as_mut().is_some_and(|dice| dice.roll(2) == 0) {
                    continue;
                }
                let start = offset + n * SECTOR;
                content.resize(content.len().max(start + sector.len()), 0);
                content[start..start + sector.len()].copy_from_slice(sector);
            }
        }
        Op::Truncate { file, len } => files.entry(file.clone()).or_default().resize(*len, 0),
        Op::Unlink { file } => drop(files.remove(file)),
        Op::Sync { .. } | Op::Said(_) => {}
    }
}
