//! How the jobs are.

use serde::Serialize;

/// The jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct QueueStatus {
    /// Neither running nor failed.
    pub waiting: u64,
    /// Of the first of those, the ones that a task or the timetable queued, and no change.
    pub tasks: u64,
    /// Of the first of those, the ones that are done but for another look at their time: a request
    /// got no answer, and may still be carried out, or a cover was not given.
    pub looks: u64,
    /// Of those that wait, the ones whose time has come.
    pub ready: u64,
    /// Run now.
    pub running: u64,
    /// When the first of those that wait for their time is due.
    pub next_due: Option<f64>,
    /// Not tried again by themselves.
    pub failed: u64,
    /// Those, by what they failed of.
    pub failed_by_type: Vec<FailedType>,
    /// The newest of them.
    pub failed_jobs: Vec<FailedJob>,
    /// Of the waiting ones, the first that were tried already.
    pub tried_jobs: Vec<TriedJob>,
    /// Done since the queue was made.
    pub done: u64,
}

impl QueueStatus {
    /// Jobs neither done nor failed.
    pub fn live(&self) -> u64 {
        self.waiting + self.running
    }

    /// What is known of each job that is listed.
    pub fn listed(&mut self) -> impl Iterator<Item = &mut About> {
        let failed = self.failed_jobs.iter_mut().map(|job| &mut job.about);
        failed.chain(self.tried_jobs.iter_mut().map(|job| &mut job.about))
    }
}

/// Failed jobs of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedType {
    /// The kind.
    pub error_type: String,
    /// How many.
    pub count: u64,
    /// When the last of them failed.
    pub newest: f64,
    /// What a person can do.
    pub advice: &'static str,
}

/// What a job is about, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// What a person calls the job.
    pub job: String,
    /// The scene's id in Stash.
    pub scene: Option<u64>,
    /// The scene's title.
    pub title: Option<String>,
    /// The path of its file as Plex should see it.
    pub path: Option<String>,
}

/// A job that is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedJob {
    /// Its number, by which it can be queued again.
    pub job_id: i64,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// The kind of failure.
    pub error_type: String,
    /// What happened.
    pub reason: String,
    /// What a person can do.
    pub advice: &'static str,
    /// When it failed for good.
    pub failed_at: f64,
}

/// A job that was tried and waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriedJob {
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// What a person can do meanwhile, if anything.
    pub advice: Option<&'static str>,
    /// What happened.
    pub reason: String,
    /// How many attempts counted.
    pub attempts: u32,
    /// When the next attempt is due.
    pub due: f64,
}
