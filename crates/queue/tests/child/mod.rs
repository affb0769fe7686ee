//! Other processes: the test's own program, started again to play a part.
#![allow(dead_code, unused_imports)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use queue::{Options, Queue, State};
pub use queue_contract::child::{command, part, said, say, under};

/// Long, since a busy machine with many writers in tight loops is no fault.
const BUSY: Duration = Duration::from_secs(60);

pub fn producer(file: &Path) -> Queue<String> {
    Queue::open(file, Options::producer().busy_timeout(BUSY)).unwrap()
}

pub fn consumer(file: &Path) -> Queue<String> {
    Queue::open(file, Options::consumer().busy_timeout(BUSY)).unwrap()
}

/// The file in a folder.
pub fn file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("q.db")
}

/// The payloads of ready jobs.
pub fn ready(queue: &Queue<String>) -> Vec<String> {
    let jobs = queue.jobs(State::Ready, usize::MAX).unwrap();
    jobs.iter()
        .map(|job| serde_json::from_str(&job.payload).unwrap())
        .collect()
}

/// A number from the environment, for long forms of a test.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// A small generator of test choices, from a seed that a failure can repeat.
pub struct Dice(pub u64);

impl Dice {
    /// Below `n`; splitmix64.
    pub fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
