//! Posters and backgrounds.

use reqwest::{Method, header::HeaderValue};
use serde::Deserialize;
use sha1::{Digest, Sha1};

use crate::{Client, Error, RatingKey, lenient, query};

/// Which image of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageKind {
    /// The poster.
    Poster,
    /// The background.
    Background,
}

impl ImageKind {
    /// The name of its lock.
    pub(crate) fn lock_name(self) -> &'static str {
        match self {
            Self::Poster => "thumb",
            Self::Background => "art",
        }
    }

    /// The names of one, and of all.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            Self::Poster => ("poster", "posters"),
            Self::Background => ("art", "arts"),
        }
    }
}

/// The format of an image to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl ImageFormat {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        })
    }
}

/// An image an item can show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// Its name, as `upload://posters/<sha1>` for one that was sent.
    #[serde(rename = "ratingKey", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Whether the item shows it.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub selected: bool,
}

impl Image {
    /// Whether it is the one that was sent with these bytes. Plex names uploads by their SHA-1.
    #[must_use]
    pub fn is_upload_of(&self, sha1: &str) -> bool {
        self.name.starts_with("upload://") && self.name.rsplit('/').next() == Some(sha1)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Images {
    #[serde(rename = "Metadata", deserialize_with = "lenient::list")]
    pub images: Vec<Image>,
}

/// The SHA-1 of an image in hexadecimal, by which Plex names it.
#[must_use]
pub fn image_sha1(bytes: &[u8]) -> String {
    let digest = Sha1::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Client {
    /// The images an item can show.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the item is gone.
    pub async fn images(&self, key: &RatingKey, kind: ImageKind) -> Result<Vec<Image>, Error> {
        let path = ["library", "metadata", key.as_str(), kind.paths().1];
        let found: Images = self.get(self.timeouts.read, &path, &[]).await?;
        Ok(found.images)
    }

    /// Sends an image, which Plex then shows and locks against the agent. Bytes that it already has
    /// are not shown by this: [select](Client::select_image) the one of the
    /// [images](Client::images) that [is their upload](Image::is_upload_of).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the item is gone.
    pub async fn upload_image(
        &self,
        key: &RatingKey,
        kind: ImageKind,
        format: ImageFormat,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        let path = ["library", "metadata", key.as_str(), kind.paths().1];
        self.upload(&path, bytes, format.content_type()).await
    }

    /// Makes an item show one of its [images](Client::images).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the item is gone.
    pub async fn select_image(
        &self,
        key: &RatingKey,
        kind: ImageKind,
        image: &Image,
    ) -> Result<(), Error> {
        let path = ["library", "metadata", key.as_str(), kind.paths().0];
        let query = query::join(&[("url", &image.name)]);
        self.act(Method::PUT, &path, &query).await
    }
}
