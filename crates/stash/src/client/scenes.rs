//! Scenes by their ids, and lists of them a page at a time.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use super::answer::Parts;
use super::{Client, Error, FoundScenes, Page, Scene, SceneFilter, SceneId, SceneStamp};

/// Rows of a page when the client walks the pages itself.
pub(super) const STAMPS_A_PAGE: u32 = 1000;
/// What a stamp is made of.
const STAMP: &str = "id created_at updated_at";
/// Stash answers for all of them at the same time.
const SCENES_A_QUERY: usize = 100;

#[derive(Deserialize)]
pub(super) struct FindScenes {
    #[serde(rename = "findScenes")]
    pub(super) found: Found,
}

#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(default)]
    count: u64,
    scenes: Vec<Box<RawValue>>,
}

impl Client {
    /// The scene, or `None` if Stash has it no longer.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn find_scene(&self, id: SceneId) -> Result<Option<Scene>, Error> {
        let mut found = self.find_scenes(&[id]).await?;
        match found.failed.pop() {
            Some((_, error)) => Err(error),
            None => Ok(found.scenes.pop()),
        }
    }

    /// Scenes by their ids, in one request for each 100 of them, or for fewer where the answer is too
    /// large.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Resolver`] when Stash could answer for none of them.
    pub async fn find_scenes(&self, ids: &[SceneId]) -> Result<FoundScenes, Error> {
        let mut found = FoundScenes::default();
        if ids.is_empty() {
            return Ok(found);
        }
        let schema = self.schema().await?;
        let mut parts: Vec<_> = ids.rchunks(SCENES_A_QUERY).collect();
        while let Some(part) = parts.pop() {
            let query = find_query(part, &schema.selection);
            match (self.query_parts(&query).await, part) {
                (Ok(answer), _) => part.iter().try_for_each(|id| found.take(*id, &answer))?,
                (Err(error @ Error::TooLarge { .. }), [id]) => found.failed.push((*id, error)),
                (Err(Error::TooLarge { .. }), _) => {
                    let (first, rest) = part.split_at(part.len() / 2);
                    parts.extend([rest, first]);
                }
                (Err(error), _) => return Err(error),
            }
        }
        // Not one of them: it is not the scenes.
        let all_failed = found.failed.len() == ids.len();
        let of_stash = |(_, error): &(_, Error)| matches!(error, Error::Resolver { .. });
        if all_failed
            && found.failed.iter().all(of_stash)
            && let Some((_, error)) = found.failed.pop()
        {
            return Err(error);
        }
        Ok(found)
    }

    /// Up to `size` full scenes in the order of their ids: the first ones, or those after a scene,
    /// which need not exist. Nobody is skipped when scenes come and go between two pages.
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
        match self.list(filter, after, size, &selection).await {
            // One scene of which Stash fails to tell a field costs the whole answer.
            Err(Error::Resolver { .. }) => self.one_by_one(filter, after, size).await,
            found => found,
        }
    }

    /// The same, with each scene asked for apart.
    async fn one_by_one(
        &self,
        filter: SceneFilter,
        after: Option<SceneId>,
        size: u32,
    ) -> Result<Page<Scene>, Error> {
        let stamps: Page<SceneStamp> = self.list(filter, after, size, STAMP).await?;
        let ids: Vec<_> = stamps.rows.iter().map(|stamp| stamp.id).collect();
        let found = self.find_scenes(&ids).await?;
        let mut failed = stamps.failed;
        failed.extend(found.failed);
        Ok(Page {
            total: stamps.total,
            rows: found.scenes,
            failed,
            next: stamps.next,
        })
    }

    /// The ids and times of all scenes a filter admits, in the order of their ids, however many
    /// pages it takes. Of a scene whose times cannot be read, both are 0.
    ///
    /// # Errors
    /// As [`Client::scenes_after`].
    pub async fn stamps(&self, filter: SceneFilter) -> Result<Vec<SceneStamp>, Error> {
        let mut stamps = Vec::new();
        let mut after = None;
        loop {
            let mut page = self.list(filter, after, STAMPS_A_PAGE, STAMP).await?;
            let unread = page.failed.into_iter().map(|(id, _)| SceneStamp {
                id,
                created_at: 0,
                updated_at: 0,
            });
            page.rows.extend(unread);
            page.rows.sort_by_key(|stamp| stamp.id);
            stamps.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(stamps);
            }
        }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        filter: SceneFilter,
        after: Option<SceneId>,
        size: u32,
        selection: &str,
    ) -> Result<Page<T>, Error> {
        let schema = self.schema().await?;
        let query = format!(
            "query ListScenes($filter: FindFilterType, $scene_filter: SceneFilterType) \
             {{ findScenes(filter: $filter, scene_filter: $scene_filter) {{ count scenes {{ {selection} }} }} }}"
        );
        let variables = filter.page(&schema, after, size);
        let data: FindScenes = self.query(&query, variables).await?;
        data.found.into_page(filter, after)
    }
}

impl Found {
    /// Without the rows that Stash lets through though the filter does not.
    pub(super) fn into_page<T: DeserializeOwned>(
        self,
        filter: SceneFilter,
        after: Option<SceneId>,
    ) -> Result<Page<T>, Error> {
        #[derive(Deserialize)]
        struct Named {
            id: SceneId,
            #[serde(default)]
            updated_at: Value,
        }
        let last = self.count <= self.scenes.len() as u64;
        let (mut rows, mut failed, mut next) = (Vec::new(), Vec::new(), None);
        for row in self.scenes {
            let named: Named =
                serde_json::from_str(row.get()).map_err(|error| Error::malformed(&error))?;
            next = next.max(Some(named.id));
            match serde_json::from_str(row.get()) {
                Ok(row) if filter.admits(named.updated_at.as_str()) => rows.push(row),
                Ok(_) => {}
                Err(error) => failed.push((named.id, Error::unreadable(&error))),
            }
        }
        if next.is_some() && next <= after {
            return Err(Error::Malformed("a page repeats the one before it".into()));
        }
        Ok(Page {
            total: self.count,
            rows,
            failed,
            next: next.filter(|_| !last),
        })
    }
}

/// Each scene under a name of its own. `findScenes(ids: …)` would fail as a whole for one id that
/// is gone, and leave an error in Stash's log.
fn find_query(ids: &[SceneId], selection: &str) -> String {
    let field = |id| format!(" s{id}: findScene(id: \"{id}\") {{ ...Whole }}");
    let fields: String = ids.iter().map(field).collect();
    format!("query FindScenes {{{fields} }} fragment Whole on Scene {{ {selection} }}")
}

impl FoundScenes {
    fn take(&mut self, id: SceneId, answer: &Parts) -> Result<(), Error> {
        let name = format!("s{id}");
        if let Some(messages) = answer.faults.get(&name) {
            let messages = messages.clone();
            self.failed.push((id, Error::Resolver { messages }));
            return Ok(());
        }
        // Only null says that a scene is gone.
        let Some(scene) = answer.data.get(&name) else {
            return Err(Error::Malformed(format!("scene {id} is left out")));
        };
        match serde_json::from_str(scene.get()) {
            Ok(None) => self.missing.push(id),
            Ok(Some(scene)) => self.scenes.push(scene),
            Err(error) => self.failed.push((id, Error::unreadable(&error))),
        }
        Ok(())
    }
}
