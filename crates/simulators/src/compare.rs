//! "The scene as Stash has it" against "the item as Plex has it".

use std::collections::BTreeSet;
use std::fmt;

use crate::plex::{Item, PlexServer, TagKind, sha1_hex};
use crate::stash::{EntityKind, Scene, StashServer};

/// What has to be equal, and where Plex sees Stash's files. Title, summary, date, studio,
/// performers (as roles) and tags (as genres) always count.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Prefix in Stash, prefix in Plex; the first that fits counts.
    pub paths: Vec<(String, String)>,
    /// Tags in Plex that are none in Stash are no difference: a person put them there.
    pub foreign_tags: bool,
    /// The studio is a collection too.
    pub collection: bool,
    /// The rating is the user's stars.
    pub rating: bool,
    /// The cover is the poster.
    pub poster: bool,
    /// The cover is the background.
    pub background: bool,
    /// The content rating every item must have.
    pub content_rating: Option<String>,
    /// The tagline a scene must have.
    pub tagline: Option<fn(&Scene) -> String>,
}

impl Mapping {
    /// One path prefix, nothing optional.
    pub fn path(stash: &str, plex: &str) -> Self {
        Self {
            paths: vec![(stash.to_owned(), plex.to_owned())],
            ..Self::default()
        }
    }

    /// A path of Stash as Plex sees it.
    pub fn to_plex(&self, path: &str) -> String {
        let fits = |(from, to): &(String, String)| {
            Some(format!("{to}{}", path.strip_prefix(from.as_str())?))
        };
        self.paths
            .iter()
            .find_map(fits)
            .unwrap_or_else(|| path.to_owned())
    }
}

/// One thing that is not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The scene.
    pub scene: u64,
    /// Its title or, without one, its file.
    pub name: String,
    /// What differs: `title`, `tags`, `item`, …
    pub what: &'static str,
    /// What Stash says.
    pub stash: String,
    /// What Plex says.
    pub plex: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scene,
            name,
            what,
            stash,
            plex,
        } = self;
        write!(
            f,
            "scene {scene} \"{name}\": {what}: Stash has {stash}, Plex has {plex}"
        )
    }
}

/// What [`compare`] found. Its text is "10 of 10 scenes equal", then a line for each difference.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// How many scenes were compared: all that have a file.
    pub scenes: usize,
    /// Every difference.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// How many scenes are equal.
    pub fn equal(&self) -> usize {
        let unequal: BTreeSet<u64> = self
            .differences
            .iter()
            .map(|difference| difference.scene)
            .collect();
        self.scenes - unequal.len()
    }

    /// Whether all are.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} scenes equal", self.equal(), self.scenes)?;
        self.differences
            .iter()
            .try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

/// Compares every scene that has a file with the item that has this file.
///
/// ```
/// use simulators::{compare, Mapping, PlexServer, SectionKind, StashServer};
///
/// let (stash, plex) = (StashServer::start()?, PlexServer::start()?);
/// let id = stash.add_scene("/data/one.mp4");
/// stash.edit(id).title("First");
/// let films = plex.add_section("Films", SectionKind::Movie, &["/media"]);
/// let key = plex.add_file(films, "/media/one.mp4");
///
/// let mapping = Mapping::path("/data", "/media");
/// let found = compare(&stash, &plex, &mapping).to_string();
/// assert!(found.starts_with("0 of 1 scenes equal"));
/// assert!(found.contains(r#"title: Stash has "First", Plex has "one""#));
///
/// plex.edit_by_hand(key, "title", "First");
/// assert_eq!(compare(&stash, &plex, &mapping).to_string(), "1 of 1 scenes equal");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn compare(stash: &StashServer, plex: &PlexServer, mapping: &Mapping) -> Comparison {
    let mut comparison = Comparison::default();
    for scene in stash.scenes() {
        let Some(file) = scene.files.first() else {
            continue;
        };
        comparison.scenes += 1;
        let path = mapping.to_plex(&file.path);
        let items = plex.items_with_file(&path);
        let mut pair = Pair {
            scene: &scene,
            path: &file.path,
            differences: &mut comparison.differences,
        };
        match items.as_slice() {
            [item] => pair.compare(item, stash, mapping),
            [] => pair.differ("item", &path, "no item with this file"),
            several => pair.differ(
                "item",
                &path,
                &format!("{} items with this file", several.len()),
            ),
        }
    }
    comparison
}

/// What an item shows otherwise than a scene wants it, whichever file made them a pair.
///
/// ```
/// use simulators::{Mapping, PlexServer, SectionKind, StashServer, compare_item};
///
/// let (stash, plex) = (StashServer::start()?, PlexServer::start()?);
/// let scene = stash.add_scene("/data/one.mp4");
/// stash.edit(scene).title("First");
/// let films = plex.add_section("Films", SectionKind::Movie, &["/media"]);
/// let item = plex.item(plex.add_file(films, "/media/one.mp4"));
///
/// let (scene, item) = (stash.scene(scene).unwrap(), item.unwrap());
/// let found = compare_item(&scene, &item, &stash, &Mapping::default());
/// assert_eq!(found[0].what, "title");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn compare_item(
    scene: &Scene,
    item: &Item,
    stash: &StashServer,
    mapping: &Mapping,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut pair = Pair {
        scene,
        path: scene.files.first().map_or("", |file| &file.path),
        differences: &mut differences,
    };
    pair.compare(item, stash, mapping);
    differences
}

struct Pair<'a> {
    scene: &'a Scene,
    path: &'a str,
    differences: &'a mut Vec<Difference>,
}

impl Pair<'_> {
    fn differ(&mut self, what: &'static str, stash: &str, plex: &str) {
        let name = if self.scene.title.is_empty() {
            self.path
        } else {
            &self.scene.title
        };
        self.differences.push(Difference {
            scene: self.scene.id,
            name: name.to_owned(),
            what,
            stash: stash.to_owned(),
            plex: plex.to_owned(),
        });
    }

    fn text(&mut self, what: &'static str, stash: &str, plex: &str) {
        if stash != plex {
            self.differ(what, &format!("{stash:?}"), &format!("{plex:?}"));
        }
    }

    /// Plex compares names without regard to ASCII case and keeps them in no order of ours.
    fn names(&mut self, what: &'static str, stash: &[String], plex: &[&str], foreign: bool) {
        let folded = |name: &str| name.to_ascii_lowercase();
        let wanted: BTreeSet<String> = stash.iter().map(|name| folded(name)).collect();
        let present: BTreeSet<String> = plex.iter().map(|name| folded(name)).collect();
        let equal = if foreign {
            wanted.is_subset(&present)
        } else {
            wanted == present
        };
        if !equal {
            self.differ(what, &format!("{stash:?}"), &format!("{plex:?}"));
        }
    }

    fn compare(&mut self, item: &Item, stash: &StashServer, mapping: &Mapping) {
        let scene = self.scene;
        let names = |kind, ids: &[u64]| {
            ids.iter()
                .map(|id| stash.name_of(kind, *id))
                .collect::<Vec<_>>()
        };
        // An empty title never clears the one Plex made of the file name.
        if !scene.title.is_empty() {
            self.text("title", &scene.title, item.title());
        }
        self.text("summary", &scene.details, item.field("summary"));
        let date = item.field("originallyAvailableAt");
        // Plex takes whole dates only; of a partial one it has nothing or a completed one.
        let partial = (1..10).contains(&scene.date.len());
        if !(partial && (date.is_empty() || date.starts_with(&scene.date))) {
            self.text("date", &scene.date, date);
        }
        let studio: Vec<String> = names(EntityKind::Studio, scene.studio.as_slice());
        self.text(
            "studio",
            studio.first().map_or("", String::as_str),
            item.field("studio"),
        );
        let performers = names(EntityKind::Performer, &scene.performers);
        self.names(
            "performers",
            &performers,
            &item.tag_names(TagKind::Actor),
            mapping.foreign_tags,
        );
        let tags = names(EntityKind::Tag, &scene.tags);
        self.names(
            "tags",
            &tags,
            &item.tag_names(TagKind::Genre),
            mapping.foreign_tags,
        );
        if mapping.collection {
            self.names(
                "collection",
                &studio,
                &item.tag_names(TagKind::Collection),
                mapping.foreign_tags,
            );
        }
        self.optional(item, mapping);
    }

    fn optional(&mut self, item: &Item, mapping: &Mapping) {
        let stars =
            |rating: Option<f64>| rating.map_or("none".to_owned(), |rating| format!("{rating:.1}"));
        if mapping.rating {
            let wanted = self.scene.rating100.map(|rating| f64::from(rating) / 10.0);
            if stars(wanted) != stars(item.user_rating) {
                self.differ("rating", &stars(wanted), &stars(item.user_rating));
            }
        }
        if let Some(wanted) = &mapping.content_rating {
            self.text("content rating", wanted, item.field("contentRating"));
        }
        if let Some(tagline) = mapping.tagline {
            self.text("tagline", &tagline(self.scene), item.field("tagline"));
        }
        let Some(cover) = self.scene.cover.as_deref().map(sha1_hex) else {
            return;
        };
        if mapping.poster {
            self.text(
                "poster",
                &cover,
                item.posters.selected_sha1().unwrap_or_default(),
            );
        }
        if mapping.background {
            self.text(
                "background",
                &cover,
                item.arts.selected_sha1().unwrap_or_default(),
            );
        }
    }
}
