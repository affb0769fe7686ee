//! How handlers and runners are stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::{Delivery, EventKind, Failure, NewJob, Queue, State};
use tokio::sync::{Notify, mpsc};

use crate::stage::{LEASE, LONG, Stage, history, live, same};

#[tokio::test]
async fn a_stop_waits_for_what_runs_and_claims_no_more() {
    let stage = Stage::with(&["a", "b"]);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let finish = Arc::new(Notify::new());
    let may = finish.clone();
    let runner = stage.run(
        |runner| runner.grace(LEASE),
        move |job: Delivery<String>| {
            let (begun, may) = (begun.clone(), may.clone());
            async move {
                begun.send(job.payload)?;
                may.notified().await;
                Ok::<_, mpsc::error::SendError<String>>(())
            }
        },
    );
    assert_eq!(begins.recv().await.unwrap(), "a");
    stage.stop.notify_one();
    tokio::task::yield_now().await;
    // It goes on renewing the lease.
    let lease = |queue: &Queue<String>| queue.jobs(State::Running, 1).unwrap()[0].lease_until;
    let before = lease(&stage.queue());
    stage.clock.advance(LEASE / 2);
    stage.until(|queue| lease(queue) > before).await;
    finish.notify_one();
    assert_eq!(stage.stop(runner).await.cut_off, 0);
    let counts = stage.queue().counts().unwrap();
    assert_eq!(
        (counts.done, counts.ready, begins.recv().await),
        (1, 1, None)
    );
}

#[tokio::test]
async fn a_stop_ends_at_its_deadline_and_gives_back_what_hangs() {
    let stage = Stage::with(&["a"]);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let grace = Duration::from_millis(1);
    let runner = stage.run(
        move |runner| runner.grace(grace),
        move |job: Delivery<String>| {
            begun.send(job.job).unwrap();
            std::future::pending::<Result<(), Failure>>()
        },
    );
    let job = begins.recv().await.unwrap();
    stage.stop.notify_one();
    // The deadline runs from when the stop is heard, which is after this at the earliest.
    let started = Instant::now();
    while !runner.is_finished() {
        assert!(started.elapsed() < LONG);
        stage.clock.advance(grace);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(stage.stop(runner).await.cut_off, 1);
    let queue = stage.queue();
    assert_eq!(
        (queue.counts().unwrap().ready, begins.recv().await),
        (1, None)
    );
    assert_eq!(history(&queue, job), [(EventKind::Released, 1)]);
}

#[tokio::test]
async fn a_runner_that_is_dropped_gives_back_what_it_holds() {
    let stage = Stage::with(&["a"]);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let runner = stage.run(same, move |job: Delivery<String>| {
        begun.send(job.job).unwrap();
        std::future::pending::<Result<(), Failure>>()
    });
    let job = begins.recv().await.unwrap();
    runner.abort();
    stage
        .until(|queue| queue.counts().unwrap().ready == 1)
        .await;
    assert_eq!(history(&stage.queue(), job), [(EventKind::Released, 1)]);
    assert_eq!(begins.recv().await, None, "the handler is gone");
}

#[tokio::test]
async fn the_handler_of_a_cancelled_job_is_aborted() {
    let stage = Stage::new();
    stage
        .queue()
        .enqueue(NewJob::new("a".to_owned()).key("k"))
        .unwrap();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let runner = stage.run(same, move |_| {
        let begun = begun.clone();
        async move {
            begun.send(())?;
            // Dropped with the future.
            let _begun = begun;
            std::future::pending::<Result<(), mpsc::error::SendError<()>>>().await
        }
    });
    begins.recv().await.unwrap();
    assert_eq!(stage.queue().cancel("k").unwrap(), Some(State::Running));
    stage.queue().enqueue("b".to_owned()).unwrap();
    stage.clock.advance(LEASE / 2);
    // There is room for the next only when the first is gone.
    tokio::time::timeout(LONG, begins.recv())
        .await
        .unwrap()
        .unwrap();
    stage.clock.advance(LEASE);
    drop(stage.stop);
    runner.abort();
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(unix)]
#[tokio::test]
async fn a_runner_goes_on_with_the_file_that_takes_the_place_of_its_own() {
    let stage = Stage::with(&["old"]);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let finish = Arc::new(Notify::new());
    let may = finish.clone();
    let runner = stage.run(
        |runner| runner.every("each", LEASE / 4, || NewJob::new("x".to_owned())),
        move |job: Delivery<String>| {
            let (begun, may) = (begun.clone(), may.clone());
            async move {
                begun.send(job.payload)?;
                may.notified().await;
                Ok::<_, mpsc::error::SendError<String>>(())
            }
        },
    );
    assert_eq!(begins.recv().await.unwrap(), "old");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(stage.path().with_file_name(format!("q.db{suffix}")));
    }
    stage.queue().enqueue("new".to_owned()).unwrap();
    // So that the timetable is looked at, in the new file.
    stage.clock.advance(LEASE / 4);
    stage
        .until(|queue| {
            stage.clock.advance(Duration::from_millis(10));
            queue.sql().prepare("SELECT 1 FROM queue_periodic").is_ok()
        })
        .await;
    finish.notify_one();
    assert_eq!(begins.recv().await.unwrap(), "new");
    finish.notify_one();
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
    assert_eq!(stage.queue().counts().unwrap().done, 1);
}
