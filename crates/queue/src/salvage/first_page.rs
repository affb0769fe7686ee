//! Making a copy of a damaged database readable: its first page says what the rest is, and is the
//! same in every queue.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::error::{Error, Result};
use crate::owner::beside;
use crate::schema::VERSION;

/// SQLite's default page size, which every queue has.
const PAGE: usize = 4_096;
/// The database header, <https://www.sqlite.org/fileformat.html#the_database_header>.
const HEADER: usize = 100;

/// What is done to the copy before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Nothing.
    None,
    /// The header is that of a new queue.
    Header,
    /// The whole first page is that of a new queue, and its tables are where a new queue has them.
    FirstPage,
}

impl Repair {
    /// The gentlest first.
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Header, Self::FirstPage];

    /// What is not known any more.
    pub(crate) fn cost(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Header => Some("the file's header, taken from a new queue"),
            Self::FirstPage => Some(
                "the list of tables, taken from a new queue: the application's own tables are not in it",
            ),
        }
    }

    /// Repairs the copy; `fresh` is a new queue.
    pub(crate) fn apply(self, copy: &Path, fresh: &Connection) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Header => overwrite(copy, &empty_page(fresh)?, HEADER),
            Self::FirstPage => {
                overwrite(copy, &empty_page(fresh)?, PAGE)?;
                list_tables(copy, fresh)
            }
        }
    }
}

fn overwrite(copy: &Path, page: &[u8], bytes: usize) -> Result<()> {
    let page = page.get(..bytes).unwrap_or(page);
    let file = OpenOptions::new().write(true).open(copy);
    file.and_then(|mut file| file.write_all(page))
        .map_err(Error::file(copy))
}

/// The first page of an empty database with a queue's settings.
fn empty_page(fresh: &Connection) -> Result<Vec<u8>> {
    let path = beside(Path::new(fresh.path().unwrap_or_default()), "-page");
    let path = path.as_path();
    let _ = std::fs::remove_file(path);
    let empty = Connection::open(path)?;
    empty.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")?;
    empty.pragma_update(None, "user_version", VERSION)?;
    empty.close().map_err(|(_, error)| error)?;
    let page = std::fs::read(path).map_err(Error::file(path));
    let _ = std::fs::remove_file(path);
    let mut page = page?;
    // "Version valid for" unlike the change counter: the page count is then taken from the file's
    // size.
    if let Some(valid_for) = page.get_mut(92..96) {
        valid_for.fill(0xff);
    }
    Ok(page)
}

/// Enters the queue's tables at the pages where a new queue has them. They never move: they were
/// made first.
fn list_tables(copy: &Path, fresh: &Connection) -> Result<()> {
    let mut select = fresh.prepare(
        "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE type <> 'trigger'",
    )?;
    let mut rows = select.query([])?;
    let damaged = Connection::open(copy)?;
    damaged.execute_batch("PRAGMA writable_schema = ON; BEGIN")?;
    while let Some(row) = rows.next()? {
        let columns: Vec<Value> = (0..5)
            .map(|n| row.get(n))
            .collect::<rusqlite::Result<_>>()?;
        damaged.execute(
            "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?1, ?2, ?3, ?4, ?5)",
            rusqlite::params_from_iter(columns),
        )?;
    }
    damaged.execute_batch("COMMIT")?;
    damaged.close().map_err(|(_, error)| error.into())
}
