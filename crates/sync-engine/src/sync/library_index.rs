//! Which items hold which files, for what Plex's file filter does not find and for reconciliations:
//! one listing for each library and worker, kept small: hashes of paths, and item keys.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use plex::{Client, Error, Item, Page, RatingKey, SectionId, Sort};
use scene_sync::path;
use tokio::sync::Mutex;

use crate::core::time::Moment;
use crate::sync::libraries::Library;
use crate::sync::unread::Unread;

const PAGE: u32 = 500;
/// What changed since the last look is hardly more than this.
const FIRST_CHANGES: u32 = 50;
/// Any time at all: what a job has looked at itself is not looked at again.
const INSTANT: Duration = Duration::from_nanos(1);
/// Two items of one second may be told on two pages, so some seconds are read twice.
const OVERLAP: i64 = 5;

type Result<T> = std::result::Result<T, Error>;

/// The indexes that were needed so far. Locked while a listing is read, so that it is read once.
#[derive(Default)]
pub struct Indexes {
    of: Mutex<HashMap<SectionId, Index>>,
    /// What listings and details hold beside readable items.
    pub unread: Unread,
}

struct Index {
    /// In the order of their loose hashes.
    files: Vec<File>,
    /// The latest change seen.
    updated_at: i64,
    read: Moment,
    refreshed: Moment,
    /// Plex gives the whole library for a file filter.
    filter_ignored: bool,
}

/// Some 60 bytes a file.
struct File {
    loose: u64,
    exact: u64,
    name: u64,
    item: Box<str>,
    trashed: bool,
}

/// What an index says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Items that hold this very file, or may hold it under another case.
    Path,
    /// Items with a file of this name.
    Name,
}

impl Indexes {
    /// The items that may hold the file, as far as is known without asking Plex.
    pub async fn known(&self, library: &Library, path: &str) -> Vec<RatingKey> {
        let indexes = self.of.lock().await;
        let index = indexes.get(&library.section);
        index.map_or_else(Vec::new, |index| index.find(path, Wish::Path))
    }

    /// The items that may be what is wished for, after a look at what changed in Plex. Reads the
    /// whole library the first time.
    ///
    /// # Errors
    /// Plex cannot be read.
    pub async fn fresh(
        &self,
        plex: &Client,
        library: &Library,
        (path, wish): (&str, Wish),
        now: Moment,
    ) -> Result<Vec<RatingKey>> {
        let mut indexes = self.of.lock().await;
        let index = self.index(&mut indexes, plex, library, now).await?;
        // Once for all jobs that had begun by then.
        if now - index.refreshed >= INSTANT {
            index.refresh(plex, library, now, &self.unread).await?;
        }
        Ok(index.find(path, wish))
    }

    /// The index of a library, read where there is none yet.
    async fn index<'i>(
        &self,
        indexes: &'i mut HashMap<SectionId, Index>,
        plex: &Client,
        library: &Library,
        now: Moment,
    ) -> Result<&'i mut Index> {
        Ok(match indexes.entry(library.section.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Index::of(plex, library, now, &self.unread).await?),
        })
    }

    /// Whether the filter is no use for this path beside what was read: Plex is known to ignore it
    /// in this library, or takes the name for several, since a comma means OR to it.
    pub async fn replaces_filter(&self, library: &Library, path: &str) -> bool {
        let indexes = self.of.lock().await;
        let splits = || path::name_key(path).contains(',');
        let index = indexes.get(&library.section);
        index.is_some_and(|index| index.filter_ignored || splits())
    }

    /// Plex ignores the file filter in this library.
    ///
    /// # Errors
    /// Plex cannot be read.
    pub async fn replace_filter(
        &self,
        plex: &Client,
        library: &Library,
        now: Moment,
    ) -> Result<()> {
        let mut indexes = self.of.lock().await;
        let index = self.index(&mut indexes, plex, library, now).await?;
        index.filter_ignored = true;
        Ok(())
    }

    /// Reads the libraries whose index is older than `most`.
    ///
    /// # Errors
    /// Plex cannot be read.
    pub async fn renew(
        &self,
        plex: &Client,
        libraries: &[Library],
        most: Duration,
        now: Moment,
    ) -> Result<()> {
        let mut indexes = self.of.lock().await;
        for library in libraries {
            let old = indexes.get(&library.section);
            if old.is_some_and(|index| now - index.read < most) {
                continue;
            }
            let filter_ignored = old.is_some_and(|index| index.filter_ignored);
            let mut index = Index::of(plex, library, now, &self.unread).await?;
            index.filter_ignored = filter_ignored;
            indexes.insert(library.section.clone(), index);
        }
        Ok(())
    }

    /// The items that hold this very file, living ones where there are any, and whether there is an
    /// index to say so.
    pub async fn holders(&self, library: &Library, path: &str) -> Vec<String> {
        let indexes = self.of.lock().await;
        let index = indexes.get(&library.section);
        index.map_or_else(Vec::new, |index| index.holders(path))
    }

    /// Whether this item holds this file.
    pub async fn holds(&self, item: &str, path: &str) -> bool {
        let indexes = self.of.lock().await;
        let (loose, _) = hashes(path);
        let mut files = indexes.values().flat_map(|index| index.of_loose(loose));
        files.any(|file| &*file.item == item)
    }

    /// Whether Plex has an item of this key in a library that was read.
    pub async fn items(&self) -> BTreeSet<String> {
        let indexes = self.of.lock().await;
        let files = indexes.values().flat_map(|index| &index.files);
        files.map(|file| file.item.to_string()).collect()
    }
}

impl Index {
    fn empty(now: Moment) -> Self {
        Self {
            files: Vec::new(),
            updated_at: i64::MIN,
            read: now,
            refreshed: now,
            filter_ignored: false,
        }
    }

    /// The whole library.
    async fn of(plex: &Client, library: &Library, now: Moment, unread: &Unread) -> Result<Self> {
        let mut index = Self::empty(now);
        each_item(plex, library, unread, |item| index.add(item)).await?;
        index.sort();
        Ok(index)
    }

    /// What changed since, the latest first, until what is known begins.
    async fn refresh(
        &mut self,
        plex: &Client,
        library: &Library,
        now: Moment,
        unread: &Unread,
    ) -> Result<()> {
        let known = self.updated_at.saturating_sub(OVERLAP);
        let (section, kind, sort) = (&library.section, library.kind, Sort::UpdatedDescending);
        let mut changed = Self::empty(now);
        let (mut keys, mut next, mut size) = (BTreeSet::<Box<str>>::new(), Some(0), FIRST_CHANGES);
        let mut before = None::<Page>;
        while let Some(start) = next {
            let page = plex.page(section, kind, sort, start, size).await?;
            unread.note(&page.skipped);
            let changes = page.items.iter().map(changed_at);
            let reached = changes.flatten().min().is_some_and(|oldest| oldest < known);
            // Many may have changed in one second, and some servers tell no times.
            let all_known = !page.items.is_empty() && page.items.iter().all(|item| self.has(item));
            let reached = reached || all_known;
            keys.extend(page.items.iter().map(|item| item.key.as_str().into()));
            page.items.iter().for_each(|item| changed.add(item));
            let again = before.is_some_and(|before| page.repeats(&before));
            (next, size) = (page.next.filter(|_| !reached && !again), PAGE);
            before = Some(page);
        }
        let is_known = |file: &File| !keys.contains(&file.item);
        self.files.retain(is_known);
        self.files.append(&mut changed.files);
        self.updated_at = self.updated_at.max(changed.updated_at);
        self.refreshed = now;
        self.sort();
        Ok(())
    }

    /// Whether the item's files are known as they are.
    fn has(&self, item: &Item) -> bool {
        item.files().all(|part| {
            let (loose, exact) = hashes(&part.file);
            let same = |file: &File| {
                file.exact == exact
                    && *file.item == *item.key.as_str()
                    && file.trashed == item.deleted_at.is_some()
            };
            self.of_loose(loose).iter().any(same)
        })
    }

    fn add(&mut self, item: &Item) {
        let changed = changed_at(item).unwrap_or(i64::MIN);
        self.updated_at = self.updated_at.max(changed);
        self.files.extend(item.files().map(|part| {
            let (loose, exact) = hashes(&part.file);
            File {
                loose,
                exact,
                name: hash(&path::name_key(&part.file)),
                item: item.key.as_str().into(),
                trashed: item.deleted_at.is_some(),
            }
        }));
    }

    fn sort(&mut self) {
        self.files.sort_unstable_by_key(|file| file.loose);
        self.files.shrink_to_fit();
    }

    fn of_loose(&self, loose: u64) -> &[File] {
        let from = self.files.partition_point(|file| file.loose < loose);
        let count = self.files[from..].partition_point(|file| file.loose == loose);
        &self.files[from..from + count]
    }

    fn find(&self, path: &str, wish: Wish) -> Vec<RatingKey> {
        let keys = |files: &mut dyn Iterator<Item = &File>| {
            let keys: BTreeSet<&str> = files.map(|file| &*file.item).collect();
            keys.iter().filter_map(|key| key.parse().ok()).collect()
        };
        match wish {
            Wish::Path => keys(&mut self.of_loose(hashes(path).0).iter()),
            Wish::Name => {
                let name = hash(&path::name_key(path));
                keys(&mut self.files.iter().filter(|file| file.name == name))
            }
        }
    }

    fn holders(&self, path: &str) -> Vec<String> {
        let (loose, exact) = hashes(path);
        let files = self.of_loose(loose).iter();
        let mut holders: Vec<_> = files.filter(|file| file.exact == exact).collect();
        if holders.iter().any(|file| !file.trashed) {
            holders.retain(|file| !file.trashed);
        }
        holders.iter().map(|file| file.item.to_string()).collect()
    }
}

/// Shows every item of a library as its listing tells it.
///
/// # Errors
/// Plex cannot be read.
pub async fn each_item(
    plex: &Client,
    library: &Library,
    unread: &Unread,
    mut show: impl FnMut(&Item),
) -> Result<()> {
    let (mut next, mut before) = (Some(0), None::<Page>);
    while let Some(start) = next {
        let (section, kind, sort) = (&library.section, library.kind, Sort::Title);
        let page = plex.page(section, kind, sort, start, PAGE).await?;
        if before.is_some_and(|before| page.repeats(&before)) {
            break;
        }
        unread.note(&page.skipped);
        page.items.iter().for_each(&mut show);
        next = page.next;
        before = Some(page);
    }
    Ok(())
}

fn changed_at(item: &Item) -> Option<i64> {
    item.updated_at.or(item.added_at)
}

fn hashes(path: &str) -> (u64, u64) {
    (hash(&path::loose_key(path)), hash(&path::key(path)))
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
