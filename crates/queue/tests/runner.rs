//! One runner: what comes of jobs whose handlers end, fail, panic, block, hang, or are cut off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use queue::{
    Clock, DeadFilter, Delivery, Ended, EventKind, Failure, ManualClock, NewJob, Options, Queue,
    Result, Runner, State, Then,
};
use tokio::sync::{Barrier, Notify, mpsc};
use tokio::task::JoinHandle;

const LEASE: Duration = Duration::from_secs(100);
/// Far beyond anything that is expected; a test that fails need not be quick.
const LONG: Duration = Duration::from_secs(30);

struct Stage {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    stop: Arc<Notify>,
}

impl Stage {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            stop: Arc::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("q.db")
    }

    fn queue(&self) -> Queue<String> {
        let options = Options::consumer().lease(LEASE).clock(self.clock.clone());
        Queue::open(self.path(), options).unwrap()
    }

    fn with(jobs: &[&str]) -> Self {
        let stage = Self::new();
        stage
            .queue()
            .enqueue_all(jobs.iter().map(|job| (*job).to_owned()))
            .unwrap();
        stage
    }

    /// Runs until the test says `stop`.
    fn run<H, F, D, E>(
        &self,
        configure: impl FnOnce(Runner<String>) -> Runner<String>,
        handler: H,
    ) -> JoinHandle<Result<Ended>>
    where
        H: Fn(Delivery<String>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<D, E>> + Send + 'static,
        D: Into<Then<String>> + 'static,
        E: Into<Failure> + 'static,
    {
        let (runner, stop) = (configure(Runner::new(self.queue())), self.stop.clone());
        tokio::spawn(async move { runner.run(stop.notified(), handler).await })
    }

    async fn stop(&self, runner: JoinHandle<Result<Ended>>) -> Ended {
        self.stop.notify_one();
        tokio::time::timeout(LONG, runner)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
    }

    /// Looks until the queue is so.
    async fn until(&self, is_so: impl Fn(&Queue<String>) -> bool) {
        let queue = self.queue();
        let started = Instant::now();
        while !is_so(&queue) {
            assert!(started.elapsed() < LONG, "{:?}", queue.counts().unwrap());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn same(runner: Runner<String>) -> Runner<String> {
    runner
}

/// Retries at once.
fn twice(runner: Runner<String>) -> Runner<String> {
    runner.retry(|attempt| (attempt < 2).then_some(Duration::ZERO))
}

fn live(queue: &Queue<String>) -> u64 {
    queue.counts().unwrap().live()
}

fn history(queue: &Queue<String>, job: i64) -> Vec<(EventKind, u64)> {
    queue
        .history(job)
        .unwrap()
        .into_iter()
        .map(|event| (event.kind, event.times))
        .collect()
}

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
