//! Items with everything Plex knows about them, by key.

use crate::{Client, Error, Item, MAX_LINE, RatingKey, Skipped, item::Items, query};

/// Keys asked for in one request. A server may cut a longer answer into pages.
const MOST_KEYS: usize = 100;

const QUERY: [(&str, &str); 2] = [
    ("skipRefresh", "1"),
    ("excludeElements", "Similar,Image,UltraBlurColors,Rating"),
];

/// Items that were asked for by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundItems {
    /// Those found.
    pub items: Vec<Item>,
    /// Those that are there but cannot be read. While one of them has no known key, it is not
    /// certain of any missing item that it is gone.
    pub skipped: Vec<Skipped>,
}

impl Client {
    /// An item with all its tags and locks.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none with this key (any more), [`Error::Unreadable`] when
    /// it cannot be read.
    pub async fn item(&self, key: &RatingKey) -> Result<Item, Error> {
        let mut found = self.items(std::slice::from_ref(key)).await?;
        if let Some(item) = found.items.into_iter().find(|item| item.key == *key) {
            return Ok(item);
        }
        let skipped = found.skipped.pop();
        Err(skipped.map_or(Error::NotFound, Error::Unreadable))
    }

    /// Items with all their tags and locks, however many; those that are gone are missing in the
    /// answer. Takes one request for each 100 of them, or fewer where the line would exceed
    /// [`MAX_LINE`].
    ///
    /// # Errors
    /// See [`Error`]; never [`Error::NotFound`].
    pub async fn items(&self, keys: &[RatingKey]) -> Result<FoundItems, Error> {
        let line = self.line_len("GET", &["library", "metadata", ""]) + query::join(&QUERY).len();
        let mut found = FoundItems::default();
        for part in parts(keys, MAX_LINE.saturating_sub(line)) {
            let path = ["library", "metadata", &part];
            match self.get::<Items>(self.timeouts.read, &path, &QUERY).await {
                Ok(answer) => {
                    let (items, skipped) = answer.into_parts();
                    found.items.extend(items);
                    found.skipped.extend(skipped);
                }
                // None of this part is left.
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The keys in lists of at most [`MOST_KEYS`] and `room` bytes; a list has at least one key.
fn parts(keys: &[RatingKey], room: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut count = 0;
    for key in keys.iter().map(RatingKey::as_str) {
        match parts.last_mut() {
            Some(part) if count < MOST_KEYS && part.len() + ",".len() + key.len() <= room => {
                part.push(',');
                part.push_str(key);
                count += 1;
            }
            _ => {
                parts.push(key.to_owned());
                count = 1;
            }
        }
    }
    parts
}
