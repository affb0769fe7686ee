//! What the jobs in a file are: a name in the file, so that no program takes another's for its own.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::error::{Error, Result};
use crate::options::{Options, Role};

/// Refuses a file with another name; names one that has none.
pub(crate) fn check(connection: &Connection, options: &Options, path: &Path) -> Result<()> {
    let wanted = options.format.as_deref();
    let found = match (found(connection)?, wanted, options.role) {
        (Some(_), None, Role::Inspector) => return Ok(()),
        (None, Some(wanted), Role::Producer | Role::Consumer) => {
            let name = "UPDATE queue_meta SET format = ?1 WHERE format IS NULL";
            connection.execute(name, [wanted])?;
            // Another process may have been faster, with another name.
            self::found(connection)?
        }
        (found, ..) => found,
    };
    if found.as_deref() == wanted {
        return Ok(());
    }
    Err(Error::OtherFormat {
        path: path.into(),
        found,
        wanted: wanted.map(str::to_owned),
    })
}

fn found(connection: &Connection) -> Result<Option<String>> {
    let found = connection
        .query_row("SELECT format FROM queue_meta", [], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Takes over the name of a damaged file, when it can be read.
pub(crate) fn rescue(connection: &Connection) {
    let rescue = "UPDATE main.queue_meta SET format = (SELECT format FROM old.queue_meta)";
    // One from before there were names has no such column.
    let _ = connection.execute(rescue, []);
}
