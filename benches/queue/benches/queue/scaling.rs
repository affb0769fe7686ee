//! A claim in front of a backlog.

use bench_queue::{median, payload, timed};
use queue::{Error, Queue};

use crate::{folder, ours};

/// A claim of one ready job, in front of a backlog in each state.
pub fn claim(quick: bool) {
    let (sizes, claims): (&[i64], _) = if quick {
        (&[1_000, 10_000], 200)
    } else {
        (&[1_000, 100_000, 1_000_000], 1_000)
    };
    for state in ["ready", "waiting", "running", "dead"] {
        let mut first = None;
        for size in sizes {
            let folder = folder();
            let mut queue = ours(&folder.path().join("q.db"));
            fill(&mut queue, state, *size);
            queue.maintain().unwrap();
            let mut times = Vec::new();
            for _ in 0..claims {
                queue.enqueue(payload()).unwrap();
                let (claims, took) = timed(|| queue.claim(1).unwrap());
                times.push(took);
                for claim in claims {
                    queue.done(claim).unwrap();
                }
            }
            let p50 = median(&mut times);
            let first = first.get_or_insert(p50);
            println!(
                "{size:>9} {state:<8} claim {p50:>8.1?}  ×{:.2}",
                p50.as_secs_f64() / first.as_secs_f64()
            );
        }
    }
}

fn fill(queue: &mut Queue<String>, state: &str, size: i64) {
    let rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) ";
    let json = format!("\"{}\"", payload());
    let live = |state: &str, due: &str, claim: &str| {
        format!(
            "{rows} INSERT INTO queue_job (state, priority, due, key, claim, lease_until, lease, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT {state}, 0, {due}, 'key ' || n, {claim}, iif({claim} IS NULL, NULL, 4000000000000 + n), iif({claim} IS NULL, NULL, 300000), 0, 0, 0, 0, 0, 0, ?2 FROM n"
        )
    };
    let sql = match state {
        "ready" => live("1", "1000 + n", "NULL"),
        "waiting" => live("0", "4000000000000 + n", "NULL"),
        "running" => live("2", "1000 + n", "n"),
        _ => format!(
            "{rows} INSERT INTO queue_dead (died, error_type, message, key, priority, enqueued, attempts, deferred, lost, superseded, has_history, payload) \
             SELECT n, 'E', 'm', 'key ' || n, 0, 0, 1, 0, 0, 0, 0, ?2 FROM n"
        ),
    };
    let count = match state {
        "dead" => "UPDATE queue_meta SET dead = ?1".to_owned(),
        state => format!("UPDATE queue_meta SET {state} = ?1, last_id = ?1"),
    };
    queue
        .transaction(|tx| {
            tx.sql().execute(&sql, rusqlite::params![size, json])?;
            tx.sql().execute(&count, [size])?;
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
}
