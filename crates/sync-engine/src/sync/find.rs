//! Which items of Plex hold the files of a scene.

use plex::{FileSearch, Item, ItemKind, RatingKey, SectionId};
use scene_sync::matching::{self, Bound, Candidate, Evidence, Likeness, Reason};
use scene_sync::{LastWritten, SceneFile, path};

use crate::core::outcome::{Failure, SceneFault, Whose};
use crate::core::time::Moment;
use crate::storage::ledger::ItemRow;
use crate::sync::convert;
use crate::sync::libraries::{Libraries, Library};
use crate::sync::library_index::{Indexes, Wish};
use crate::sync::request_limits::RequestLimits;
use crate::sync::unread::is_gone;

/// An item that holds a file of the scene.
pub struct Target {
    /// The library's name.
    pub library: String,
    pub section: SectionId,
    pub kind: ItemKind,
    pub key: RatingKey,
    /// What makes it the scene's.
    pub bound: Bound,
    /// All its files, as Plex writes them.
    pub paths: Vec<String>,
    /// Its details, where they were read on the way: listings cut the tags.
    pub details: Option<Item>,
}

/// What a search by path brought.
#[derive(Default)]
pub struct Search {
    pub targets: Vec<Target>,
    /// Files that no item holds, by their place in the scene.
    pub missing: Vec<usize>,
    /// Items on record that Plex has no longer.
    pub gone: Vec<String>,
    /// Files of the same name elsewhere, seen on the way.
    pub others: Vec<Candidate>,
}

/// How items are looked for.
pub struct Finder<'a> {
    pub plex: &'a plex::Client,
    pub libraries: &'a Libraries,
    pub indexes: &'a Indexes,
    pub limits: &'a RequestLimits,
    pub now: Moment,
}

/// An item that may hold a file, and whether these are its details.
struct Seen<'a> {
    library: &'a Library,
    item: Item,
    detailed: bool,
}

impl Finder<'_> {
    /// Every item that holds one of the files, which are as Plex should see them: those on record first, then what
    /// Plex finds where those leave a file out.
    pub async fn by_path(
        &self,
        files: &[SceneFile],
        known: &[ItemRow<LastWritten>],
    ) -> Result<Search, Failure> {
        if files.is_empty() {
            return Err(Failure::new(
                Whose::Scene(SceneFault::Invalid),
                "the scene has no file",
            ));
        }
        let mut search = Search::default();
        let mut seen = self.on_record(known, &mut search).await?;
        for (nth, file) in files.iter().enumerate() {
            for library in self.libraries.holding(&file.path) {
                let one = std::slice::from_ref(file);
                let held = seen.iter().any(|seen| {
                    seen.library.section == library.section
                        && seen.item.deleted_at.is_none()
                        && !bound(one, std::slice::from_ref(&seen.item)).is_empty()
                });
                let new = match held {
                    true => self.indexed(library, &file.path, &seen).await?,
                    false => self.search(library, file, &mut search).await?,
                };
                let is_new = |new: &Seen<'_>| seen.iter().all(|seen| seen.item.key != new.item.key);
                let new: Vec<_> = new.into_iter().filter(is_new).collect();
                seen.extend(new);
            }
            let items = seen
                .iter()
                .flat_map(|seen| convert::candidates(std::slice::from_ref(&seen.item)));
            if matching::by_path(std::slice::from_ref(file), &items.collect::<Vec<_>>()).is_empty()
            {
                search.missing.push(nth);
            }
        }
        let candidates = seen
            .iter()
            .flat_map(|seen| convert::candidates(std::slice::from_ref(&seen.item)));
        let found = matching::by_path(files, &candidates.collect::<Vec<_>>());
        search.targets = found
            .into_iter()
            .filter_map(|bound| target(&mut seen, bound))
            .collect();
        // What is on record by likeness stays on record by that.
        let alike = known.iter().filter(|row| !row.path.is_empty());
        for row in alike {
            let Some((nth, file)) = self.like(row, files, &seen) else {
                continue;
            };
            let reason = Reason::SameNameAndSize;
            let bound = Bound {
                item: row.item.clone(),
                path: file,
                file: nth,
                evidence: Evidence::Likeness(reason),
            };
            if let Some(target) = target(&mut seen, bound) {
                search.missing.retain(|missing| *missing != nth);
                search.targets.push(target);
            }
        }
        Ok(search)
    }

    /// Files of the same name in whatever library is searched: for a path that no library covers.
    pub async fn by_name(&self, file: &SceneFile) -> Result<Vec<(Library, Item)>, Failure> {
        let mut found = Vec::new();
        for library in &self.libraries.chosen {
            let named = |item: &Item| has_name(item, &file.path);
            let mut items = self
                .filtered(library, &file.path)
                .await?
                .unwrap_or_default();
            items.retain(named);
            if items.is_empty() {
                let _overlapping = self.limits.read().await;
                let wish = (file.path.as_str(), Wish::Name);
                let keys = self
                    .indexes
                    .fresh(self.plex, library, wish, self.now)
                    .await?;
                let found = self.plex.items(&keys).await?;
                items = self.indexes.unread.readable(found);
                items.retain(named);
            }
            found.extend(items.into_iter().map(|item| (library.clone(), item)));
        }
        Ok(found)
    }

    /// The items on record, with their details.
    async fn on_record(
        &self,
        known: &[ItemRow<LastWritten>],
        search: &mut Search,
    ) -> Result<Vec<Seen<'_>>, Failure> {
        let keys: Vec<RatingKey> = known
            .iter()
            .filter_map(|row| row.item.parse().ok())
            .collect();
        let _overlapping = self.limits.read().await;
        let mut found = self.plex.items(&keys).await?;
        let gone = known.iter().filter(|row| is_gone(&found, &row.item));
        search.gone.extend(gone.map(|row| row.item.clone()));
        // What a scene's own item shows must be known.
        if let Some(skipped) = found.skipped.pop() {
            return Err(plex::Error::Unreadable(skipped).into());
        }
        let seen = found.items.into_iter().filter_map(|item| {
            let library = self.libraries.of(item.section.as_ref()?)?;
            Some(Seen {
                library,
                item,
                detailed: true,
            })
        });
        Ok(seen.collect())
    }

    /// More items that hold the file, where an index tells without a question.
    async fn indexed<'l>(
        &self,
        library: &'l Library,
        path: &str,
        seen: &[Seen<'_>],
    ) -> Result<Vec<Seen<'l>>, Failure> {
        let known = self
            .indexes
            .known(library, path, Wish::Path)
            .await
            .unwrap_or_default();
        let is_new = |key: &RatingKey| seen.iter().all(|seen| seen.item.key != *key);
        self.details(
            library,
            &known.into_iter().filter(is_new).collect::<Vec<_>>(),
        )
        .await
    }

    /// Items that may hold the file: of what is known, of what Plex finds, and, since a miss of its filter proves
    /// nothing, of the listing.
    async fn search<'l>(
        &self,
        library: &'l Library,
        file: &SceneFile,
        search: &mut Search,
    ) -> Result<Vec<Seen<'l>>, Failure> {
        let one = std::slice::from_ref(file);
        let known = self.indexed(library, &file.path, &[]).await?;
        if known
            .iter()
            .any(|seen| !bound(one, std::slice::from_ref(&seen.item)).is_empty())
        {
            return Ok(known);
        }
        if let Some(items) = self.filtered(library, &file.path).await? {
            if !bound(one, &items).is_empty() {
                let seen = items.into_iter().map(|item| Seen {
                    library,
                    item,
                    detailed: false,
                });
                return Ok(seen.collect());
            }
            let named = items.iter().filter(|item| has_name(item, &file.path));
            search
                .others
                .extend(named.flat_map(|item| convert::candidates(std::slice::from_ref(item))));
        }
        let keys = {
            let _overlapping = self.limits.read().await;
            let wish = (file.path.as_str(), Wish::Path);
            self.indexes
                .fresh(self.plex, library, wish, self.now)
                .await?
        };
        self.details(library, &keys).await
    }

    /// What Plex's filter finds; none where it has none.
    async fn filtered(&self, library: &Library, path: &str) -> Result<Option<Vec<Item>>, Failure> {
        if self.indexes.replaces_filter(library, path).await {
            return Ok(None);
        }
        let _overlapping = self.limits.read().await;
        match self
            .plex
            .find_by_file(&library.section, library.kind, path)
            .await?
        {
            FileSearch::Candidates(items) => Ok(Some(items)),
            FileSearch::Ignored => {
                self.indexes
                    .replace_filter(self.plex, library, self.now)
                    .await?;
                Ok(None)
            }
        }
    }

    async fn details<'l>(
        &self,
        library: &'l Library,
        keys: &[RatingKey],
    ) -> Result<Vec<Seen<'l>>, Failure> {
        let _overlapping = self.limits.read().await;
        let items = self.plex.items(keys).await?;
        let items = self.indexes.unread.readable(items);
        let seen = items.into_iter().map(|item| Seen {
            library,
            item,
            detailed: true,
        });
        Ok(seen.collect())
    }

    /// The file by whose likeness the item on record still is the scene's.
    fn like(
        &self,
        row: &ItemRow<LastWritten>,
        files: &[SceneFile],
        seen: &[Seen<'_>],
    ) -> Option<(usize, String)> {
        let item = &seen
            .iter()
            .find(|seen| seen.item.key.as_str() == row.item)?
            .item;
        let candidates: Vec<_> = convert::candidates(std::slice::from_ref(item))
            .into_iter()
            .filter(|candidate| path::key(&candidate.path) == path::key(&row.path))
            .collect();
        let alike = |file: &SceneFile| {
            !self.libraries.covers(&file.path)
                && matches!(
                    matching::by_likeness(file, &candidates, |_| false),
                    Likeness::One { .. }
                )
        };
        let nth = files.iter().position(alike)?;
        Some((nth, row.path.clone()))
    }
}

fn bound(files: &[SceneFile], items: &[Item]) -> Vec<Bound> {
    matching::by_path(files, &convert::candidates(items))
}

fn has_name(item: &Item, file: &str) -> bool {
    let name = path::name_key(file);
    item.files().any(|part| path::name_key(&part.file) == name)
}

/// Takes the item that was bound; none that was taken before.
fn target(seen: &mut Vec<Seen<'_>>, bound: Bound) -> Option<Target> {
    let at = seen
        .iter()
        .position(|seen| seen.item.key.as_str() == bound.item)?;
    let Seen {
        library,
        item,
        detailed,
    } = seen.swap_remove(at);
    Some(Target::new(library, item, bound, detailed))
}

impl Target {
    /// An item of a library that is the scene's.
    pub fn new(library: &Library, item: Item, bound: Bound, detailed: bool) -> Self {
        Self {
            library: library.title.clone(),
            section: library.section.clone(),
            kind: library.kind,
            key: item.key.clone(),
            bound,
            paths: item.files().map(|part| part.file.clone()).collect(),
            details: detailed.then_some(item),
        }
    }

    /// Whether the item, as it is now, still is what was found.
    pub fn still_holds(&self, item: &Item) -> bool {
        let key = path::key(&self.bound.path);
        item.files().any(|part| path::key(&part.file) == key)
    }
}
