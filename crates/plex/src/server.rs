//! Ratings, scans, and whose the token is.

use reqwest::Method;
use serde::de::IgnoredAny;

use crate::{Client, Error, RatingKey, SectionId, query};

/// A user's rating: 0 to 10, where each star is worth 2.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct UserRating(f64);

impl UserRating {
    /// `None` when `rating` is not between 0 and 10.
    #[must_use]
    pub fn new(rating: f64) -> Option<Self> {
        (0.0..=10.0).contains(&rating).then_some(Self(rating))
    }
}

impl Client {
    /// Rates an item for the token's user; `None` takes the rating off.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the item is gone.
    pub async fn rate(&self, key: &RatingKey, rating: Option<UserRating>) -> Result<(), Error> {
        let rating = rating.map_or_else(|| "-1".to_owned(), |rating| rating.0.to_string());
        let query = query::join(&[
            ("key", key.as_str()),
            ("identifier", "com.plexapp.plugins.library"),
            ("rating", &rating),
        ]);
        self.act(Method::PUT, &[":", "rate"], &query).await
    }

    /// Asks for a scan of one folder, given as Plex's host sees it. Plex accepts at once, scans
    /// later, and says nothing about a folder it does not have.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such library.
    pub async fn scan(&self, section: &SectionId, folder: &str) -> Result<(), Error> {
        let path = ["library", "sections", section.as_str(), "refresh"];
        self.act(Method::GET, &path, &query::join(&[("path", folder)]))
            .await
    }

    /// Whether the token is the owner's: asks for the server's settings, which Plex shows nobody
    /// else.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is not; any other [`Error`] says nothing about the token.
    pub async fn owner_check(&self) -> Result<(), Error> {
        let IgnoredAny = self.get(self.timeouts.read, &[":", "prefs"], &[]).await?;
        Ok(())
    }
}
