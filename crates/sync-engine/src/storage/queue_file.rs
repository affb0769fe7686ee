//! Opening the queue so that a damaged file costs as little as can be, and is said.

use std::path::Path;
use std::time::Duration;

use queue::{Error, Options, Queue, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

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

/// How long whoever only looks waits for another program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the queue where there is one, for somebody who only looks.
///
/// # Errors
/// As [`existing`].
pub fn inspected(dir: &DataDir) -> std::result::Result<Option<Queue<Job>>, String> {
    existing(dir, Options::inspector().busy_timeout(PATIENCE))
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

/// Why nothing can be recorded though the database can be read: another program keeps it locked,
/// for longer than a worker ever does. Changes nothing.
pub fn locked(dir: &DataDir) -> Option<String> {
    let begun = begun(&dir.database()).map_err(Error::from);
    // What else is wrong is said by whoever reads it.
    let why = begun.err().filter(|why| matches!(why, Error::Busy(_)))?;
    Some(words(dir, &why))
}

fn begun(database: &Path) -> rusqlite::Result<()> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.busy_timeout(PATIENCE)?;
    db.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
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
    words::database::unusable((&dir.database(), dir.path()), why)
}
