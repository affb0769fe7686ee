//! Which items have a file of this name: for servers that ignore the file filter. One listing for
//! each section and worker, kept small: hashes of names and item keys, no paths.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use plex::{Client, Error, Item, RatingKey, SectionId, Sort};
use tokio::sync::Mutex;

use super::places::Place;

/// The indexes of the sections that need one. Locked while a listing is read, so that it is read once.
#[derive(Default)]
pub struct Indexes(Mutex<HashMap<SectionId, Index>>);

struct Index {
    by_name: HashMap<u64, Vec<RatingKey>>,
    looked: SystemTime,
}

const PAGE: u32 = 500;
/// After a miss the newest items are looked at, and after an item has lost its file all of them: at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Indexes {
    /// Whether this section is known to need its index.
    pub async fn covers(&self, place: &Place) -> bool {
        self.0.lock().await.contains_key(&place.section)
    }

    /// The details of the items that have a file of this name.
    ///
    /// # Errors
    /// Plex cannot be read.
    pub async fn items(
        &self,
        plex: &Client,
        place: &Place,
        path: &str,
        now: SystemTime,
    ) -> Result<Vec<Item>, Error> {
        let mut indexes = self.0.lock().await;
        let index = match indexes.entry(place.section.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Index::of(plex, place, now).await?),
        };
        let name = name_hash(path);
        let found = index.details(plex, name).await?;
        // A clock that was set back counts as time that has passed.
        let fresh = now
            .duration_since(index.looked)
            .is_ok_and(|age| age < LOOK_AGAIN);
        if !found.is_empty() || fresh {
            return Ok(found);
        }
        if index.by_name.contains_key(&name) {
            // Items went away, or lost their files: others may be anywhere.
            *index = Index::of(plex, place, now).await?;
        } else {
            index.looked = now;
            index.read(plex, place, Sort::AddedDescending).await?;
        }
        index.details(plex, name).await
    }
}

impl Index {
    /// The whole section.
    async fn of(plex: &Client, place: &Place, now: SystemTime) -> Result<Self, Error> {
        let mut index = Self {
            by_name: HashMap::new(),
            looked: now,
        };
        index.read(plex, place, Sort::Title).await?;
        Ok(index)
    }

    /// The known items that still have a file of this name.
    async fn details(&self, plex: &Client, name: u64) -> Result<Vec<Item>, Error> {
        let keys = self.by_name.get(&name).map_or(&[][..], Vec::as_slice);
        let mut items = match plex.items(keys).await {
            Err(Error::NotFound) => Vec::new(),
            items => items?,
        };
        items.retain(|item| item.files().any(|part| name_hash(&part.file) == name));
        Ok(items)
    }

    /// Reads pages until the end, or until one brings nothing new.
    async fn read(&mut self, plex: &Client, place: &Place, sort: Sort) -> Result<(), Error> {
        let mut next = Some(0);
        while let Some(start) = next {
            let page = plex
                .page(&place.section, place.kind, sort, start, PAGE)
                .await?;
            let mut new = false;
            for item in page.items {
                for part in item.files() {
                    let keys = self.by_name.entry(name_hash(&part.file)).or_default();
                    if !keys.contains(&item.key) {
                        keys.push(item.key.clone());
                        new = true;
                    }
                }
            }
            next = page.next.filter(|_| new || sort == Sort::Title);
        }
        Ok(())
    }
}

/// File names that differ in case or in Unicode form count as one here; the paths decide later.
pub fn name_hash(path: &str) -> u64 {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    scene_sync::matching::name_key(name).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
