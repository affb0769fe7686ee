//! What is claimed, when, and how long it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use queue::{Delivery, Failure, NewJob, Options, Queue, State};
use tokio::sync::{Barrier, Notify, mpsc};

use crate::stage::{LEASE, LONG, Stage, live, same};

#[tokio::test(flavor = "multi_thread")]
async fn so_many_jobs_run_at_once_and_no_more() {
    let stage = Stage::with(&["a", "b", "c", "d", "e", "f"]);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let three = Arc::new(Barrier::new(3));
    let seen = most.clone();
    let runner = stage.run(
        |runner| runner.concurrency(3),
        move |_| {
            let (now, most, three) = (now.clone(), most.clone(), three.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                three.wait().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Failure>(())
            }
        },
    );
    stage.until(|queue| live(queue) == 0).await;
    assert_eq!(stage.stop(runner).await.cut_off, 0);
    assert_eq!(
        (
            stage.queue().counts().unwrap().done,
            seen.load(Ordering::SeqCst)
        ),
        (6, 3)
    );
}

/// Its runtime has this one thread, too.
#[tokio::test(flavor = "current_thread")]
async fn a_handler_that_blocks_its_thread_for_three_leases_keeps_its_job() {
    let stage = Stage::with(&["long"]);
    let (clock, path) = (stage.clock.clone(), stage.path());
    let runner = stage.run(same, move |_| {
        let (clock, path) = (clock.clone(), path.clone());
        async move {
            let options = Options::consumer().lease(LEASE).clock(clock.clone());
            let mut other: Queue<String> = Queue::open(path, options).unwrap();
            let lease =
                |queue: &Queue<String>| queue.jobs(State::Running, 1).unwrap()[0].lease_until;
            for _ in 0..6 {
                let (before, started) = (lease(&other), Instant::now());
                clock.advance(LEASE / 2);
                while lease(&other) == before {
                    assert!(started.elapsed() < LONG, "the lease is not renewed");
                    std::thread::sleep(Duration::from_millis(2));
                }
                assert!(other.claim(1).unwrap().is_empty());
            }
            Ok::<_, Failure>(())
        }
    });
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
    let counts = stage.queue().counts().unwrap();
    assert_eq!((counts.done, counts.lost), (1, 0));
}

#[tokio::test]
async fn nothing_is_claimed_while_the_gate_is_closed() {
    let stage = Stage::with(&["a"]);
    let (open, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (is_open, ask, times) = (open.clone(), asked.clone(), AtomicUsize::new(0));
    let gate = move || {
        ask.notify_one();
        let first = times.fetch_add(1, Ordering::SeqCst) == 0;
        match is_open.load(Ordering::SeqCst) {
            true => Some(Duration::ZERO),
            false if first => None,
            false => Some(Duration::from_millis(1)),
        }
    };
    let runner = stage.run(
        |runner| runner.gate(gate),
        |_| async { Ok::<_, Failure>(()) },
    );
    for _ in 0..3 {
        asked.notified().await;
        assert_eq!(stage.queue().counts().unwrap().ready, 1);
    }
    open.store(true, Ordering::SeqCst);
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_lost_runs_alone() {
    let stage = Stage::with(&["lost"]);
    let dying = stage.queue().claim(1).unwrap();
    let mut queue = stage.queue();
    let claims = queue.claim(1).unwrap();
    drop((dying, claims));
    stage.clock.advance(LEASE);
    let lost = queue.claim(1).unwrap().pop().unwrap();
    assert_eq!(lost.lost(), 1);
    queue.release(lost).unwrap();
    queue
        .enqueue_all((0..9).map(|n| NewJob::new(n.to_string()).priority(n % 2 * 2 - 1)))
        .unwrap();
    let (now, most_beside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let beside = most_beside.clone();
    let runner = stage.run(
        |runner| runner.concurrency(4),
        move |job| {
            let (now, beside) = (now.clone(), beside.clone());
            async move {
                let others = now.fetch_add(1, Ordering::SeqCst);
                for _ in 0..20 {
                    if job.payload == "lost" {
                        beside.fetch_max(
                            others.max(now.load(Ordering::SeqCst) - 1),
                            Ordering::SeqCst,
                        );
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Failure>(())
            }
        },
    );
    stage.until(|queue| live(queue) == 0).await;
    stage.stop(runner).await;
    assert_eq!(most_beside.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_periodic_job_comes_when_it_is_due_and_once_while_it_runs() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let stage = Stage::new();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let finish = Arc::new(Notify::new());
    let may = finish.clone();
    let runner = stage.run(
        |runner| {
            let runner = runner.concurrency(2);
            runner.every("hourly", HOUR, || NewJob::new("hour".to_owned()))
        },
        move |job: Delivery<String>| {
            let (begun, may) = (begun.clone(), may.clone());
            async move {
                begun.send(job.key)?;
                may.notified().await;
                Ok::<_, mpsc::error::SendError<_>>(())
            }
        },
    );
    let times = |queue: &Queue<String>| -> i64 {
        let times = "SELECT ifnull(max(next), 0) / 3600000 FROM queue_periodic";
        let row = queue.sql().query_row(times, [], |row| row.get(0));
        row.unwrap_or_default()
    };
    stage.until(|queue| times(queue) > 0).await;
    assert!(begins.try_recv().is_err(), "not before its time");
    for _ in 0..2 {
        stage.clock.advance(HOUR);
        let key = tokio::time::timeout(LONG, begins.recv()).await.unwrap();
        assert_eq!(key.flatten().as_deref(), Some("hourly"));
        // While it runs, two hours more.
        for _ in 0..2 {
            let before = times(&stage.queue());
            stage.clock.advance(HOUR);
            stage.until(|queue| times(queue) > before).await;
        }
        assert_eq!(live(&stage.queue()), 1);
        finish.notify_one();
        stage.until(|queue| live(queue) == 0).await;
    }
    stage.stop(runner).await;
}

#[tokio::test]
async fn a_cancelled_job_that_waits_to_run_alone_makes_room() {
    let stage = Stage::new();
    let mut queue = stage.queue();
    let lost = NewJob::new("lost".to_owned()).key("lost").priority(1);
    queue.enqueue(lost).unwrap();
    drop(queue.claim(1).unwrap());
    stage.clock.advance(LEASE);
    let lost = queue.claim(1).unwrap().pop().unwrap();
    queue.release(lost).unwrap();
    queue.enqueue("first".to_owned()).unwrap();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let runner = stage.run(
        |runner| runner.concurrency(3).grace(Duration::ZERO),
        move |job: Delivery<String>| {
            begun.send(job.payload).unwrap();
            std::future::pending::<Result<(), Failure>>()
        },
    );
    assert_eq!(begins.recv().await.unwrap(), "first");
    stage
        .until(|queue| queue.counts().unwrap().running == 2)
        .await;
    queue.enqueue("third".to_owned()).unwrap();
    queue.cancel("lost").unwrap();
    // The lease is not there to be renewed.
    stage.clock.advance(LEASE / 2);
    let next = tokio::time::timeout(LONG, begins.recv()).await.unwrap();
    assert_eq!(next.unwrap(), "third");
    assert_eq!(stage.stop(runner).await.cut_off, 2);
}
