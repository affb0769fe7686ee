//! Which items hold a file?

use std::collections::{BTreeSet, HashMap};

/// Finds items by path without walking the library, so that a search costs the same however large
/// it is.
#[derive(Debug, Default)]
pub(super) struct FileIndex {
    paths: HashMap<String, BTreeSet<u64>>,
    /// Runs of letters and digits in the paths.
    words: HashMap<Box<str>, Vec<u64>>,
}

impl FileIndex {
    pub fn add(&mut self, key: u64, path: &str) {
        self.paths.entry(path.to_owned()).or_default().insert(key);
        for word in words(path) {
            match self.words.get_mut(word) {
                Some(keys) => keys.push(key),
                None => _ = self.words.insert(word.into(), vec![key]),
            }
        }
    }

    pub fn remove(&mut self, key: u64, path: &str) {
        if let Some(keys) = self.paths.get_mut(path) {
            keys.remove(&key);
        }
        for word in words(path) {
            if let Some(keys) = self.words.get_mut(word) {
                keys.retain(|other| *other != key);
            }
        }
    }

    /// The items that have this very path.
    pub fn with_path(&self, path: &str) -> impl Iterator<Item = u64> {
        self.paths.get(path).into_iter().flatten().copied()
    }

    /// All items that can have a path containing `text`, and perhaps others. A word inside of
    /// `text` is a whole word of such a path; the first and the last may go on outside. `None`:
    /// `text` has no word inside.
    pub fn candidates(&self, text: &str) -> Option<Vec<u64>> {
        let inside = |word: &&str| {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            start > 0 && start + word.len() < text.len()
        };
        let lists = words(text)
            .filter(inside)
            .map(|word| self.words.get(word).map_or(&[][..], Vec::as_slice));
        let mut keys = lists.min_by_key(|list| list.len())?.to_vec();
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::FileIndex;

    #[test]
    fn candidates_are_never_too_few() {
        let mut index = FileIndex::default();
        let paths = [
            "/a/Été one.mp4",
            "/a/one two.mp4",
            "/b/xone two.mp4x",
            "/b/scene.mp4",
        ];
        (1..)
            .zip(paths)
            .for_each(|(key, path)| index.add(key, path));
        for path in paths {
            let cuts: Vec<usize> = path
                .char_indices()
                .map(|(at, _)| at)
                .chain([path.len()])
                .collect();
            for (n, from) in cuts.iter().enumerate() {
                for to in &cuts[n..] {
                    let text = &path[*from..*to];
                    let Some(found) = index.candidates(text) else {
                        continue;
                    };
                    let right = (1..)
                        .zip(paths)
                        .filter(|(_, path)| path.contains(text))
                        .map(|(key, _)| key);
                    right.for_each(|key: u64| {
                        assert!(found.contains(&key), "{text:?} misses {key}")
                    });
                }
            }
        }
        assert_eq!(index.candidates("nothing here.mp4"), Some(vec![]));
        assert_eq!(index.candidates("scene.mp4"), None);
        assert_eq!(index.candidates("ne two.mp4"), Some(vec![2, 3]));
        index.remove(2, paths[1]);
        assert_eq!(index.candidates("ne two.mp4"), Some(vec![3]));
        assert_eq!(index.with_path(paths[1]).count(), 0);
    }
}
