//! What becomes of files and of the items that hold them: moves, the trash, splits and merges.

use super::item::{Item, Media, Part};
use super::library::Library;
use super::scan::lies_in;

impl Library {
    /// Changes an item, its files too, and moves its `updatedAt`.
    pub fn change_files<R>(&mut self, key: u64, change: impl FnOnce(&mut Item) -> R) -> Option<R> {
        let before: Vec<String> = self.items.get(&key)?.files().map(str::to_owned).collect();
        let result = self.change(key, change)?;
        let item = self.items.get(&key)?;
        if !item.files().eq(before.iter().map(String::as_str)) {
            for file in &before {
                self.files.remove(key, file);
            }
            for file in item.files() {
                self.files.add(key, file);
            }
        }
        Some(result)
    }

    /// Whether no one has taken this file of a library from the disk.
    pub fn is_on_disk(&self, section: u32, file: &str) -> bool {
        let section = self.sections.get(&section);
        section.is_none_or(|section| !section.gone.contains(file))
    }

    /// A file is taken from the disk; the next scan of its folder misses it.
    pub fn delete_file(&mut self, file: &str) {
        let holders: Vec<u32> = self.with_file(file).map(|item| item.section).collect();
        for (id, section) in &mut self.sections {
            section.pending.retain(|part| part.file != file);
            if holders.contains(id) {
                section.gone.insert(file.to_owned());
            }
        }
    }

    /// A file gets another path on the disk; scans of the two folders tell Plex. Libraries whose
    /// folders hold the new path find it, and without folders those that had the old one.
    pub fn move_file(&mut self, from: &str, to: &str) {
        let Some(part) = self.part_at(from) else {
            return;
        };
        let part = Part {
            file: to.to_owned(),
            ..part
        };
        let holders: Vec<u32> = self.with_file(from).map(|item| item.section).collect();
        let waits = |pending: &[Part]| pending.iter().any(|part| part.file == from);
        let finders: Vec<u32> = self
            .sections
            .iter()
            .filter(|(id, section)| match section.locations.as_slice() {
                [] => holders.contains(id) || waits(&section.pending),
                folders => folders.iter().any(|folder| lies_in(to, folder)),
            })
            .map(|(id, _)| *id)
            .collect();
        self.delete_file(from);
        for id in finders {
            if let Some(section) = self.sections.get_mut(&id)
                && !section.gone.remove(to)
            {
                section.pending.push(part.clone());
            }
        }
    }

    fn part_at(&self, file: &str) -> Option<Part> {
        let known = self.with_file(file).flat_map(Item::parts);
        let pending = self.sections.values().flat_map(|section| &section.pending);
        known.chain(pending).find(|part| part.file == file).cloned()
    }

    /// The items that hold a file hold another instead, under the same key.
    pub fn exchange_file(&mut self, old: &str, new: &Part) {
        let keys: Vec<u64> = self.with_file(old).map(|item| item.key).collect();
        for key in keys {
            self.change_files(key, |item| item.replace_part(old, new));
        }
    }

    /// The same file under another name in the same items.
    pub fn rename_file(&mut self, from: &str, to: &str) {
        if let Some(part) = self.part_at(from) {
            let file = to.to_owned();
            self.exchange_file(from, &Part { file, ..part });
        }
    }

    /// What lies in the trash of a library is gone for good.
    pub fn empty_trash(&mut self, section: u32) {
        self.remove_all(|item| item.section == section && item.deleted_at.is_some());
    }

    /// A library goes, with its items.
    pub fn remove_section(&mut self, section: u32) {
        self.remove_all(|item| item.section == section);
        self.sections.remove(&section);
    }

    fn remove_all(&mut self, goes: impl Fn(&Item) -> bool) {
        let going = self.items.values().filter(|item| goes(item));
        let keys: Vec<u64> = going.map(|item| item.key).collect();
        for key in keys {
            self.remove(key);
        }
    }

    /// One item for each version; the first keeps the key and what was edited.
    pub fn split(&mut self, key: u64) -> Vec<u64> {
        let apart = self.change_files(key, |item| {
            let rest = item.media.split_off(1.min(item.media.len()));
            (item.section, rest)
        });
        let Some((section, versions)) = apart else {
            return Vec::new();
        };
        let new = versions
            .into_iter()
            .map(|media| self.add_media(section, media));
        std::iter::once(key)
            .chain(new.collect::<Vec<_>>())
            .collect()
    }

    /// One item with the versions of all; the others are gone.
    pub fn merge(&mut self, into: u64, others: &[u64]) {
        let versions: Vec<Media> = others
            .iter()
            .filter(|key| **key != into)
            .filter_map(|key| self.remove(*key))
            .flat_map(|item| item.media)
            .collect();
        self.change_files(into, |item| item.media.extend(versions));
    }

    /// Removes an item and finds its files again: a new `ratingKey`, nothing of what was edited.
    pub fn re_add(&mut self, key: u64) -> Option<u64> {
        let old = self.remove(key)?;
        let mut versions = old.media.into_iter();
        let new = self.add_media(old.section, versions.next()?);
        for media in versions {
            self.add_version(new, media);
        }
        Some(new)
    }
}
