//! Which items and file names Plex has: one look at the listing of each section, kept as hashes.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use plex::{Client, Error, Sort};

use super::index::name_hash;
use super::places::Place;

const PAGE: u32 = 500;

/// Some 25 bytes an item.
#[derive(Default)]
pub struct Listing {
    keys: HashSet<u64>,
    names: HashSet<u64>,
}

impl Listing {
    /// Reads all sections.
    ///
    /// # Errors
    /// Plex cannot be read.
    pub async fn read(plex: &Client, places: &[Place]) -> Result<Self, Error> {
        let mut listing = Self::default();
        for place in places {
            let mut next = Some(0);
            while let Some(start) = next {
                let page = plex
                    .page(&place.section, place.kind, Sort::Title, start, PAGE)
                    .await?;
                for item in &page.items {
                    listing.keys.insert(hash(item.key.as_str()));
                    listing
                        .names
                        .extend(item.files().map(|part| name_hash(&part.file)));
                }
                next = page.next;
            }
        }
        Ok(listing)
    }

    /// Whether there is an item with this key.
    pub fn has_item(&self, key: &str) -> bool {
        self.keys.contains(&hash(key))
    }

    /// Whether some item has a file of this name.
    pub fn has_name_of(&self, path: &str) -> bool {
        self.names.contains(&name_hash(path))
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
