//! The newest connection to Stash, left by hooks for a worker whose own has ended: Stash may have
//! come back on another port, or with other sessions.
//!
//! It holds a session, so it is readable by its owner alone and only while there is a worker that
//! may need it. Where a file cannot be closed to others there is none; the next hook then brings
//! its connection to a worker of its own.

use std::fs;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use stash::connection::ServerConnection;

use crate::storage::data_dir::{DataDir, private_file};

/// A connection this old is replaced: its session may have been refused meanwhile. The many hooks of
/// one edit leave one.
const FRESH: Duration = Duration::from_secs(1);

/// Leaves this connection, unless a fresh one to the same address is there. A worker does without
/// when it cannot be written.
pub fn leave(dir: &DataDir, connection: &ServerConnection) {
    let same = |there: &ServerConnection| there.url() == connection.url();
    if !cfg!(unix) || (is_fresh(dir) && read(dir).as_ref().is_some_and(same)) {
        return;
    }
    // Written aside, so that nobody reads half of it.
    let path = dir.connection();
    let aside = path.with_extension(format!("json.{}", std::process::id()));
    if write_closed(&aside, connection.handover().expose()).is_err()
        || fs::rename(&aside, &path).is_err()
    {
        let _ = fs::remove_file(&aside);
    }
}

/// When the last connection was left.
pub fn left_at(dir: &DataDir) -> Option<SystemTime> {
    fs::metadata(dir.connection())
        .and_then(|meta| meta.modified())
        .ok()
}

/// The connection that was left last.
pub fn read(dir: &DataDir) -> Option<ServerConnection> {
    ServerConnection::take_over(fs::File::open(dir.connection()).ok()?).ok()
}

/// Removes it: who has nothing to do needs none, and one that Stash refuses keeps the next hook
/// from leaving a better one.
pub fn forget(dir: &DataDir) {
    let _ = fs::remove_file(dir.connection());
}

fn is_fresh(dir: &DataDir) -> bool {
    // One from the future was written before the clock was set back.
    let age = left_at(dir).map(|at| SystemTime::now().duration_since(at));
    matches!(age, Some(Ok(age)) if age < FRESH)
}

fn write_closed(path: &std::path::Path, text: &str) -> io::Result<()> {
    let mut file = private_file().create_new(true).write(true).open(path)?;
    if !is_closed(&file)? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    file.write_all(text.as_bytes())
}

/// Some network folders and foreign disks show one mode for all files.
#[cfg(unix)]
fn is_closed(file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_closed(_: &fs::File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16, session: &str, dir: &std::path::Path) -> ServerConnection {
        let text = serde_json::json!({"server_connection": {
            "Scheme": "http", "Host": "localhost", "Port": port, "Dir": dir, "PluginDir": dir,
            "SessionCookie": {"Name": "session", "Value": session},
        }, "args": {}});
        ServerConnection::take_over(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_old_connection_and_one_to_another_address_are_replaced() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::create(folder.path()).unwrap();
        let [first, second, moved] =
            [(1, "a"), (1, "b"), (2, "c")].map(|(port, session)| at(port, session, folder.path()));
        leave(&dir, &first);
        assert_eq!(read(&dir).as_ref(), Some(&first));
        assert_eq!(dir.connection().metadata().unwrap().mode() & 0o777, 0o600);
        leave(&dir, &second);
        assert_eq!(read(&dir).as_ref(), Some(&first), "fresh enough");
        leave(&dir, &moved);
        assert_eq!(read(&dir).as_ref(), Some(&moved));
        let file = fs::File::options().write(true).open(dir.connection());
        let file = file.unwrap();
        for odd in [
            SystemTime::now() - FRESH,
            SystemTime::now() + Duration::from_secs(3600),
        ] {
            file.set_modified(odd).unwrap();
            leave(&dir, &moved);
            assert!(is_fresh(&dir));
        }
        forget(&dir);
        assert_eq!(read(&dir), None);
        let left = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 0, "nothing is left behind");
    }
}
