//! Building the program, in such a way that the same sources make the same bytes in any folder.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Platform};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The target of this machine.
///
/// # Errors
/// The compiler does not say.
pub fn host() -> Result<String, Error> {
    let said = Command::new("rustc").arg("-vV").output();
    let said = said.map_err(Error::file(Path::new("rustc")))?;
    let said = String::from_utf8_lossy(&said.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Error::Command("rustc -vV".to_owned()))
}

/// Builds the program for a target and says where it is.
///
/// Linux of another kind than this machine's is built with `cargo zigbuild`, which brings a linker
/// and a C compiler for each.
///
/// # Errors
/// It does not build.
pub fn build(target: &str) -> Result<PathBuf, Error> {
    let program = Platform::of_target(target)?.program();
    let host = host()?;
    let is_foreign = target != host;
    let subcommand = match is_foreign && target.contains("-linux-") {
        true => "zigbuild",
        false => "build",
    };
    let target_folder =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut built = target_folder.clone();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args([
        subcommand,
        "--release",
        "--locked",
        "--package",
        "stash2plex-plugin",
    ]);
    if is_foreign {
        cargo.args(["--target", target]);
        built.push(target);
    }
    cargo.arg("--target-dir").arg(&target_folder);
    cargo.arg("--config").arg(rustflags(target, &target_folder));
    match cargo
        .status()
        .map_err(Error::file(Path::new("cargo")))?
        .success()
    {
        true => Ok(built.join("release").join(program)),
        false => Err(Error::Command(format!("cargo {subcommand} for {target}"))),
    }
}

/// Messages of the program name source files: not by where they lie on this machine. Joined with
/// the flags of `.cargo/config.toml`, which an environment variable would replace.
fn rustflags(target: &str, target_folder: &Path) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let places = [
        (Some(root()), "/stash2plex"),
        (Some(target_folder), "/target"),
        (home.as_deref(), "/cargo"),
    ];
    let flag = |(place, name): (Option<&Path>, &str)| {
        Some(format!("'--remap-path-prefix={}={name}'", place?.display()))
    };
    let flags: Vec<String> = places.into_iter().filter_map(flag).collect();
    format!("target.{target}.rustflags=[{}]", flags.join(","))
}
