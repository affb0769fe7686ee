//! The library's state and the changes it knows, without HTTP.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::file_index::FileIndex;
use super::images::Images;
use super::item::{Item, Kind, Media, Part, Tag, TagKind};
use super::options::PlexOptions;
use crate::clock;

/// What kind of library a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// Movies and "other videos".
    Movie,
    /// Shows with seasons and episodes.
    Show,
    /// Music.
    Artist,
}

impl SectionKind {
    /// The type its listings have when none is asked for.
    pub(super) fn main(self) -> Kind {
        match self {
            Self::Movie => Kind::Movie,
            Self::Show => Kind::Show,
            Self::Artist => Kind::Artist,
        }
    }

    /// The type whose items have the files.
    fn leaf(self) -> Kind {
        match self {
            Self::Movie => Kind::Movie,
            Self::Show => Kind::Episode,
            Self::Artist => Kind::Artist,
        }
    }
}

/// A library.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub kind: SectionKind,
    pub title: String,
    pub locations: Vec<String>,
    pub created_at: i64,
    pub scanned_at: i64,
    /// Files on disk that no scan has seen.
    pub pending: Vec<Part>,
    pub scans: Vec<Scan>,
}

#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub path: Option<String>,
    pub begun: Instant,
    pub due: Instant,
}

#[derive(Debug)]
pub(super) struct Library {
    pub options: PlexOptions,
    pub sections: BTreeMap<u32, Section>,
    pub items: BTreeMap<u64, Item>,
    /// Names of tags, unique without regard to ASCII case.
    tag_names: HashMap<(TagKind, String), (u64, String)>,
    /// Pictures of people, shared by all their items.
    pub portraits: HashMap<u64, String>,
    next_key: u64,
    /// Keys in the order of a sort, until the next change.
    pub orders: HashMap<(u32, Kind, String), Arc<[u64]>>,
    files: FileIndex,
    collections: BTreeSet<u64>,
    /// The one season of the show that a folder is.
    seasons: HashMap<(u32, String), u64>,
}

impl Library {
    pub fn new(options: PlexOptions) -> Self {
        Self {
            options,
            sections: BTreeMap::new(),
            items: BTreeMap::new(),
            tag_names: HashMap::new(),
            portraits: HashMap::new(),
            next_key: 1,
            orders: HashMap::new(),
            files: FileIndex::default(),
            collections: BTreeSet::new(),
            seasons: HashMap::new(),
        }
    }

    pub fn now(&self) -> i64 {
        self.options.now.unwrap_or_else(clock::now)
    }

    pub fn add_section(&mut self, title: &str, kind: SectionKind, locations: &[&str]) -> u32 {
        let id = self.sections.keys().next_back().map_or(1, |last| last + 1);
        let now = self.now();
        let section = Section {
            kind,
            title: title.to_owned(),
            locations: locations.iter().map(|&path| path.to_owned()).collect(),
            created_at: now,
            scanned_at: now,
            pending: Vec::new(),
            scans: Vec::new(),
        };
        self.sections.insert(id, section);
        id
    }

    pub fn add_item(&mut self, section: u32, kind: Kind, parent: Option<u64>, title: &str) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        let now = self.now();
        let item = Item {
            key,
            section,
            kind,
            parent,
            fields: BTreeMap::from([("title", title.to_owned())]),
            tags: BTreeMap::new(),
            locked: BTreeSet::new(),
            user_rating: None,
            media: Vec::new(),
            posters: Images::generated(key, "thumb"),
            arts: Images::generated(key, "art"),
            added_at: now,
            updated_at: now,
        };
        self.items.insert(key, item);
        if kind == Kind::Collection {
            self.collections.insert(key);
        }
        self.orders.clear();
        key
    }

    /// What a scan makes of a file: a movie, or an episode of the show named like the folder.
    pub fn add_file(&mut self, section: u32, part: Part) -> u64 {
        let kind = self
            .sections
            .get(&section)
            .map_or(Kind::Movie, |section| section.kind.leaf());
        let (folder, name) = split_path(&part.file);
        let title = name
            .rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned();
        let parent = (kind == Kind::Episode).then(|| self.season_of(section, folder));
        let key = self.add_item(section, kind, parent, &title);
        self.add_part(key, part);
        key
    }

    /// Gives an item one more version with one file.
    pub fn add_part(&mut self, key: u64, part: Part) {
        if let Some(item) = self.items.get_mut(&key) {
            self.files.add(key, &part.file);
            item.media.push(Media { parts: vec![part] });
        }
    }

    fn season_of(&mut self, section: u32, folder: &str) -> u64 {
        let place = (section, folder.to_owned());
        if let Some(season) = self
            .seasons
            .get(&place)
            .filter(|season| self.items.contains_key(season))
        {
            return *season;
        }
        let show = self.add_item(section, Kind::Show, None, split_path(folder).1);
        let season = self.add_item(section, Kind::Season, Some(show), "Season 1");
        self.change(season, |item| item.set_field("index", "1"));
        self.seasons.insert(place, season);
        season
    }

    /// The items that have this very file.
    pub fn with_file(&self, file: &str) -> impl Iterator<Item = &Item> {
        self.files
            .with_path(file)
            .filter_map(|key| self.items.get(&key))
    }

    /// The items that can have a file whose path contains the text, in order of their keys.
    pub fn near_file(&self, text: &str) -> Vec<&Item> {
        match self.files.candidates(text) {
            Some(keys) => keys.iter().filter_map(|key| self.items.get(key)).collect(),
            None => self.items.values().collect(),
        }
    }

    pub fn remove(&mut self, key: u64) -> Option<Item> {
        let item = self.items.remove(&key)?;
        for file in item.files() {
            self.files.remove(key, file);
        }
        self.orders.clear();
        Some(item)
    }

    /// Removes an item and finds its files again: a new `ratingKey`, nothing of what was edited.
    pub fn re_add(&mut self, key: u64) -> Option<u64> {
        let old = self.remove(key)?;
        let mut parts = old.media.into_iter().flat_map(|media| media.parts);
        let new = self.add_file(old.section, parts.next()?);
        for part in parts {
            self.add_part(new, part);
        }
        Some(new)
    }

    /// Changes an item and moves its `updatedAt`.
    pub fn change<R>(&mut self, key: u64, change: impl FnOnce(&mut Item) -> R) -> Option<R> {
        let now = self.now();
        self.orders.clear();
        let item = self.items.get_mut(&key)?;
        item.updated_at = now;
        Some(change(item))
    }

    /// The tag of that name: the one that exists if only the ASCII case differs.
    pub fn tag(&mut self, kind: TagKind, name: &str) -> Tag {
        let next = self.tag_names.len() as u64 + 1;
        let key = (kind, name.to_ascii_lowercase());
        let (id, name) = self
            .tag_names
            .entry(key)
            .or_insert_with(|| (next, name.to_owned()));
        Tag {
            id: *id,
            name: name.clone(),
            role: None,
        }
    }

    /// Adds a tag to an item unless it has it; a collection tag makes the collection too.
    pub fn add_tag(&mut self, key: u64, kind: TagKind, name: &str, role: Option<&str>) {
        let mut tag = self.tag(kind, name);
        tag.role = role.map(str::to_owned);
        let Some(item) = self.items.get_mut(&key) else {
            return;
        };
        let section = item.section;
        let list = item.tags.entry(kind).or_default();
        match list.iter_mut().find(|old| old.id == tag.id) {
            Some(old) if tag.role.is_some() => old.role = tag.role,
            Some(_) => {}
            None => list.push(tag.clone()),
        }
        if kind == TagKind::Collection && !self.has_collection(section, &tag.name) {
            self.add_item(section, Kind::Collection, None, &tag.name);
        }
    }

    pub fn has_collection(&self, section: u32, title: &str) -> bool {
        let mut collections = self
            .collections
            .iter()
            .filter_map(|key| self.items.get(key));
        collections.any(|item| item.section == section && item.title().eq_ignore_ascii_case(title))
    }

    /// Starts a scan; it ends `scan_takes` later, and what it finds appears then.
    pub fn scan(&mut self, section: u32, path: Option<String>) {
        let takes = self.options.scan_takes;
        if let Some(section) = self.sections.get_mut(&section) {
            let begun = Instant::now();
            section.scans.push(Scan {
                path,
                begun,
                due: begun + takes,
            });
        }
        self.settle();
    }

    /// Does what scans that are over have done.
    pub fn settle(&mut self) {
        let now = Instant::now();
        let mut found = Vec::new();
        let scanned_at = self.now();
        for (id, section) in &mut self.sections {
            let (over, running) = std::mem::take(&mut section.scans)
                .into_iter()
                .partition(|scan| scan.due <= now);
            section.scans = running;
            let over: Vec<Scan> = over;
            if over.is_empty() {
                continue;
            }
            section.scanned_at = scanned_at;
            let (seen, unseen) = std::mem::take(&mut section.pending)
                .into_iter()
                .partition(|part| over.iter().any(|scan| scan.covers(&part.file)));
            section.pending = unseen;
            let seen: Vec<Part> = seen;
            found.extend(seen.into_iter().map(|part| (*id, part)));
        }
        for (section, part) in found {
            self.add_file(section, part);
        }
    }
}

impl Scan {
    fn covers(&self, file: &str) -> bool {
        self.path.as_deref().is_none_or(|path| {
            let folder = path.trim_end_matches(['/', '\\']);
            file.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with(['/', '\\']))
        })
    }

    /// Percent done.
    pub fn progress(&self) -> u64 {
        let whole = self
            .due
            .saturating_duration_since(self.begun)
            .max(Duration::from_millis(1));
        ((self.begun.elapsed().as_secs_f64() / whole.as_secs_f64()) * 100.0).min(100.0) as u64
    }
}

fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once(['/', '\\']).unwrap_or(("", path))
}
