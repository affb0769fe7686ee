//! The library's state and the changes it knows, without HTTP.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::file_index::FileIndex;
use super::file_query::FileQuery;
use super::images::Images;
use super::item::{Item, Kind, Part, Tag, TagKind};
use super::options::PlexOptions;
use super::scan::Scan;
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
    pub(super) fn leaf(self) -> Kind {
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
    /// Files gone from the disk that no scan has missed.
    pub gone: BTreeSet<String>,
    pub scans: Vec<Scan>,
    /// Fields and tag lists of a kind of item that edits do not keep.
    pub ignored: BTreeSet<(Kind, String)>,
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
    pub files: FileIndex,
    collections: BTreeSet<u64>,
    /// Shows and seasons by the folders they were found in.
    pub folders: HashMap<(u32, Kind, String), u64>,
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
            folders: HashMap::new(),
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
            gone: BTreeSet::new(),
            scans: Vec::new(),
            ignored: BTreeSet::new(),
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
            deleted_at: None,
            spoilt: None,
        };
        self.items.insert(key, item);
        if kind == Kind::Collection {
            self.collections.insert(key);
        }
        self.orders.clear();
        key
    }

    /// The items that have this very file.
    pub fn with_file(&self, file: &str) -> impl Iterator<Item = &Item> {
        self.files
            .with_path(file)
            .filter_map(|key| self.items.get(&key))
    }

    /// The items that can have a file that a query asks for, in order of their keys.
    pub fn near_file(&self, query: &FileQuery) -> Vec<&Item> {
        match query.candidates(&self.files) {
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
}
