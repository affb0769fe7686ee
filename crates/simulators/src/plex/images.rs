//! The posters and backgrounds of an item.

use std::fmt::Write as _;
use std::sync::Arc;

use sha1::{Digest, Sha1};

/// Posters or backgrounds of one item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Images {
    /// All of them, oldest first.
    pub entries: Vec<Image>,
    /// The `ratingKey` of the one shown.
    pub selected: Option<String>,
}

/// One image of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `upload://posters/<sha1>` for uploads.
    pub rating_key: String,
    /// The content; empty for images Plex made itself.
    pub bytes: Arc<[u8]>,
}

/// SHA-1 in hexadecimal, as Plex names uploads.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    Sha1::digest(bytes)
        .iter()
        .fold(String::with_capacity(40), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
}

impl Images {
    /// The image that a new item starts with: a frame out of the file.
    pub(super) fn generated(key: u64, name: &str) -> Self {
        let rating_key = format!("media://{key:040x}/{name}1.jpg");
        let image = Image {
            rating_key: rating_key.clone(),
            bytes: Arc::default(),
        };
        Self {
            entries: vec![image],
            selected: Some(rating_key),
        }
    }

    /// The SHA-1 of the image shown, when it is an upload.
    pub fn selected_sha1(&self) -> Option<&str> {
        let key = self.selected.as_deref()?.strip_prefix("upload://")?;
        key.rsplit('/').next()
    }

    /// Adds and selects new bytes. Bytes already there make no copy, and the selection stays.
    /// Returns whether they were new.
    pub(super) fn upload(&mut self, folder: &str, bytes: &[u8]) -> bool {
        let rating_key = format!("upload://{folder}/{}", sha1_hex(bytes));
        if self
            .entries
            .iter()
            .any(|image| image.rating_key == rating_key)
        {
            return false;
        }
        self.entries.push(Image {
            rating_key: rating_key.clone(),
            bytes: bytes.into(),
        });
        self.selected = Some(rating_key);
        true
    }

    /// Selects by `ratingKey`; anything else is no error and does nothing.
    pub(super) fn select(&mut self, rating_key: &str) -> bool {
        let known = self
            .entries
            .iter()
            .any(|image| image.rating_key == rating_key);
        if known {
            self.selected = Some(rating_key.to_owned());
        }
        known
    }

    /// Deletes an image; if it was the selected one, the first that is left is shown.
    pub(super) fn delete(&mut self, rating_key: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|image| image.rating_key != rating_key);
        if self.selected.as_deref() == Some(rating_key) {
            self.selected = self.entries.first().map(|image| image.rating_key.clone());
        }
        self.entries.len() < before
    }

    pub(super) fn find(&self, rating_key: &str) -> Option<&Image> {
        self.entries
            .iter()
            .find(|image| image.rating_key == rating_key)
    }
}
