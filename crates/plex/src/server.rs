//! Ratings, scans, what the server is doing, and its settings.

use reqwest::Method;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Client, Error, RatingKey, SectionId, client::Call, loose, query};

/// A user's rating: 0 to 10, where each star is worth 2.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct UserRating(f64);

impl UserRating {
    /// `None` when `rating` is not between 0 and 10.
    #[must_use]
    pub fn new(rating: f64) -> Option<Self> {
        (0.0..=10.0).contains(&rating).then_some(Self(rating))
    }

    /// 0 to 10.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// Something the server is doing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Activity {
    /// Identifies it while it runs.
    #[serde(default, deserialize_with = "loose::text")]
    pub uuid: String,
    /// As `library.update.section`.
    #[serde(rename = "type", default, deserialize_with = "loose::text")]
    pub kind: String,
    /// In words.
    #[serde(default, deserialize_with = "loose::text")]
    pub title: String,
    /// In percent; −1 when unknown.
    #[serde(default, deserialize_with = "loose::parsed")]
    pub progress: Option<i32>,
    /// The library it works on.
    #[serde(rename = "Context", default, deserialize_with = "context")]
    pub section: Option<SectionId>,
}

impl Activity {
    /// Whether it is the scan of a library.
    #[must_use]
    pub fn is_scan(&self) -> bool {
        self.kind == "library.update.section"
    }
}

fn context<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SectionId>, D::Error> {
    #[derive(Deserialize)]
    struct Context {
        #[serde(
            rename = "librarySectionID",
            default,
            deserialize_with = "loose::parsed"
        )]
        section: Option<SectionId>,
    }
    let contexts: Vec<Context> = loose::list(deserializer)?;
    Ok(contexts.into_iter().find_map(|context| context.section))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Activities {
    #[serde(rename = "Activity", deserialize_with = "loose::list")]
    pub activities: Vec<Activity>,
}

/// The server's settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Prefs {
    #[serde(rename = "Setting", deserialize_with = "loose::list")]
    settings: Vec<Setting>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Setting {
    #[serde(default, deserialize_with = "loose::text")]
    id: String,
    #[serde(default)]
    value: Value,
}

impl Prefs {
    /// A setting, with the type that the server gave it.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Value> {
        let setting = self.settings.iter().find(|setting| setting.id == id)?;
        Some(&setting.value)
    }

    /// The hours (0 to 23) between which the server does its nightly maintenance and is slow.
    #[must_use]
    pub fn maintenance_hours(&self) -> Option<(u8, u8)> {
        let hour = |id| {
            let value = self.get(id)?;
            let hour = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u8::try_from(hour).ok().filter(|hour| *hour < 24)
        };
        Some((hour("ButlerStartHour")?, hour("ButlerEndHour")?))
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

    /// Asks for a scan of one folder, given as Plex's host sees it. Plex accepts at once, scans later,
    /// and says nothing about a folder it does not have.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such library.
    pub async fn scan(&self, section: &SectionId, folder: &str) -> Result<(), Error> {
        let path = ["library", "sections", section.as_str(), "refresh"];
        self.act(Method::GET, &path, &query::join(&[("path", folder)]))
            .await
    }

    /// What the server is doing. Needs the owner's token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn activities(&self) -> Result<Vec<Activity>, Error> {
        let found: Activities = self.get(Call::Read, &["activities"], &[]).await?;
        Ok(found.activities)
    }

    /// The server's settings. Needs the owner's token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn prefs(&self) -> Result<Prefs, Error> {
        self.get(Call::Read, &[":", "prefs"], &[]).await
    }
}
