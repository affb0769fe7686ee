//! The plan each hot statement must get on a file that was never analysed: its own index, no table scan, no sort.

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
