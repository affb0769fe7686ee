use std::collections::BTreeMap;

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

    /// One page of full scenes in the order of their ids; pages count from 1.
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
        let mut found: Page<Scene> = self.page(filter, &selection, page, per_page).await?;
        found
            .rows
            .retain(|scene| filter.admits(scene.created_at, scene.updated_at));
        Ok(found)
    }

    /// One page of ids and times in the order of the ids; pages count from 1.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn stamp_page(
        &self,
        filter: SceneFilter,
        page: u32,
        per_page: u32,
    ) -> Result<Page<SceneStamp>, Error> {
        let mut found: Page<SceneStamp> = self
            .page(filter, "id created_at updated_at", page, per_page)
            .await?;
        found
            .rows
            .retain(|stamp| filter.admits(stamp.created_at, stamp.updated_at));
        Ok(found)
    }

    /// The ids and times of all scenes a filter admits, in the order of their ids.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn stamps(&self, filter: SceneFilter) -> Result<Vec<SceneStamp>, Error> {
        // By id, since rows move between pages when scenes come and go meanwhile.
        let mut stamps = BTreeMap::new();
        for page in 1.. {
            let found = self.stamp_page(filter, page, STAMPS_A_PAGE).await?;
            stamps.extend(found.rows.into_iter().map(|stamp| (stamp.id, stamp)));
            if found.last {
                break;
            }
        }
        Ok(stamps.into_values().collect())
    }

    async fn page<T: DeserializeOwned>(
        &self,
        filter: SceneFilter,
        selection: &str,
        page: u32,
        per_page: u32,
    ) -> Result<Page<T>, Error> {
        let schema = self.schema().await?;
        let query = format!(
            "query ListScenes($filter: FindFilterType, $scene_filter: SceneFilterType) \
             {{ findScenes(filter: $filter, scene_filter: $scene_filter) {{ count scenes {{ {selection} }} }} }}"
        );
        let variables = json!({
            "filter": {"page": page, "per_page": per_page, "sort": "id", "direction": "ASC"},
            "scene_filter": filter.to_json(&schema),
        });
        let data: FindScenes<T> = self.query(&query, variables).await?;
        let seen = u64::from(page) * u64::from(per_page);
        Ok(Page {
            total: data.found.count,
            last: data.found.scenes.is_empty() || seen >= data.found.count,
            rows: data.found.scenes,
        })
    }
}
