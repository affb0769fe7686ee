//! The bytes of a cover.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use url::Url;

use super::transport::read;
use super::{Client, Error};

const IMAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// Where Stash's own image routes start; before it stands what a proxy or `external_host` added.
const ROUTES: [&str; 7] = [
    "/scene/",
    "/performer/",
    "/studio/",
    "/tag/",
    "/group/",
    "/movie/",
    "/gallery/",
];

/// A picture's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/jpeg`, `image/png` or `image/webp`.
    pub content_type: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What Stash calls this very file, for [`Client::image_unless`]. It stays when only the
    /// address's `t=` changes.
    pub etag: Option<String>,
}

/// Whether an image address leads to Stash's stand-in for a picture it does not have.
///
/// ```
/// assert!(stash::client::is_placeholder("http://stash/performer/7/image?t=1&default=true"));
/// assert!(!stash::client::is_placeholder("http://stash/performer/7/image?t=1"));
/// ```
pub fn is_placeholder(address: &str) -> bool {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair == "default=true")
}

impl Client {
    /// [`Client::image_unless`] for a caller who has no earlier one.
    ///
    /// # Errors
    /// As [`Client::image_unless`].
    pub async fn image(&self, address: &str, limit: usize) -> Result<Image, Error> {
        let image = self.image_unless(address, None, limit).await?;
        image.ok_or(Error::Status { status: 304 })
    }

    /// Fetches a picture by the address Stash gave for it, from this client's own base: the address
    /// may name another host (`external_host`), which is never called. `None` when it is the one
    /// with this [`etag`](Image::etag); its bytes are not sent again.
    ///
    /// # Errors
    /// [`Error::NoImage`] for a missing one, [`Error::NotAPicture`] for one of another type (a
    /// video, SVG), [`Error::TooLarge`] beyond `limit` bytes, or any other [`Error`]:
    /// [`Error::Malformed`] for a page in its place.
    pub async fn image_unless(
        &self,
        address: &str,
        etag: Option<&str>,
        limit: usize,
    ) -> Result<Option<Image>, Error> {
        let (path, query) = own_path(address).ok_or(Error::NoImage)?;
        let known = etag.and_then(|etag| Some((IF_NONE_MATCH, etag.parse().ok()?)));
        let headers = known.into_iter().collect();
        let answer = self.get(&path, query.as_deref(), headers, IMAGE_TIMEOUT);
        let answer = answer.await?;
        match answer.status().as_u16() {
            200 => {}
            304 => return Ok(None),
            404 => return Err(Error::NoImage),
            status => return Err(Error::Status { status }),
        }
        let header = |name| answer.headers().get(name)?.to_str().ok();
        let etag = header(ETAG).map(str::to_owned);
        let content_type = header(CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .map_or_else(String::new, |value| value.trim().to_ascii_lowercase());
        if !["image/jpeg", "image/png", "image/webp"].contains(&content_type.as_str()) {
            return Err(not_taken(content_type));
        }
        if answer.content_length().unwrap_or_default() > limit as u64 {
            return Err(Error::TooLarge { limit });
        }
        let bytes = read(answer, limit, IMAGE_TIMEOUT).await?;
        if bytes.is_empty() {
            return Err(Error::NoImage);
        }
        Ok(Some(Image {
            content_type,
            bytes,
            etag,
        }))
    }
}

/// Of what a media server does not take: a picture or film that Stash has, or what a proxy says
/// instead.
fn not_taken(content_type: String) -> Error {
    match content_type.split_once('/') {
        Some(("image" | "video", _)) => Error::NotAPicture { content_type },
        _ => Error::Malformed(format!("\"{content_type}\" where a picture was expected")),
    }
}

/// The path below the base and the query, without the API key some of Stash's addresses carry.
pub(super) fn own_path(address: &str) -> Option<(String, Option<String>)> {
    let origin = Url::parse("http://stash.invalid/").ok()?;
    let url = origin.join(address).ok()?;
    let routes = ROUTES.iter().filter_map(|route| url.path().find(route));
    let start = routes.min()?;
    let query = url.query().map(|query| {
        let kept = query.split('&').filter(|pair| !pair.starts_with("apikey="));
        kept.collect::<Vec<_>>().join("&")
    });
    let query = query.filter(|query| !query.is_empty());
    Some((url.path().get(start + 1..)?.to_owned(), query))
}
