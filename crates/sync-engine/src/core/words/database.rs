//! Why the database cannot be used.

use std::path::Path;

use queue::Error;

use crate::core::words::RECONCILE_ALL;

/// Why the queue cannot be used, by somebody who does not repair it, and what to do.
pub fn unusable((database, folder): (&Path, &Path), why: &Error) -> String {
    match why {
        Error::ReadOnly(_) => format!(
            "{} cannot be written: make it and its folder writable for the user that Stash runs as, on a disk that is not mounted read-only. Until then nothing is recorded: \
             then save again what you saved meanwhile, or run the task again",
            database.display()
        ),
        Error::Foreign { path, .. } => format!(
            "{} is not this plugin's database; the next change in Stash, or the task Process Queue, makes a new one and keeps what is there \
             under another name",
            path.display()
        ),
        Error::Corrupt(found) => format!(
            "Stash2Plex's database is damaged ({found}), Stash's own is not. Run Process Queue, or save any scene: that replaces it \
             and rescues what can be read"
        ),
        Error::DiskFull(_) => format!(
            "The disk of {} is full, and until there is room no change is recorded: make room, then save again what you saved \
             meanwhile, or run the task again; to find all that was missed, run {RECONCILE_ALL}",
            folder.display()
        ),
        Error::CommitUnknown(why) => format!(
            "Nobody can tell whether the change was recorded ({why}): save it again, or run {RECONCILE_ALL}"
        ),
        Error::InUse { path } => format!(
            "Stash2Plex's database, {}, is damaged, and another process has it open. If that is this plugin's worker, it replaces the file by \
             itself; else end that process, or restart Stash. Nothing was recorded just now: then save it again",
            path.display()
        ),
        Error::Busy(_) => format!(
            "{}, Stash2Plex's database, is locked by another program, so that nothing can be recorded: end that program, then save \
             again what you saved meanwhile, or run the task again",
            database.display()
        ),
        Error::NetworkFileSystem { kind, .. } => format!(
            "Stash's configuration folder is on a network share ({kind}), on which changes get lost. Until it is on a local \
             disk, no change is recorded"
        ),
        Error::MountPoint { path } => format!(
            "{} is mounted into the container by itself. Mount its whole folder instead; until then no change is recorded",
            path.display()
        ),
        why => why.to_string(),
    }
}
