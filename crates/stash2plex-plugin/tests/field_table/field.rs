//! The fields: giving them a value in Stash, changing them in Plex, and reading both.

use std::collections::BTreeSet;
use std::sync::Arc;

use simulators::{EntityKind, Image, Images, Item, PlexServer, StashServer, TagKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Title,
    Summary,
    Tagline,
    Studio,
    Date,
    Rating,
    ContentRating,
    Actors,
    Genres,
    Collections,
    Poster,
    Background,
}

/// How Plex keeps a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Text(&'static str),
    Stars,
    List(TagKind),
    Poster,
    Background,
}

/// What a field shows: the names of a list, else at most one value.
pub type Shown = BTreeSet<String>;

/// The values a field can have in Stash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Version {
    First,
    Second,
    None,
}

impl Version {
    fn pick<T>(self, first: T, second: T, none: T) -> T {
        match self {
            Self::First => first,
            Self::Second => second,
            Self::None => none,
        }
    }
}

const FOREIGN: &str = "Somebody else's, by hand";

impl Field {
    pub const ALL: [Self; 12] = [
        Self::Title,
        Self::Summary,
        Self::Tagline,
        Self::Studio,
        Self::Date,
        Self::Rating,
        Self::ContentRating,
        Self::Actors,
        Self::Genres,
        Self::Collections,
        Self::Poster,
        Self::Background,
    ];

    pub fn is(self) -> Is {
        match self {
            Self::Title => Is::Text("title"),
            Self::Summary => Is::Text("summary"),
            Self::Tagline => Is::Text("tagline"),
            Self::Studio => Is::Text("studio"),
            Self::Date => Is::Text("originallyAvailableAt"),
            Self::ContentRating => Is::Text("contentRating"),
            Self::Rating => Is::Stars,
            Self::Actors => Is::List(TagKind::Actor),
            Self::Genres => Is::List(TagKind::Genre),
            Self::Collections => Is::List(TagKind::Collection),
            Self::Poster => Is::Poster,
            Self::Background => Is::Background,
        }
    }

    pub fn is_list(self) -> bool {
        matches!(self.is(), Is::List(_))
    }

    pub fn is_picture(self) -> bool {
        matches!(self.is(), Is::Poster | Is::Background)
    }

    /// The setting that turns it off; the title has none but that for all.
    pub fn switch(self) -> &'static str {
        match self {
            Self::Title => "sync_master",
            Self::Summary => "sync_summary",
            Self::Tagline => "sync_tagline",
            Self::Studio => "sync_studio",
            Self::Date => "sync_date",
            Self::Rating => "sync_rating",
            Self::ContentRating => "sync_content_rating",
            Self::Actors => "sync_performers",
            Self::Genres => "sync_tags",
            Self::Collections => "sync_collection",
            Self::Poster => "sync_poster",
            Self::Background => "sync_background",
        }
    }

    /// The name of its lock.
    pub fn lock(self) -> &'static str {
        match self.is() {
            Is::Text(name) => name,
            Is::Stars => "userRating",
            Is::List(kind) => kind.name(),
            Is::Poster => "thumb",
            Is::Background => "art",
        }
    }

    /// What of the scene it shows.
    pub fn source(self) -> Self {
        match self {
            Self::Collections => Self::Studio,
            Self::Background => Self::Poster,
            other => other,
        }
    }

    /// Saves the scene with this value of it.
    pub fn give(self, stash: &StashServer, scene: u64, version: Version) {
        let edit = stash.edit(scene);
        let ids = |kind, names: &[&str]| -> Vec<u64> {
            names.iter().map(|name| stash.named(kind, name)).collect()
        };
        match self {
            Self::Title => edit.title(version.pick("First title", "Second title", "")),
            Self::Summary => edit.details(version.pick("First words.", "Second words.", "")),
            Self::Tagline => edit.with(|scene| {
                version
                    .pick("ONE-1", "TWO-2", "")
                    .clone_into(&mut scene.code)
            }),
            Self::Studio | Self::Collections => {
                let studio = ids(
                    EntityKind::Studio,
                    version.pick(&["North"], &["South"], &[]),
                );
                edit.with(|scene| scene.studio = studio.first().copied())
            }
            Self::Date => edit.date(version.pick("2020-01-01", "2021-02-03", "")),
            Self::Rating => edit.rating(version.pick(40, 80, 0)),
            // Every scene has the same, so that it takes another field to bring this one back.
            Self::ContentRating => {
                Self::Tagline.give(stash, scene, version);
                edit
            }
            Self::Actors => {
                let names = version.pick(&["Ann", "Bea"][..], &["Bea", "Cleo, Jr."], &[]);
                let ids = ids(EntityKind::Performer, names);
                edit.with(|scene| scene.performers = ids)
            }
            Self::Genres => {
                let names = version.pick(&["Köln", "Night"][..], &["Night", "a, b"], &[]);
                let ids = ids(EntityKind::Tag, names);
                edit.with(|scene| scene.tags = ids)
            }
            Self::Poster | Self::Background => match version {
                Version::First => edit.cover(1),
                Version::Second => edit.cover(2),
                Version::None => edit.with(|scene| scene.cover = None),
            },
        };
    }

    /// Somebody shows something else; in a list one of ours goes, in both versions where there is
    /// one, and a foreign one comes.
    pub fn edit_in_plex(self, plex: &PlexServer, key: u64) {
        match self.is() {
            Is::Text(name) => {
                let value = match self {
                    Self::Date => "1999-12-31",
                    Self::ContentRating => "PG",
                    _ => FOREIGN,
                };
                plex.change(key, |item| item.set_field(name, value));
            }
            Is::Stars => plex.change(key, |item| item.user_rating = Some(9.0)),
            Is::List(kind) => {
                let ours = ["Bea", "Night", "North"];
                plex.change(key, |item| {
                    let tags = item.tags.entry(kind).or_default();
                    tags.retain(|tag| !ours.contains(&tag.name.as_str()));
                });
                plex.add_tag(key, kind, FOREIGN);
            }
            Is::Poster => plex.change(key, |item| choose(&mut item.posters, "posters")),
            Is::Background => plex.change(key, |item| choose(&mut item.arts, "arts")),
        }
    }

    pub fn shown(self, item: &Item) -> Shown {
        let values: Vec<String> = match self.is() {
            Is::Text(name) => vec![item.field(name).to_owned()],
            Is::Stars => item.user_rating.iter().map(f64::to_string).collect(),
            Is::List(kind) => item
                .tag_names(kind)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            Is::Poster => picture(&item.posters),
            Is::Background => picture(&item.arts),
        };
        values
            .into_iter()
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// What the scene has of it, in Plex's terms.
    pub fn in_stash(self, stash: &StashServer, id: u64) -> Shown {
        let scene = stash.scene(id).unwrap();
        let names = |kind, ids: &[u64]| -> Vec<String> {
            ids.iter().map(|id| stash.name_of(kind, *id)).collect()
        };
        let values = match self {
            Self::Title => vec![scene.title],
            Self::Summary => vec![scene.details],
            Self::Tagline => vec![scene.code],
            Self::Date => vec![scene.date],
            Self::Rating => scene
                .rating100
                .iter()
                .map(|rating| (f64::from(*rating) / 10.0).to_string())
                .collect(),
            Self::ContentRating => vec!["XXX".to_owned()],
            Self::Studio | Self::Collections => names(EntityKind::Studio, scene.studio.as_slice()),
            Self::Actors => names(EntityKind::Performer, &scene.performers),
            Self::Genres => names(EntityKind::Tag, &scene.tags),
            Self::Poster | Self::Background => scene
                .cover
                .iter()
                .map(|cover| plex::image_sha1(cover))
                .collect(),
        };
        values
            .into_iter()
            .filter(|value| !value.is_empty())
            .collect()
    }
}

/// Uploads and selects a picture, as a person does.
fn choose(images: &mut Images, folder: &str) {
    let bytes: Arc<[u8]> = FOREIGN.as_bytes().into();
    let rating_key = format!("upload://{folder}/{}", plex::image_sha1(&bytes));
    images.selected = Some(rating_key.clone());
    images.entries.push(Image { rating_key, bytes });
}

fn picture(images: &Images) -> Vec<String> {
    let upload = images.selected_sha1().map(str::to_owned);
    upload
        .or_else(|| images.selected.clone())
        .into_iter()
        .collect()
}
