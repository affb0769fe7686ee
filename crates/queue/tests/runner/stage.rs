//! A queue on disk, on a clock that stands still, and a runner of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::{
    Delivery, Ended, EventKind, Failure, ManualClock, Options, Queue, Result, Runner, Then,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub const LEASE: Duration = Duration::from_secs(100);
/// Far beyond anything that is expected; a test that fails need not be quick.
pub const LONG: Duration = Duration::from_secs(30);

pub struct Stage {
    pub dir: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub stop: Arc<Notify>,
}

impl Stage {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            stop: Arc::default(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("q.db")
    }

    pub fn queue(&self) -> Queue<String> {
        let options = Options::consumer().lease(LEASE).clock(self.clock.clone());
        Queue::open(self.path(), options).unwrap()
    }

    pub fn with(jobs: &[&str]) -> Self {
        let stage = Self::new();
        stage
            .queue()
            .enqueue_all(jobs.iter().map(|job| (*job).to_owned()))
            .unwrap();
        stage
    }

    /// Runs until the test says `stop`.
    pub fn run<H, F, D, E>(
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

    pub async fn stop(&self, runner: JoinHandle<Result<Ended>>) -> Ended {
        self.stop.notify_one();
        tokio::time::timeout(LONG, runner)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
    }

    /// Looks until the queue is so.
    pub async fn until(&self, is_so: impl Fn(&Queue<String>) -> bool) {
        let queue = self.queue();
        let started = Instant::now();
        while !is_so(&queue) {
            assert!(started.elapsed() < LONG, "{:?}", queue.counts().unwrap());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub fn same(runner: Runner<String>) -> Runner<String> {
    runner
}

/// Retries at once.
pub fn twice(runner: Runner<String>) -> Runner<String> {
    runner.retry(|attempt| (attempt < 2).then_some(Duration::ZERO))
}

pub fn live(queue: &Queue<String>) -> u64 {
    queue.counts().unwrap().live()
}

pub fn history(queue: &Queue<String>, job: i64) -> Vec<(EventKind, u64)> {
    queue
        .history(job)
        .unwrap()
        .into_iter()
        .map(|event| (event.kind, event.times))
        .collect()
}
