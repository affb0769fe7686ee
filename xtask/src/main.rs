//! `cargo xtask package` and `cargo xtask index`: see docs/releasing.md.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use xtask::{Date, Error, Package, Packing, Platform};

const USAGE: &str = "\
cargo xtask package [--target TARGET]... [--program FILE]
    builds the program for each target (this machine's if none is given) and writes its package and the index of all
    packages to target/package; with --program that file is packed instead of building one
cargo xtask index [FOLDER]
    writes the index and the checksums of the packages in a folder (target/package)";

enum Task {
    Package {
        targets: Vec<String>,
        program: Option<PathBuf>,
    },
    Index {
        folder: PathBuf,
    },
}

fn packages() -> PathBuf {
    xtask::root().join("target/package")
}

impl Task {
    fn of(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        match arguments.next()?.as_str() {
            "package" => {
                let (mut targets, mut program) = (Vec::new(), None);
                while let Some(argument) = arguments.next() {
                    match (argument.as_str(), arguments.next()?) {
                        ("--target", target) => targets.push(target),
                        ("--program", file) => program = Some(file.into()),
                        _ => return None,
                    }
                }
                // One program is one platform's.
                (program.is_none() || targets.len() < 2)
                    .then_some(Self::Package { targets, program })
            }
            "index" => {
                let folder = arguments.next().map_or_else(packages, PathBuf::from);
                arguments.next().is_none().then_some(Self::Index { folder })
            }
            _ => None,
        }
    }

    fn run(self) -> Result<(), Error> {
        let folder = match self {
            Self::Index { folder } => folder,
            Self::Package {
                mut targets,
                program,
            } => {
                if targets.is_empty() {
                    targets.push(xtask::host()?);
                }
                let folder = packages();
                for target in targets {
                    let program = match &program {
                        Some(file) => file.clone(),
                        None => xtask::build(&target)?,
                    };
                    let platform = Platform::of_target(&target)?;
                    let date = Date::of_release()?;
                    Package::new(platform, &program, date, Packing::Small)?.write_to(&folder)?;
                }
                folder
            }
        };
        for zip in xtask::write_index(&folder)? {
            let size = fs::metadata(&zip).map(|it| it.len()).unwrap_or_default();
            println!("{} {:.2} MB", zip.display(), size as f64 / 1e6);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let Some(task) = Task::of(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match task.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
