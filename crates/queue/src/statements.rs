//! The statements on every job's way, and how they are run. Each repeats the literal condition of
//! the partial index it needs, as SQLite asks (<https://www.sqlite.org/partialindex.html>); the
//! test below holds the plans they must get.

use rusqlite::{Connection, Params, Row};

/// The only row of a statement from the cache.
pub(crate) fn row<R>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<R>,
) -> rusqlite::Result<R> {
    connection
        .prepare_cached(statement)?
        .query_row(params, read)
}

/// All rows of a statement from the cache.
pub(crate) fn rows<R, C: FromIterator<R>>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
) -> rusqlite::Result<C> {
    connection
        .prepare_cached(statement)?
        .query_map(params, read)?
        .collect()
}

/// Inserts nothing when the key is taken.
pub(crate) const INSERT: &str = "INSERT INTO queue_job \
     (id, state, priority, due, key, enqueued, attempts, deferred, lost, superseded, has_history, payload, due_set) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, 0, ?7, ?8) ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING";

pub(crate) const FIND_KEY: &str =
    "SELECT id, state, due, ifnull(due_set, enqueued) FROM queue_job WHERE key = ?1";

pub(crate) const REPLACE_IDLE: &str = "UPDATE queue_job SET payload = :payload, enqueued = :now, due = :due, due_set = :now, \
     priority = min(priority, :priority), state = :state, attempts = 0, lost = 0, superseded = superseded + 1 \
     WHERE id = :id";

/// When the follow-up is due, and when that was set.
pub(crate) const NEXT: &str = "SELECT next_due, next_enqueued FROM queue_job WHERE id = ?1";

pub(crate) const PAYLOADS: &str =
    "SELECT payload, next_payload, next_unless_done FROM queue_job WHERE id = ?1";

/// The job of a key, or a running one's follow-up, where replacing its payload would change nothing
/// else; and its payloads.
pub(crate) const STANDING: &str = "SELECT id, iif(state = 2, next_payload, payload), next_unless_done FROM queue_job \
     WHERE key = :key AND iif(state = 2, next_due, due) <= :due AND iif(state = 2, next_priority, priority) <= :priority \
     AND (state = 2 OR (attempts = 0 AND lost = 0)) AND (SELECT min_version FROM queue_meta) <= :version";

pub(crate) const MARK_RUNNING: &str = "UPDATE queue_job SET superseded = superseded + (next_payload IS NOT NULL), \
     next_payload = :payload, next_unless_done = :unless_done, next_enqueued = :now, next_due = :due, \
     next_priority = min(ifnull(next_priority, :priority), :priority) WHERE id = :id";

/// Bounded, so that no claim waits for a whole backlog to move.
pub(crate) const DUE: &str =
    "SELECT id FROM queue_job WHERE state = 0 AND due <= ?1 ORDER BY due LIMIT ?2";

/// Waiting jobs whose due time was set by a clock that was set back since. Bounded, for the same
/// reason.
pub(crate) const SET_BACK: &str =
    "SELECT id FROM queue_job WHERE state = 0 AND due_set > ?1 LIMIT ?2";

pub(crate) const WAIT_ANEW: &str =
    "UPDATE queue_job SET due = due - due_set + ?2, due_set = ?2 WHERE id = ?1";

pub(crate) const PROMOTE: &str = "UPDATE queue_job SET state = 1 WHERE id = ?1";

/// Reading first and writing then is one step here, as every transaction is immediate; and it
/// spares the two temporary tables that `UPDATE … WHERE id IN (SELECT …) RETURNING` makes, which
/// cost more than all the rest.
pub(crate) const READY: &str = "SELECT id, priority, due, enqueued, attempts, deferred, lost, key, payload \
     FROM queue_job WHERE state = 1 ORDER BY priority, due, id LIMIT ?1";

pub(crate) const TAKE: &str = "UPDATE queue_job SET state = 2, claim = ?2, lease_until = ?3, lease = ?4, attempts = attempts + 1 WHERE id = ?1";

pub(crate) const EXTEND: &str = "UPDATE queue_job SET lease_until = max(lease_until, ?3), lease = ?4 WHERE id = ?1 AND claim = ?2";

pub(crate) const FOLLOW_UP: &str = "SELECT has_history, key, iif(?3, next_payload, ifnull(next_unless_done, next_payload)), next_due, next_priority, next_enqueued FROM queue_job WHERE id = ?1 AND claim = ?2";

/// A claimed job that leaves nothing behind, as most do: spares them a look.
pub(crate) const REMOVE_WHOLE: &str = "DELETE FROM queue_job WHERE id = ?1 AND claim = ?2 AND next_payload IS NULL AND NOT (has_history AND ?3)";

pub(crate) const REMOVE: &str = "DELETE FROM queue_job WHERE id = ?1";

/// Jobs that nobody has claimed.
pub(crate) const IDLE: &str =
    "SELECT id FROM queue_job WHERE state = 0 UNION ALL SELECT id FROM queue_job WHERE state = 1";

pub(crate) const STATE: &str = "SELECT state FROM queue_job WHERE id = ?1";

pub(crate) const META: &str = "SELECT min_version, last_id, paused, waiting FROM queue_meta";

pub(crate) const HELD: &str =
    "SELECT lost, next_due, next_enqueued FROM queue_job WHERE id = ?1 AND claim = ?2";

/// Back to the queue. A follow-up that was marked takes the job's place, with fresh attempts.
pub(crate) const GIVE_BACK: &str = "UPDATE queue_job SET \
     state = :state, due = :due, due_set = :now, priority = ifnull(next_priority, priority), \
     payload = coalesce(next_unless_done, next_payload, payload), enqueued = ifnull(next_enqueued, enqueued), \
     attempts = iif(next_payload IS NULL, attempts - :unspent, 0), deferred = deferred + :deferred, \
     lost = iif(next_payload IS NULL AND :in_a_row, lost + :lost, 0), superseded = superseded + (next_payload IS NOT NULL), \
     claim = NULL, lease_until = NULL, lease = NULL, \
     next_payload = NULL, next_unless_done = NULL, next_due = NULL, next_priority = NULL, next_enqueued = NULL \
     WHERE id = :id AND claim = :claim";

pub(crate) const BURY: &str = "INSERT INTO queue_dead \
     (id, died, error_type, message, key, priority, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
     SELECT id, ?3, ?4, ?5, key, priority, enqueued, attempts, deferred, lost, superseded, has_history, payload \
     FROM queue_job WHERE id = ?1 AND claim = ?2";

/// Running jobs of one owner.
pub(crate) const HELD_BY: &str = "SELECT id, claim FROM queue_job WHERE state = 2 AND claim BETWEEN ?1 AND ?2 ORDER BY lease_until LIMIT ?3";

/// Running jobs of other owners whose lease seems to have ended by the wall clock.
pub(crate) const OVERDUE: &str = "SELECT id, claim, lease_until, lease FROM queue_job \
     WHERE state = 2 AND lease_until <= ?1 AND claim NOT BETWEEN ?2 AND ?3 ORDER BY lease_until LIMIT ?4";

pub(crate) const IS_PAUSED: &str = "SELECT paused FROM queue_meta";

pub(crate) const OTHER_OWNERS: &str = "SELECT id FROM queue_owner WHERE id <> ?1";

pub(crate) const REGISTER: &str = "INSERT OR IGNORE INTO queue_owner (id, since) VALUES (?1, ?2)";

pub(crate) const FORGET_OWNER: &str = "DELETE FROM queue_owner WHERE id = ?1";

pub(crate) const HELD_BY_OTHERS: &str =
    "SELECT claim FROM queue_job WHERE state = 2 AND claim NOT BETWEEN ?1 AND ?2 LIMIT ?3";

/// Whether a claim would find a job, or one that waits for a clock that was set back.
pub(crate) const ANY_DUE: &str = "SELECT NOT paused AND (EXISTS (SELECT 1 FROM queue_job WHERE state = 1) \
     OR EXISTS (SELECT 1 FROM queue_job WHERE state = 0 AND due <= ?1) \
     OR EXISTS (SELECT 1 FROM queue_job WHERE state = 0 AND due_set > ?1)) FROM queue_meta";

pub(crate) const ANY_READY: &str = "SELECT EXISTS (SELECT 1 FROM queue_job WHERE state = 1)";

/// Now, when a claim has to look at the clock first.
pub(crate) const NEXT_WAITING: &str = "SELECT iif(EXISTS (SELECT 1 FROM queue_job WHERE state = 0 AND due_set > ?1), ?1, min(due)) \
     FROM queue_job WHERE state = 0";

pub(crate) const COUNTS: &str =
    "SELECT waiting, ready, running, dead, done, deferred, lost, superseded FROM queue_meta";

pub(crate) const FORGET_HISTORY: &str = "DELETE FROM queue_event WHERE job = ?1";

#[cfg(test)]
mod tests {
    //! The plan each hot statement must get on a file that was never analysed: its own index, no
    //! table scan, no sort.

    use rusqlite::Connection;
    use rusqlite::config::DbConfig;

    use crate::dead::DeadFilter;
    use crate::statements as sql;

    fn plan(connection: &Connection, statement: &str) -> String {
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
            .unwrap();
        let lines: Vec<String> = explain
            .raw_query()
            .mapped(|row| row.get(3))
            .collect::<Result<_, _>>()
            .unwrap();
        lines.join(" | ")
    }

    #[test]
    fn hot_statements_keep_their_plans() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .unwrap();
        connection
            .execute_batch(concat!(
                include_str!("schema/v1.sql"),
                include_str!("schema/v2.sql")
            ))
            .unwrap();
        let one_row = [
            sql::REPLACE_IDLE,
            sql::NEXT,
            sql::PAYLOADS,
            sql::MARK_RUNNING,
            sql::PROMOTE,
            sql::WAIT_ANEW,
            sql::TAKE,
            sql::EXTEND,
            sql::FOLLOW_UP,
            sql::REMOVE_WHOLE,
            sql::REMOVE,
            sql::HELD,
            sql::STATE,
            sql::GIVE_BACK,
            sql::BURY,
        ];
        for statement in one_row {
            let wanted = "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)";
            assert_eq!(plan(&connection, statement), wanted, "{statement}");
        }
        let by_index = [
            (
                sql::FIND_KEY,
                "SEARCH queue_job USING INDEX queue_job_key (key=?)",
            ),
            (
                sql::STANDING,
                "SEARCH queue_job USING INDEX queue_job_key (key=?) | SCALAR SUBQUERY 1 | SCAN queue_meta",
            ),
            (
                sql::DUE,
                "SEARCH queue_job USING COVERING INDEX queue_job_waiting (due<?)",
            ),
            (sql::READY, "SCAN queue_job USING INDEX queue_job_ready"),
            (
                sql::HELD_BY,
                "SCAN queue_job USING COVERING INDEX queue_job_running",
            ),
            (
                sql::HELD_BY_OTHERS,
                "SCAN queue_job USING COVERING INDEX queue_job_running",
            ),
            (
                sql::ANY_DUE,
                "SCAN queue_meta | SCALAR SUBQUERY 1 | SCAN queue_job USING COVERING INDEX queue_job_ready \
                 | SCALAR SUBQUERY 2 | SEARCH queue_job USING COVERING INDEX queue_job_waiting (due<?) \
                 | SCALAR SUBQUERY 3 | SEARCH queue_job USING COVERING INDEX queue_job_due_set (due_set>?)",
            ),
            (
                sql::OVERDUE,
                "SEARCH queue_job USING INDEX queue_job_running (lease_until<?)",
            ),
            (
                sql::SET_BACK,
                "SEARCH queue_job USING COVERING INDEX queue_job_due_set (due_set>?)",
            ),
            (
                sql::NEXT_WAITING,
                "SEARCH queue_job USING COVERING INDEX queue_job_waiting \
                 | SCALAR SUBQUERY 1 | SEARCH queue_job USING COVERING INDEX queue_job_due_set (due_set>?)",
            ),
            (
                sql::FORGET_HISTORY,
                "SEARCH queue_event USING PRIMARY KEY (job=?)",
            ),
            (
                sql::ANY_READY,
                "SCAN CONSTANT ROW | SCALAR SUBQUERY 1 | SCAN queue_job USING COVERING INDEX queue_job_ready",
            ),
            // One row for each process.
            (sql::OTHER_OWNERS, "SCAN queue_owner"),
        ];
        for (statement, wanted) in by_index {
            assert_eq!(plan(&connection, statement), wanted, "{statement}");
        }
        for statement in [sql::IS_PAUSED, sql::COUNTS, sql::META] {
            assert_eq!(
                plan(&connection, statement),
                "SCAN queue_meta",
                "a table of one row: {statement}"
            );
        }
        assert_eq!(plan(&connection, sql::INSERT), "");
        let dead = [
            (DeadFilter::all().job(1), "INTEGER PRIMARY KEY (rowid=?)"),
            (DeadFilter::all().key("k"), "INDEX queue_dead_key (key=?)"),
            (
                DeadFilter::all(),
                "INDEX queue_dead_died (died>? AND died<?)",
            ),
        ];
        for (filter, by) in dead {
            let found = plan(&connection, &filter.statement("id"));
            assert!(
                found.starts_with(&format!("SEARCH queue_dead USING {by}")),
                "{found}"
            );
        }
    }
}
