//! Stash itself: its version, its files, its work.

use serde::Deserialize;
use serde_json::Value;

use super::{Client, Error};

/// A job in Stash's queue that is not over: a scan, a clean, a plugin's task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What Stash calls it, such as `Scanning...` or `Running plugin task: Sync`.
    pub description: String,
    /// At work, where others wait: Stash runs one at a time.
    pub running: bool,
}

#[derive(Deserialize)]
pub(super) struct Queue {
    #[serde(rename = "jobQueue")]
    pub(super) jobs: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    status: String,
    #[serde(default)]
    description: String,
}

impl Queue {
    pub(super) fn into_jobs(self) -> Vec<Job> {
        let jobs = self.jobs.into_iter().flatten();
        jobs.filter_map(|job| {
            let running = match job.status.as_str() {
                "RUNNING" | "STOPPING" => true,
                "READY" => false,
                _ => return None,
            };
            let description = job.description;
            Some(Job {
                description,
                running,
            })
        })
        .collect()
    }
}

impl Client {
    /// Stash's version, such as `v0.30.1`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Data {
            version: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            version: Option<String>,
        }
        let query = "query Version { version { version } }";
        let Data { version } = self.query(query, ()).await?;
        Ok(version.version.unwrap_or_default())
    }

    /// The path of Stash's configuration file, as Stash sees it; `None` while it has none.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn config_path(&self) -> Result<Option<String>, Error> {
        let query = "query SystemStatus { systemStatus { configPath } }";
        let data: Value = self.query(query, ()).await?;
        let path = data["systemStatus"]["configPath"].as_str();
        Ok(path.filter(|path| !path.is_empty()).map(str::to_owned))
    }

    /// What Stash is at, or will be. A task that asks finds itself among the jobs.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn jobs(&self) -> Result<Vec<Job>, Error> {
        let query = "query JobQueue { jobQueue { status description } }";
        Ok(self.query::<Queue>(query, ()).await?.into_jobs())
    }
}
