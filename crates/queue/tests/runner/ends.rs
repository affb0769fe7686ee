//! What comes of a job whose handler fails, panics, or writes when it ends.

use std::time::Duration;

use queue::{Clock, DeadFilter, Delivery, Failure, Queue, State, Then};
use tokio::sync::mpsc;

use crate::stage::{LONG, Stage, live, same, twice};

#[tokio::test]
async fn a_failure_is_tried_again_as_the_policy_says_and_then_a_dead_letter() {
    let stage = Stage::with(&["a"]);
    let policy = |attempt: u32| (attempt < 3).then(|| attempt * Duration::from_secs(10));
    let runner = stage.run(
        |runner| runner.retry(policy),
        |_| async { Err::<(), _>(std::io::Error::other("no answer")) },
    );
    for (attempts, wait) in [(1, 10), (2, 20)] {
        let tried = |queue: &Queue<String>| {
            let waiting = queue.jobs(State::Waiting, 1).unwrap();
            waiting.iter().any(|job| job.attempts == attempts)
        };
        stage.until(tried).await;
        let due = stage.queue().next_due().unwrap().unwrap();
        let left = due.duration_since(stage.clock.now()).unwrap();
        assert_eq!(left, Duration::from_secs(wait));
        stage.clock.advance(left);
    }
    stage.until(|queue| queue.counts().unwrap().dead == 1).await;
    stage.stop(runner).await;
    let letter = stage
        .queue()
        .dead_letters(&DeadFilter::all())
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!((letter.attempts, letter.message.as_str()), (3, "no answer"));
    assert_eq!(letter.error_type, "std::io::error::Error");
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_the_runner_goes_on() {
    let stage = Stage::with(&["before", "after", "write", "fine"]);
    let runner = stage.run(twice, |job| {
        assert_ne!(job.payload, "before", "before the first await");
        async move {
            tokio::task::yield_now().await;
            assert_ne!(job.payload, "after", "after it");
            Ok::<_, Failure>(match job.payload.as_str() {
                "write" => Then::write(|_| panic!("in the transaction")),
                _ => ().into(),
            })
        }
    });
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
    let queue = stage.queue();
    let letters = queue
        .dead_letters(&DeadFilter::all().error_type("Panic"))
        .unwrap();
    assert_eq!((letters.len(), queue.counts().unwrap().done), (3, 1));
    assert!(
        letters.iter().all(|letter| letter.attempts == 2),
        "{letters:?}"
    );
    let all: String = letters.into_iter().map(|letter| letter.message).collect();
    for words in ["before the first await", "after it", "in the transaction"] {
        assert!(all.contains(words), "{all}");
    }
}

#[tokio::test]
async fn what_is_written_with_the_end_is_one_step_with_it() {
    let stage = Stage::with(&["good", "bad"]);
    let steps = ["CREATE TABLE results (job TEXT PRIMARY KEY CHECK (job <> 'bad'))"];
    stage.queue().migrate("test", &steps).unwrap();
    let runner = stage.run(twice, |job| async {
        Ok::<_, Failure>(Then::write(move |tx| {
            if job.payload == "follow-up" {
                return Ok(());
            }
            tx.enqueue("follow-up".to_owned())?;
            tx.sql()
                .execute("INSERT INTO results VALUES (?1)", [job.payload])?;
            Ok(())
        }))
    });
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
    let queue = stage.queue();
    let results = "SELECT group_concat(job) FROM results";
    let results: String = queue
        .sql()
        .query_row(results, [], |row| row.get(0))
        .unwrap();
    let counts = queue.counts().unwrap();
    assert_eq!((results.as_str(), counts.done, counts.dead), ("good", 2, 1));
    let letter = queue
        .dead_letters(&DeadFilter::all())
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!((letter.error_type.as_str(), letter.attempts), ("Write", 2));
}

#[tokio::test]
async fn a_deferred_attempt_does_not_count() {
    let stage = Stage::with(&["a"]);
    let (delivered, mut deliveries) = mpsc::unbounded_channel();
    let runner = stage.run(same, move |job: Delivery<String>| {
        delivered.send((job.attempt, job.deferred)).unwrap();
        async move {
            match job.deferred {
                3 => Ok(()),
                _ => Err(Failure::defer(Duration::ZERO, "not now")),
            }
        }
    });
    for deferred in 0..=3 {
        assert_eq!(deliveries.recv().await, Some((1, deferred)));
    }
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
}

#[tokio::test]
async fn a_failing_database_ends_the_runner_with_its_error() {
    let stage = Stage::with(&["a"]);
    let runner = stage.run(same, |_| async {
        Ok::<_, Failure>(Then::write(|tx| {
            Ok(tx.sql().execute_batch("DROP TABLE queue_event")?)
        }))
    });
    stage.until(|queue| live(queue) == 0).await;
    stage.queue().enqueue("b".to_owned()).unwrap();
    stage
        .queue()
        .sql()
        .execute_batch("DROP TABLE queue_job")
        .unwrap();
    let error = tokio::time::timeout(LONG, runner)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("queue_job"), "{error}");
}
