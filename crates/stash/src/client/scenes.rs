use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Client, Error, FoundScenes, Page, Scene, SceneFilter, SceneId, SceneStamp};

/// Rows of a page when the client walks the pages itself.
const STAMPS_A_PAGE: u32 = 1000;

#[derive(Deserialize)]
pub(super) struct FindScene {
    #[serde(rename = "findScene")]
    scene: Option<Scene>,
}

#[derive(Deserialize)]
pub(super) struct FindScenes<T> {
    #[serde(rename = "findScenes")]
    found: Found<T>,
}

#[derive(Deserialize)]
struct Found<T> {
    #[serde(default)]
    count: u64,
    scenes: Vec<T>,
}

impl Client {
    /// The scene, or `None` if Stash has it no longer.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn find_scene(&self, id: SceneId) -> Result<Option<Scene>, Error> {
        let schema = self.schema().await?;
        let query = format!(
            "query FindScene($id: ID) {{ findScene(id: $id) {{ {} }} }}",
            schema.selection
        );
        let data: FindScene = self.query(&query, json!({ "id": id })).await?;
        Ok(data.scene)
    }

    /// Several scenes in one request. Stash fails the whole request when one id is gone, or when it cannot read one of the
    /// scenes; then each is asked for singly.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn find_scenes(&self, ids: &[SceneId]) -> Result<FoundScenes, Error> {
        let mut found = FoundScenes::default();
        if ids.is_empty() {
            return Ok(found);
        }
        let schema = self.schema().await?;
        let (declared, argument) = if schema.ids_as_text {
            ("$ids: [ID!]", "ids")
        } else {
            ("$ids: [Int!]", "scene_ids")
        };
        let query = format!(
            "query FindScenes({declared}) {{ findScenes({argument}: $ids, filter: {{per_page: -1}}) {{ scenes {{ {} }} }} }}",
            schema.selection
        );
        let variables = if schema.ids_as_text {
            json!({ "ids": ids })
        } else {
            json!({ "ids": ids.iter().map(|id| id.0).collect::<Vec<_>>() })
        };
        match self.query::<FindScenes<Scene>>(&query, variables).await {
            Ok(data) => found.scenes = data.found.scenes,
            Err(Error::Resolver { .. }) => {
                for id in ids {
                    match self.find_scene(*id).await {
                        Ok(scene) => found.scenes.extend(scene),
                        Err(error @ Error::Resolver { .. }) => found.failed.push((*id, error)),
                        Err(error) => return Err(error),
                    }
                }
                // Not one of them: it is not the scenes.
                if found.failed.len() == ids.len()
                    && let Some((_, error)) = found.failed.pop()
                {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        found.missing = ids
            .iter()
            .filter(|id| found.scenes.iter().all(|scene| scene.id != **id))
            .filter(|id| found.failed.iter().all(|(failed, _)| failed != *id))
            .copied()
            .collect();
        Ok(found)
    }

    /// One page of full scenes in the order of their ids; pages count from 1. A scene that is deleted meanwhile moves
    /// the others forward, so that one of them is on no page: prefer [`Client::scenes_after`].
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn scene_page(
        &self,
        filter: SceneFilter,
        page: u32,
        per_page: u32,
    ) -> Result<Page<Scene>, Error> {
        let selection = self.schema().await?.selection.clone();
        let mut found = self.list(filter, None, page, per_page, &selection).await?;
        found.last = found.rows.is_empty() || u64::from(page) * u64::from(per_page) >= found.total;
        Ok(admitted(found, filter))
    }

    /// Up to `size` full scenes in the order of their ids: the first ones, or those after a scene, which need not
    /// exist. Nobody is skipped when scenes come and go between two pages.
    ///
    /// ```no_run
    /// # async fn demo(client: stash::client::Client) -> Result<(), stash::client::Error> {
    /// use stash::client::SceneFilter;
    ///
    /// let mut after = None;
    /// loop {
    ///     let page = client.scenes_after(SceneFilter::All, after, 200).await?;
    ///     for scene in &page.rows {
    ///         println!("{}", scene.title);
    ///     }
    ///     after = page.next;
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Query`] before Stash 0.18.
    pub async fn scenes_after(
        &self,
        filter: SceneFilter,
        after: Option<SceneId>,
        size: u32,
    ) -> Result<Page<Scene>, Error> {
        let selection = self.schema().await?.selection.clone();
        let found = self.list(filter, after, 1, size, &selection).await?;
        Ok(admitted(found, filter))
    }

    /// The ids and times of all scenes a filter admits, in the order of their ids, however many pages it takes.
    ///
    /// # Errors
    /// As [`Client::scenes_after`].
    pub async fn stamps(&self, filter: SceneFilter) -> Result<Vec<SceneStamp>, Error> {
        let mut stamps = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .list(filter, after, 1, STAMPS_A_PAGE, "id created_at updated_at")
                .await?;
            let page: Page<SceneStamp> = admitted(page, filter);
            stamps.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(stamps);
            }
        }
    }

    async fn list<T: Row>(
        &self,
        filter: SceneFilter,
        after: Option<SceneId>,
        page: u32,
        per_page: u32,
        selection: &str,
    ) -> Result<Page<T>, Error> {
        let schema = self.schema().await?;
        let query = format!(
            "query ListScenes($filter: FindFilterType, $scene_filter: SceneFilterType) \
             {{ findScenes(filter: $filter, scene_filter: $scene_filter) {{ count scenes {{ {selection} }} }} }}"
        );
        let variables = json!({
            "filter": {"page": page, "per_page": per_page, "sort": "id", "direction": "ASC"},
            "scene_filter": filter.to_json(&schema, after),
        });
        let FindScenes { found } = self.query::<FindScenes<T>>(&query, variables).await?;
        let next = found.scenes.last().map(|row| row.stamp().id);
        if next.is_some() && next <= after {
            return Err(Error::Malformed("a page repeats the one before it".into()));
        }
        let last = found.count <= found.scenes.len() as u64;
        Ok(Page {
            total: found.count,
            last,
            next: next.filter(|_| !last),
            rows: found.scenes,
        })
    }
}

/// A row of a listing.
trait Row: DeserializeOwned {
    fn stamp(&self) -> SceneStamp;
}

impl Row for SceneStamp {
    fn stamp(&self) -> SceneStamp {
        *self
    }
}

impl Row for Scene {
    fn stamp(&self) -> SceneStamp {
        SceneStamp {
            id: self.id,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The page without the rows that Stash lets through though the filter does not.
fn admitted<T: Row>(mut page: Page<T>, filter: SceneFilter) -> Page<T> {
    page.rows.retain(|row| filter.admits(row.stamp()));
    page
}
