//! Opening the queue so that a damaged file costs as little as can be, and is said.

use queue::{Error, Options, Queue, Result};

use crate::core::job::Job;
use crate::core::words;
use crate::storage::data_dir::DataDir;

/// Opens the queue. A damaged file is kept under another name, what can be read of it goes into a
/// new one, and `say` hears it.
///
/// # Errors
/// The queue cannot be opened.
pub fn open(dir: &DataDir, options: Options, say: impl FnMut(String)) -> Result<Queue<Job>> {
    let (queue, salvage) = Queue::open_or_salvage(dir.database(), options)?;
    salvage.as_ref().map(words::replaced).map(say);
    Ok(queue)
}

/// Opens the queue where there is one, and neither makes nor repairs it: opening makes lock files
/// beside a database that is not there.
///
/// # Errors
/// It cannot be opened, in words.
pub fn existing(
    dir: &DataDir,
    options: Options,
) -> std::result::Result<Option<Queue<Job>>, String> {
    match dir.database().try_exists() {
        Ok(false) => Ok(None),
        Ok(true) => match Queue::open(dir.database(), options) {
            Ok(queue) => Ok(Some(queue)),
            Err(why) => Err(words(dir, &why)),
        },
        Err(why) => Err(why.to_string()),
    }
}

/// The same for damage that showed only while working.
///
/// # Errors
/// The file is not damaged, but something else is wrong; or another process has it open, which will
/// find the damage too.
pub fn repair(queue: Queue<Job>, wrong: Error, say: impl FnMut(String)) -> Result<Queue<Job>> {
    if !matches!(wrong, Error::Corrupt(_)) {
        return Err(wrong);
    }
    let (queue, salvage) = queue.salvage(&wrong)?;
    salvage.as_ref().map(words::replaced).map(say);
    Ok(queue)
}

/// Why the queue cannot be used, by somebody who does not repair it, and what to do.
pub fn words(dir: &DataDir, why: &Error) -> String {
    match why {
        Error::ReadOnly(_) => format!(
            "{} cannot be written: make it and its folder writable for the user that Stash runs as. Until then no change is \
             recorded",
            dir.database().display()
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
            "The disk of {} is full, and until there is room no change is recorded: make room, then run Reconcile All Scenes, \
             which finds what was missed",
            dir.path().display()
        ),
        Error::CommitUnknown(why) => format!(
            "Nobody can tell whether the change was recorded ({why}): save it again, or run Reconcile All Scenes"
        ),
        Error::InUse { path } => format!(
            "{} is damaged, and another process has it open: stop that process, or restart Stash; the next change in Stash then \
             replaces the file and rescues what can be read",
            path.display()
        ),
        Error::Busy(_) => "The database was locked by another process for too long. What was saved just now is not recorded: save it \
                           again"
            .to_owned(),
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
