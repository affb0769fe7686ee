//! The copy of the program that a background process runs from, where a file that runs can be
//! neither deleted nor written: an update deletes a plugin's files and writes the new ones, and
//! would end half way.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::fingerprint::fingerprint;

/// Whether this system holds on to a program that runs.
pub const NEEDED: bool = cfg!(windows);

/// How the names of all copies begin. Behind it stands the fingerprint of the program.
const PREFIX: &str = "worker-";

/// What there is to do before the program can run from its copy.
#[derive(Debug, PartialEq, Eq)]
struct Plan<'a> {
    /// The copy's file name.
    name: String,
    /// Whether it is still to be made.
    is_missing: bool,
    /// Copies of other versions.
    old: Vec<&'a str>,
}

/// `present` are the names in the folder of the copies.
fn plan<'a>(fingerprint: &str, present: &'a [String]) -> Plan<'a> {
    let name = format!("{PREFIX}{fingerprint}.exe");
    let is_old = |it: &&str| it.starts_with(PREFIX) && *it != name;
    Plan {
        is_missing: !present.contains(&name),
        old: present.iter().map(String::as_str).filter(is_old).collect(),
        name,
    }
}

/// Makes the copy in this folder unless it is there, removes those of other versions, and says
/// where it is. One call at a time.
///
/// # Errors
/// It cannot be made: the program may be on its way to its place.
pub fn make(program: &Path, folder: &Path) -> io::Result<PathBuf> {
    let before = fingerprint(program)?;
    let names = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.file_name());
    let present: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let plan = plan(&before, &present);
    for old in plan.old {
        // One that still runs cannot be removed: the next call tries again.
        let _ = fs::remove_file(folder.join(old));
    }
    let copy = folder.join(plan.name);
    if plan.is_missing {
        let aside = copy.with_extension("new");
        fs::copy(program, &aside)?;
        if fingerprint(program)? != before {
            return Err(io::Error::other("the program is being replaced"));
        }
        fs::rename(&aside, &copy)?;
    }
    Ok(copy)
}

/// The fingerprint of the program that this copy was made of.
pub fn made_of(copy: &Path) -> Option<&str> {
    copy.file_stem()?.to_str()?.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_copy_and_those_of_other_versions_go() {
        let names = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        let first = names(&["stash2plex.db", "worker.lock", "worker.log"]);
        let expected = Plan {
            name: "worker-b.exe".to_owned(),
            is_missing: true,
            old: vec![],
        };
        assert_eq!(plan("b", &first), expected);
        let later = names(&["worker.log", "worker-a.exe", "worker-b.exe", "worker-c.new"]);
        let expected = Plan {
            is_missing: false,
            old: vec!["worker-a.exe", "worker-c.new"],
            ..expected
        };
        assert_eq!(plan("b", &later), expected);
    }

    #[test]
    fn a_copy_is_made_once_and_says_what_it_was_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "one").unwrap();
        let copies = folder.path().join("data");
        fs::create_dir(&copies).unwrap();
        let first = make(&program, &copies).unwrap();
        assert_eq!(fs::read_to_string(&first).unwrap(), "one");
        assert_eq!(made_of(&first), Some(&*fingerprint(&program).unwrap()));
        assert_eq!(make(&program, &copies).unwrap(), first);
        fs::write(&program, "another").unwrap();
        let second = make(&program, &copies).unwrap();
        assert_eq!(fs::read_to_string(&second).unwrap(), "another");
        assert!(!first.exists());
        fs::remove_file(&program).unwrap();
        assert!(make(&program, &copies).is_err() && second.exists());
    }
}
