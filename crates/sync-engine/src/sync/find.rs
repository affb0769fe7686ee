//! Which items of Plex hold the files of a scene.

use plex::{FileSearch, Item, RatingKey};
use scene_sync::matching::{self, Bound, Candidate, Evidence, Likeness, Reason};
use scene_sync::{SceneFile, path};

use crate::core::outcome::{Failure, SceneFault, Whose};
use crate::core::time::Moment;
use crate::sync::convert;
use crate::sync::libraries::{Libraries, Library};
use crate::sync::library_index::{Indexes, Wish};
use crate::sync::record::Row;
use crate::sync::request_limits::RequestLimits;
use crate::sync::syncer::Syncer;
use crate::sync::unread::is_gone;

/// An item that holds a file of the scene.
pub struct Target {
    pub library: Library,
    pub item: Item,
    /// Whether these are its details: listings cut the tags.
    pub detailed: bool,
    /// What makes it the scene's.
    pub bound: Bound,
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
    /// Why a library could not be searched.
    pub unsearched: Option<Failure>,
}

type Result<T> = std::result::Result<T, Failure>;

/// How items are looked for.
pub struct Finder<'a> {
    plex: &'a plex::Client,
    pub libraries: &'a Libraries,
    indexes: &'a Indexes,
    limits: &'a RequestLimits,
    now: Moment,
}

/// An item that may hold a file, and whether these are its details.
pub struct Seen<'a> {
    library: &'a Library,
    pub item: Item,
    detailed: bool,
}

impl<'a> Finder<'a> {
    /// With the libraries as they were read last.
    pub fn new(syncer: &'a Syncer, libraries: &'a Libraries, now: Moment) -> Self {
        Self {
            plex: &syncer.plex,
            libraries,
            indexes: &syncer.indexes,
            limits: &syncer.limits,
            now,
        }
    }

    /// Every item that holds one of the files, which are as Plex should see them: those on record
    /// first, then what Plex finds where those leave a file out.
    pub async fn by_path(&self, files: &[SceneFile], known: &[Row]) -> Result<Search> {
        if files.is_empty() {
            let whose = Whose::Scene(SceneFault::Invalid);
            return Err(Failure::new(whose, "the scene has no file"));
        }
        let mut search = Search::default();
        let mut seen = self.on_record(known, &mut search).await?;
        for (nth, file) in files.iter().enumerate() {
            for library in self.libraries.holding(&file.path) {
                let is_here = |seen: &&Seen| {
                    let is_living = seen.item.deleted_at.is_none();
                    seen.library.section == library.section && is_living
                };
                let mut here = seen.iter().filter(is_here);
                let held = here.any(|seen| hold([&seen.item], file));
                let new = match held {
                    true => self.indexed(library, &file.path, &seen).await,
                    false => self.search(library, file, &mut search).await,
                };
                let new = match new {
                    Ok(new) => new,
                    // The items of the others do not wait for it.
                    Err(why) if why.is_of_one_item() => {
                        let why = why.of_library(&library.title);
                        search.unsearched.get_or_insert(why);
                        continue;
                    }
                    Err(why) => return Err(why),
                };
                let is_new = |new: &Seen<'_>| seen.iter().all(|seen| seen.item.key != new.item.key);
                let new: Vec<_> = new.into_iter().filter(is_new).collect();
                seen.extend(new);
            }
            if !hold(seen.iter().map(|seen| &seen.item), file) {
                search.missing.push(nth);
            }
        }
        let candidates = convert::candidates(seen.iter().map(|seen| &seen.item));
        for bound in matching::by_path(files, &candidates) {
            search.targets.extend(target(&mut seen, bound));
        }
        // What is on record by likeness stays on record by that.
        for row in known.iter().filter(|row| !row.path.is_empty()) {
            let Some(nth) = self.like(row, files, &seen) else {
                continue;
            };
            let bound = Bound {
                item: row.item.clone(),
                path: row.path.clone(),
                file: nth,
                evidence: Evidence::Likeness(Reason::SameNameAndSize),
            };
            if let Some(target) = target(&mut seen, bound) {
                search.missing.retain(|missing| *missing != nth);
                search.targets.push(target);
            }
        }
        Ok(search)
    }

    /// Files of the same name in whatever library is searched: for a path that no library covers.
    pub async fn by_name(&self, file: &SceneFile) -> Result<Vec<Seen<'_>>> {
        let mut found = Vec::new();
        for library in &self.libraries.chosen {
            let named = |item: &Item| has_name(item, &file.path);
            let items = self.filtered(library, &file.path).await?;
            let mut items = items.unwrap_or_default();
            items.retain(named);
            if items.is_empty() {
                items = self.listed(library, &file.path, Wish::Name).await?;
                items.retain(named);
            }
            let seen = |item| Seen::new(library, item, false);
            found.extend(items.into_iter().map(seen));
        }
        Ok(found)
    }

    /// The items on record, with their details.
    async fn on_record(&self, known: &[Row], search: &mut Search) -> Result<Vec<Seen<'_>>> {
        let keys = known.iter().filter_map(|row| row.item.parse().ok());
        let keys: Vec<RatingKey> = keys.collect();
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
            Some(Seen::new(library, item, true))
        });
        Ok(seen.collect())
    }

    /// More items that hold the file, where an index tells without a question.
    async fn indexed<'l>(
        &self,
        library: &'l Library,
        path: &str,
        seen: &[Seen<'_>],
    ) -> Result<Vec<Seen<'l>>> {
        let mut keys = self.indexes.known(library, path).await;
        keys.retain(|key| seen.iter().all(|seen| seen.item.key != *key));
        let _overlapping = self.limits.read().await;
        let found = self.plex.items(&keys).await?;
        let items = self.indexes.unread.readable(found).into_iter();
        Ok(items.map(|item| Seen::new(library, item, true)).collect())
    }

    /// Items that may hold the file: of what is known, of what Plex finds, and, since a miss of its
    /// filter proves nothing, of the listing.
    async fn search<'l>(
        &self,
        library: &'l Library,
        file: &SceneFile,
        search: &mut Search,
    ) -> Result<Vec<Seen<'l>>> {
        let path = &file.path;
        let known = self.indexed(library, path, &[]).await?;
        if known.iter().any(|seen| hold([&seen.item], file)) {
            return Ok(known);
        }
        if let Some(items) = self.filtered(library, path).await? {
            if hold(&items, file) {
                let seen = |item| Seen::new(library, item, false);
                return Ok(items.into_iter().map(seen).collect());
            }
            let named = items.iter().filter(|item| has_name(item, path));
            search.others.extend(convert::candidates(named));
        }
        let items = self.listed(library, path, Wish::Path).await?.into_iter();
        Ok(items.map(|item| Seen::new(library, item, true)).collect())
    }

    /// What Plex's filter finds; none where it has none.
    async fn filtered(&self, library: &Library, path: &str) -> Result<Option<Vec<Item>>> {
        if self.indexes.replaces_filter(library, path).await {
            return Ok(None);
        }
        let _overlapping = self.limits.read().await;
        let (plex, section) = (self.plex, &library.section);
        match plex.find_by_file(section, library.kind, path).await? {
            FileSearch::Candidates(items) => Ok(Some(items)),
            FileSearch::Ignored => {
                self.indexes.replace_filter(plex, library, self.now).await?;
                Ok(None)
            }
        }
    }

    /// What the listing knows by now, with its details.
    async fn listed(&self, library: &Library, path: &str, wish: Wish) -> Result<Vec<Item>> {
        let (plex, indexes, wish) = (self.plex, self.indexes, (path, wish));
        let _overlapping = self.limits.read().await;
        let keys = indexes.fresh(plex, library, wish, self.now).await?;
        Ok(indexes.unread.readable(plex.items(&keys).await?))
    }

    /// The file by whose likeness the item on record still is the scene's.
    fn like(&self, row: &Row, files: &[SceneFile], seen: &[Seen<'_>]) -> Option<usize> {
        let mut seen = seen.iter().map(|seen| &seen.item);
        let item = seen.find(|item| item.key.as_str() == row.item)?;
        let mut candidates = convert::candidates([item]);
        candidates.retain(|candidate| path::key(&candidate.path) == path::key(&row.path));
        let alike = |file: &SceneFile| {
            let likeness = matching::by_likeness(file, &candidates, |_| false);
            !self.libraries.covers(&file.path) && matches!(likeness, Likeness::One { .. })
        };
        files.iter().position(alike)
    }
}

impl<'a> Seen<'a> {
    fn new(library: &'a Library, item: Item, detailed: bool) -> Self {
        Self {
            library,
            item,
            detailed,
        }
    }

    /// The scene's, for this reason.
    pub fn bound(self, bound: Bound) -> Target {
        Target {
            library: self.library.clone(),
            item: self.item,
            detailed: self.detailed,
            bound,
        }
    }
}

/// Whether one of the items holds the file.
fn hold<'a>(items: impl IntoIterator<Item = &'a Item>, file: &SceneFile) -> bool {
    let files = std::slice::from_ref(file);
    !matching::by_path(files, &convert::candidates(items)).is_empty()
}

fn has_name(item: &Item, file: &str) -> bool {
    let name = path::name_key(file);
    item.files().any(|part| path::name_key(&part.file) == name)
}

/// Takes the item that was bound; none that was taken before.
fn target(seen: &mut Vec<Seen<'_>>, bound: Bound) -> Option<Target> {
    let is_bound = |seen: &Seen| seen.item.key.as_str() == bound.item;
    let seen = seen.swap_remove(seen.iter().position(is_bound)?);
    Some(seen.bound(bound))
}

impl Target {
    pub fn key(&self) -> &str {
        self.item.key.as_str()
    }
}

/// Whether the item holds the file at this path.
pub fn is_at(item: &Item, path: &str) -> bool {
    let key = path::key(path);
    item.files().any(|part| path::key(&part.file) == key)
}
