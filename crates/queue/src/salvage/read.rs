//! Reading what can be read of a damaged database.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::error::Result;
use crate::format;

/// Halving a range around damage ends after this many tries, since a lost inner page makes every
/// range fail.
const TRIES: u32 = 20_000;

/// What was rescued.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    pub(crate) jobs: u64,
    pub(crate) dead: u64,
    pub(crate) app_rows: u64,
    pub(crate) lost: Vec<String>,
}

impl Rescued {
    pub(crate) fn of_nothing(lost: &str) -> Self {
        Self {
            lost: vec![lost.to_owned()],
            ..Self::default()
        }
    }
}

/// Attaches the damaged file as `old`, when its tables can be listed.
pub(crate) fn attach(connection: &Connection, path: &Path) -> Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    connection.execute("ATTACH ?1 AS old", [path.to_str()])?;
    let tables = "SELECT 1 FROM old.sqlite_schema WHERE name = 'queue_job'";
    Ok(connection.query_row(tables, [], |_| Ok(()))?)
}

/// Copies everything readable from `old` into the new queue.
pub(crate) fn take(connection: &Connection, rescued: &mut Rescued) {
    let lost = &mut rescued.lost;
    for table in ["queue_job", "queue_dead", "queue_event", "queue_app"] {
        copy(connection, table, "that break its rules", lost);
    }
    let counters = connection.execute(
        "UPDATE main.queue_meta SET (last_id, last_owner, paused, done, deferred, lost, superseded) = \
         (SELECT max(main.queue_meta.last_id, last_id), last_owner, paused, done, deferred, lost, superseded FROM old.queue_meta WHERE id = 1) \
         WHERE EXISTS (SELECT 1 FROM old.queue_meta)",
        [],
    );
    if !matches!(counters, Ok(1)) {
        lost.push(
            "queue_meta: whether it was paused, the counters, and the next job and owner ids"
                .into(),
        );
    }
    format::rescue(connection);
    rescued.app_rows = copy_app_tables(connection, lost);
}

/// Copies what the new queue has no job for yet, from an `old` whose pages are not all of one file.
pub(crate) fn take_more(connection: &Connection, rescued: &mut Rescued) {
    for table in ["queue_job", "queue_dead", "queue_event"] {
        let mut lost = Vec::new();
        copy(
            connection,
            table,
            "that the file has too, or that break its rules",
            &mut lost,
        );
        rescued
            .lost
            .extend(lost.into_iter().map(|lost| format!("of the log, {lost}")));
    }
}

/// Makes one sound queue of what was taken.
pub(crate) fn finish(connection: &Connection, rescued: Rescued) -> Result<Rescued> {
    // No claim outlives the file; no number is used twice; no job is live and dead.
    connection.execute_batch(
        "UPDATE main.queue_job SET state = 1, payload = coalesce(next_unless_done, next_payload, payload), due = ifnull(next_due, due), \
           priority = ifnull(next_priority, priority), enqueued = ifnull(next_enqueued, enqueued), attempts = iif(next_payload IS NULL, max(attempts - 1, 0), 0), \
           claim = NULL, lease_until = NULL, lease = NULL, next_payload = NULL, next_unless_done = NULL, next_due = NULL, next_priority = NULL, next_enqueued = NULL \
         WHERE state = 2; DELETE FROM main.queue_dead WHERE id IN (SELECT id FROM main.queue_job)",
    )?;
    connection.execute_batch(
        "UPDATE main.queue_meta SET last_id = max(last_id, (SELECT ifnull(max(id), 0) FROM main.queue_job), \
           (SELECT ifnull(max(id), 0) FROM main.queue_dead)), dead = (SELECT count(*) FROM main.queue_dead), \
           waiting = (SELECT count(*) FROM main.queue_job WHERE state = 0), ready = (SELECT count(*) FROM main.queue_job WHERE state = 1)",
    )?;
    let count = |table| {
        let count = format!("SELECT count(*) FROM main.{table}");
        connection
            .query_row(&count, [], |row| row.get(0))
            .map(i64::unsigned_abs)
    };
    let (jobs, dead) = (count("queue_job")?, count("queue_dead")?);
    Ok(Rescued {
        jobs,
        dead,
        ..rescued
    })
}

/// Whether the pages of the attached file fit together, whatever is written on them.
pub(crate) fn is_whole(connection: &Connection) -> bool {
    let rules = |ignored| connection.pragma_update(None, "ignore_check_constraints", ignored);
    let check = rules(true)
        .and_then(|()| connection.query_row("PRAGMA old.integrity_check(1)", [], |row| row.get(0)));
    rules(false).is_ok() && check.is_ok_and(|found: String| found == "ok")
}

/// The application's tables, then their indexes, views and triggers; how many rows.
fn copy_app_tables(connection: &Connection, lost: &mut Vec<String>) -> u64 {
    let mut rows = 0;
    let tables = app_schema(connection, "type = 'table'").unwrap_or_else(|error| {
        lost.push(format!("the application's tables: {error}"));
        Vec::new()
    });
    for (name, sql) in tables {
        match connection.execute_batch(&sql) {
            Ok(()) => rows += copy(connection, &name, "that break its rules", lost),
            Err(error) => lost.push(format!("{name}: {error}")),
        }
    }
    for (name, sql) in app_schema(connection, "type <> 'table'").unwrap_or_default() {
        if let Err(error) = connection.execute_batch(&sql) {
            lost.push(format!("{name}: {error}"));
        }
    }
    rows
}

fn app_schema(connection: &Connection, which: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut select = connection.prepare(&format!(
        "SELECT name, sql FROM old.sqlite_schema WHERE {which} AND sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT IN (SELECT name FROM main.sqlite_schema)"
    ))?;
    select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Copies one table's readable rows; how many. `refused` says which rows the new table does not
/// take.
fn copy(connection: &Connection, table: &str, refused: &str, lost: &mut Vec<String>) -> u64 {
    let quoted = format!("\"{}\"", table.replace('"', "\"\""));
    let columns = match common_columns(connection, table) {
        Ok(columns) if !columns.is_empty() => columns.join(", "),
        Ok(_) => return 0,
        Err(error) => {
            lost.push(format!("{table}: {error}"));
            return 0;
        }
    };
    let insert = format!(
        "INSERT OR IGNORE INTO main.{quoted} ({columns}) SELECT {columns} FROM old.{quoted}"
    );
    match connection.execute(&insert, []) {
        Ok(rows) => {
            match count(connection, &quoted).map(|there| there - rows as i64) {
                Ok(0) => {}
                Ok(n) => lost.push(format!("{table}: {n} rows {refused}")),
                Err(error) => lost.push(format!("{table}: {error}")),
            }
            return rows as u64;
        }
        Err(error) => lost.push(format!("{table}: {error}")),
    }
    // Damaged: around the damage, by row number, or by the column that a table without row numbers
    // is ordered by.
    let by = match table {
        "queue_event" => "job",
        "queue_app" => return 0,
        _ => "rowid",
    };
    let (low, high) = bounds(connection, &quoted, by);
    let mut halving = Halving {
        connection,
        insert: format!("{insert} WHERE {by} BETWEEN ?1 AND ?2"),
        tries: TRIES,
        rows: 0,
        lost: Vec::new(),
    };
    halving.copy(low, high);
    let ranges = halving.lost.iter();
    lost.extend(ranges.map(|(low, high)| format!("{table}: rows in {low} to {high}")));
    halving.rows
}

/// Rows of the old table itself: its indexes may be damaged.
fn count(connection: &Connection, quoted: &str) -> rusqlite::Result<i64> {
    let count = format!("SELECT count(*) FROM old.{quoted} NOT INDEXED");
    connection.query_row(&count, [], |row| row.get(0))
}

/// The columns that the old and the new table share.
fn common_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(
        "SELECT name FROM pragma_table_info(?1, 'main') WHERE name IN (SELECT name FROM pragma_table_info(?1, 'old'))",
    )?;
    let names = select.query_map([table], |row| row.get::<_, String>(0))?;
    names
        .map(|name| Ok(format!("\"{}\"", name?.replace('"', "\"\""))))
        .collect()
}

/// The smallest and largest row number; a guess when they cannot be read.
fn bounds(connection: &Connection, table: &str, by: &str) -> (i64, i64) {
    let read = |number: &str, table: &str| {
        let select = format!("SELECT {number} FROM old.{table}");
        connection.query_row(&select, [], |row| row.get(0))
    };
    let last = read(&format!("max({by})"), table).or_else(|_| read("last_id", "queue_meta"));
    (
        read(&format!("min({by})"), table).unwrap_or(1),
        last.unwrap_or(1 << 20),
    )
}

/// Copies a range, or its halves when it cannot be read as a whole.
struct Halving<'a> {
    connection: &'a Connection,
    insert: String,
    tries: u32,
    rows: u64,
    lost: Vec<(i64, i64)>,
}

impl Halving<'_> {
    fn copy(&mut self, low: i64, high: i64) {
        if low > high {
            return;
        }
        self.tries = self.tries.saturating_sub(1);
        let copied = self
            .connection
            .prepare_cached(&self.insert)
            .and_then(|mut insert| insert.execute(params![low, high]));
        match copied {
            Ok(rows) => self.rows += rows as u64,
            Err(_) if low == high || self.tries == 0 => self.lose(low, high),
            Err(_) => {
                let middle = low.midpoint(high);
                self.copy(low, middle);
                self.copy(middle + 1, high);
            }
        }
    }

    /// Neighbouring losses are one.
    fn lose(&mut self, low: i64, high: i64) {
        match self.lost.last_mut() {
            Some(last) if last.1 + 1 == low => last.1 = high,
            _ => self.lost.push((low, high)),
        }
    }
}
