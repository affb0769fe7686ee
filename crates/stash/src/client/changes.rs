//! What has changed, as far as Stash's times tell.

use serde::Deserialize;

use super::scenes::{Found, STAMPS_A_PAGE};
use super::system::{Entry, Queue};
use super::{Client, Error, Page, SceneFilter, SceneId, SceneStamp};

/// A page of the scenes that a filter admits, and what Stash is at.
#[derive(Debug)]
pub struct Changes {
    /// Up to a thousand of them, in the order of their ids.
    pub page: Page<SceneStamp>,
    /// All scenes of Stash, whatever the filter.
    pub scenes: u64,
    /// Whether a scan, a task or another job is at work or waits in Stash.
    pub is_busy: bool,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "findScenes")]
    found: Found,
    all: Count,
    #[serde(rename = "jobQueue")]
    jobs: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

impl Client {
    /// Scenes that a filter admits, the first ones or those after a scene, with what else tells
    /// whether a look was in vain: one request. Rows that cannot be read are among
    /// [`failed`](Page::failed).
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Query`] before Stash 0.18.
    pub async fn changes(
        &self,
        filter: SceneFilter,
        after: Option<SceneId>,
    ) -> Result<Changes, Error> {
        let schema = self.schema().await?;
        let query = "query Changes($filter: FindFilterType, $scene_filter: SceneFilterType) \
             { findScenes(filter: $filter, scene_filter: $scene_filter) { count scenes { id created_at updated_at } } \
             all: findScenes(filter: {per_page: 1}) { count } jobQueue { status description } }";
        let variables = filter.page(&schema, after, STAMPS_A_PAGE);
        let Data { found, all, jobs } = self.query(query, variables).await?;
        Ok(Changes {
            page: found.into_page(filter, after)?,
            scenes: all.count,
            is_busy: !Queue { jobs }.into_jobs().is_empty(),
        })
    }
}
