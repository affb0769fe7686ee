//! Which items have a file of this name: for servers that ignore the file filter. One listing for
//! each section and worker, kept small: hashes of names and item keys, no paths.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use plex::{Client, Error, Item, RatingKey, SectionId, Sort};
use tokio::sync::Mutex;

use super::places::Place;

/// The indexes of the sections that need one. Locked while a listing is read, so that it is read once.
#[derive(Default)]
pub struct Indexes(Mutex<HashMap<SectionId, Index>>);

struct Index {
    by_name: HashMap<u64, Vec<RatingKey>>,
    looked: Instant,
}

const PAGE: u32 = 500;
/// After a miss the newest items are looked at, at most this often.
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
    ) -> Result<Vec<Item>, Error> {
        let mut indexes = self.0.lock().await;
        if !indexes.contains_key(&place.section) {
            let mut index = Index {
                by_name: HashMap::new(),
                looked: Instant::now(),
            };
            index.read(plex, place, Sort::Title).await?;
            indexes.insert(place.section.clone(), index);
        }
        let Some(index) = indexes.get_mut(&place.section) else {
            return Ok(Vec::new());
        };
        let name = name_hash(path);
        if !index.by_name.contains_key(&name) && index.looked.elapsed() >= LOOK_AGAIN {
            index.looked = Instant::now();
            index.read(plex, place, Sort::AddedDescending).await?;
        }
        match index.by_name.get(&name) {
            None => Ok(Vec::new()),
            Some(keys) => plex.items(keys).await,
        }
    }
}

impl Index {
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
