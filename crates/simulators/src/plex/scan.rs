//! What a scan makes of the files on the disk: new items, items in the trash, items found again.

use std::time::{Duration, Instant};

use super::item::{Item, Kind, Media, Part};
use super::library::Library;

/// A scan that runs.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub path: Option<String>,
    pub begun: Instant,
    pub due: Instant,
}

impl Library {
    /// What a scan makes of a new file: a movie, or an episode of the show its folder belongs to.
    pub fn add_file(&mut self, section: u32, part: Part) -> u64 {
        self.add_media(section, Media { parts: vec![part] })
    }

    /// The same of a version with all its parts.
    pub fn add_media(&mut self, section: u32, media: Media) -> u64 {
        let kind = self
            .sections
            .get(&section)
            .map_or(Kind::Movie, |section| section.kind.leaf());
        let file = media.parts.first().map_or("", |part| &part.file);
        let (folder, name) = split_path(file);
        let title = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let parent = (kind == Kind::Episode).then(|| self.season_of(section, folder));
        let key = self.add_item(section, kind, parent, title);
        if let Some(item) = self.items.get_mut(&key)
            && let Some(number) = episode_number(title).filter(|_| kind == Kind::Episode)
        {
            item.set_field("index", &number.to_string());
        }
        self.add_version(key, media);
        key
    }

    /// Gives an item one more version.
    pub fn add_version(&mut self, key: u64, media: Media) {
        if let Some(item) = self.items.get_mut(&key) {
            for part in &media.parts {
                self.files.add(key, &part.file);
            }
            item.media.push(media);
        }
    }

    /// A folder named "Season 2" lies in the folder of its show; any other is a show with one
    /// season.
    fn season_of(&mut self, section: u32, folder: &str) -> u64 {
        let (above, name) = split_path(folder);
        let (show, number) = match season_number(name) {
            Some(number) => (above, number),
            None => (folder, 1),
        };
        let show = self.folder_item(section, Kind::Show, show, None, split_path(show).1);
        let title = format!("Season {number}");
        let season = self.folder_item(section, Kind::Season, folder, Some(show), &title);
        if let Some(item) = self.items.get_mut(&season) {
            item.set_field("index", &number.to_string());
        }
        season
    }

    fn folder_item(
        &mut self,
        section: u32,
        kind: Kind,
        folder: &str,
        parent: Option<u64>,
        title: &str,
    ) -> u64 {
        let place = (section, kind, folder.to_owned());
        let known = self.folders.get(&place).copied();
        if let Some(known) = known.filter(|key| self.items.contains_key(key)) {
            return known;
        }
        let key = self.add_item(section, kind, parent, title);
        self.folders.insert(place, key);
        key
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
        let scanned_at = self.now();
        let mut over: Vec<(u32, Vec<Scan>)> = Vec::new();
        for (id, section) in &mut self.sections {
            let done: Vec<Scan> = section
                .scans
                .extract_if(.., |scan| scan.due <= now)
                .collect();
            if !done.is_empty() {
                section.scanned_at = scanned_at;
                over.push((*id, done));
            }
        }
        for (id, scans) in over {
            self.see(id, |file| scans.iter().any(|scan| scan.covers(file)));
        }
    }

    /// Notices what has changed on the disk where a scan has looked.
    fn see(&mut self, id: u32, looked: impl Fn(&str) -> bool) {
        let Some(section) = self.sections.get_mut(&id) else {
            return;
        };
        let pending = &mut section.pending;
        let mut found: Vec<Part> = pending.extract_if(.., |part| looked(&part.file)).collect();
        if self.options.moves_keep_keys {
            found.retain(|part| !self.follow(id, part));
        }
        if let Some(section) = self.sections.get_mut(&id) {
            let missed: Vec<String> = section.gone.extract_if(.., |file| looked(file)).collect();
            for file in missed {
                self.miss(id, &file);
            }
        }
        for part in found {
            self.find(id, part);
        }
    }

    /// The item of a moved file, known by size and duration, goes with it.
    fn follow(&mut self, section: u32, part: &Part) -> bool {
        let gone = |item: &Item, old: &Part| {
            item.deleted_at.is_some() || !self.is_on_disk(item.section, &old.file)
        };
        let same = |old: &&Part| (old.size, old.duration) == (part.size, part.duration);
        let here = self.items.values().filter(|item| item.section == section);
        let moved = here
            .flat_map(|item| item.parts().map(move |old| (item, old)))
            .find(|(item, old)| same(old) && gone(item, old))
            .map(|(item, old)| (item.key, old.file.clone()));
        let Some((key, old)) = moved else {
            return false;
        };
        if let Some(section) = self.sections.get_mut(&section) {
            section.gone.remove(&old);
        }
        self.change_files(key, |item| {
            item.replace_part(&old, part);
            item.deleted_at = None;
        });
        true
    }

    /// An item without a file left goes to the trash; of another only the version goes.
    fn miss(&mut self, section: u32, file: &str) {
        let now = self.now();
        let keys: Vec<u64> = self.with_file(file).map(|item| item.key).collect();
        for key in keys {
            if self
                .items
                .get(&key)
                .is_none_or(|item| item.section != section)
            {
                continue;
            }
            self.change_files(key, |item| {
                let lost = |media: &Media| media.parts.iter().any(|part| part.file == file);
                if item.media.iter().all(lost) {
                    item.deleted_at = Some(now);
                } else {
                    item.media.retain(|media| !lost(media));
                }
            });
        }
    }

    /// An item in the trash whose file is back comes out of it; any other file is a new item.
    fn find(&mut self, section: u32, part: Part) {
        let trashed = self
            .with_file(&part.file)
            .find(|item| item.section == section && item.deleted_at.is_some())
            .map(|item| item.key);
        match trashed {
            Some(key) => _ = self.change(key, |item| item.deleted_at = None),
            None => _ = self.add_file(section, part),
        }
    }
}

impl Scan {
    fn covers(&self, file: &str) -> bool {
        self.path
            .as_deref()
            .is_none_or(|folder| lies_in(file, folder))
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

/// Whether a file lies in a folder or below it.
pub(super) fn lies_in(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder.trim_end_matches(['/', '\\']))
        .is_some_and(|rest| rest.starts_with(['/', '\\']))
}

pub(super) fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once(['/', '\\']).unwrap_or(("", path))
}

/// 2 for "Season 02".
fn season_number(folder: &str) -> Option<u32> {
    folder.strip_prefix("Season ")?.parse().ok()
}

/// 3 for "S01E03" at the beginning.
fn episode_number(title: &str) -> Option<u32> {
    let (season, rest) = title.strip_prefix('S')?.split_once('E')?;
    season.parse::<u32>().ok()?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}
