//! The plan each hot statement must get on a file that was never analysed: its index, no table scan, no sort but where
//! it is bounded by a limit.

use rusqlite::Connection;

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
        .execute_batch(include_str!("schema/v1.sql"))
        .unwrap();
    let golden = [
        (
            sql::FIND_KEY,
            "SEARCH queue_job USING INDEX queue_job_key (key=?)",
        ),
        (
            sql::REPLACE_IDLE,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::HAS_FOLLOW_UP,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::MARK_RUNNING,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::CANCEL,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::PROMOTE,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | \
             SEARCH queue_job USING COVERING INDEX queue_job_waiting (due<?)",
        ),
        (
            sql::CLAIM,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | \
             SCAN queue_job USING COVERING INDEX queue_job_ready",
        ),
        (
            sql::EXTEND,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::DONE,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::HELD,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::GIVE_BACK,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::BURY,
            "SEARCH queue_job USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            sql::HELD_BY,
            "SCAN queue_job USING COVERING INDEX queue_job_running",
        ),
        (
            sql::OVERDUE,
            "SEARCH queue_job USING INDEX queue_job_running (lease_until<?)",
        ),
        (sql::OTHER_OWNERS, "SCAN queue_owner"),
        (
            sql::ANY_READY,
            "SCAN CONSTANT ROW | SCALAR SUBQUERY 1 | SCAN queue_job USING COVERING INDEX queue_job_ready",
        ),
        (
            sql::NEXT_WAITING,
            "SEARCH queue_job USING COVERING INDEX queue_job_waiting",
        ),
        (
            sql::FORGET_HISTORY,
            "SEARCH queue_event USING PRIMARY KEY (job=?)",
        ),
    ];
    for (statement, wanted) in golden {
        assert_eq!(plan(&connection, statement), wanted, "{statement}");
    }
    // Tables of one row.
    for statement in [sql::IS_PAUSED, sql::COUNTS, sql::COUNT_DONE] {
        assert_eq!(
            plan(&connection, statement),
            "SCAN queue_meta",
            "{statement}"
        );
    }
    assert_eq!(plan(&connection, sql::INSERT), "");
}
