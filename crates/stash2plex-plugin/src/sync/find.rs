//! Which item in Plex is this scene?

use std::time::SystemTime;

use plex::{FileSearch, Item, ItemKind, RatingKey, SectionId};
use scene_sync::matching::{self, Candidate, Reason, Verdict};
use scene_sync::{PathMap, Scene};

use super::convert;
use super::failure::Failed;
use super::index::Indexes;
use super::places::{Place, Places};
use crate::obfuscate::Paths;

/// An item with its details, and where it is.
pub struct Found {
    pub section: SectionId,
    pub kind: ItemKind,
    pub item: Item,
}

/// Why there is no item to write to.
pub enum NotFound {
    NotThere(String),
    Ambiguous(String),
    NoFile,
    NoLibrary(String),
    Failed(Failed),
}

impl<E: Into<Failed>> From<E> for NotFound {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How an item is looked for.
pub struct Finder<'a> {
    pub plex: &'a plex::Client,
    pub places: &'a Places,
    pub map: &'a PathMap,
    pub strict: bool,
    pub indexes: &'a Indexes,
    pub paths: Paths,
    pub now: SystemTime,
}

impl Finder<'_> {
    /// Finds the scene's item: `known` first, if it still has the file, then by file name.
    pub async fn find(&self, scene: &Scene, known: Option<&RatingKey>) -> Result<Found, NotFound> {
        if scene.files.is_empty() {
            return Err(NotFound::NoFile);
        }
        if let Some(found) = self.recognise(scene, known).await? {
            return Ok(found);
        }
        let mut items: Vec<(Item, &Place)> = Vec::new();
        let mut others = false;
        for file in &scene.files {
            let path = self.map.map(&file.path);
            for place in &self.places.list {
                let new = self.search(place, &path).await?;
                items.extend(new.into_iter().map(|item| (item, place)));
            }
            // The next file is another copy of the same scene: only needed when this one is not there.
            let candidates = candidates(&items);
            match matching::find(&scene.files, &candidates, self.map, false) {
                Verdict::None { reason } => others = reason == Reason::OtherFiles,
                verdict => return self.decide(verdict, &items).await,
            }
        }
        let path = self.map.map(&scene.files[0].path);
        let shown = self.paths.show(&path);
        let mut why = format!("Plex has no file {shown} (yet)");
        if others {
            why = format!("{why}: {}", Reason::OtherFiles);
        }
        if let Some(missing) = &self.places.missing {
            why = format!("{why}; {missing}");
        }
        Err(NotFound::NotThere(why))
    }

    async fn search(&self, place: &Place, path: &str) -> Result<Vec<Item>, NotFound> {
        if !self.indexes.covers(place).await {
            let search = self
                .plex
                .find_by_file(&place.section, place.kind, path)
                .await?;
            if let FileSearch::Candidates(items) = search {
                return Ok(items);
            }
        }
        Ok(self.indexes.items(self.plex, place, path, self.now).await?)
    }

    async fn recognise(
        &self,
        scene: &Scene,
        known: Option<&RatingKey>,
    ) -> Result<Option<Found>, NotFound> {
        let Some(key) = known else { return Ok(None) };
        let item = match self.plex.item(key).await {
            Ok(item) => item,
            Err(plex::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let parts = convert::candidates(std::slice::from_ref(&item));
        let place = self
            .places
            .list
            .iter()
            .find(|place| Some(&place.section) == item.section.as_ref());
        Ok(
            match (matching::find(&scene.files, &parts, self.map, false), place) {
                (Verdict::Exact { .. } | Verdict::Likely { .. }, Some(place)) => Some(Found {
                    section: place.section.clone(),
                    kind: place.kind,
                    item,
                }),
                _ => None,
            },
        )
    }

    async fn decide(&self, verdict: Verdict, items: &[(Item, &Place)]) -> Result<Found, NotFound> {
        let key = match &verdict {
            Verdict::Exact { item, .. } | Verdict::Likely { item, .. } => item.clone(),
            Verdict::Ambiguous { candidates, reason } if !self.strict && may_guess(*reason) => {
                candidates
                    .first()
                    .map(|first| first.item.clone())
                    .unwrap_or_default()
            }
            _ => return Err(NotFound::Ambiguous(self.words(verdict))),
        };
        let Some((item, place)) = items.iter().find(|(item, _)| item.key.as_str() == key) else {
            return Err(NotFound::Ambiguous(self.words(verdict)));
        };
        // Listings cut the tags; only the details tell what is there.
        let item = self.plex.item(&item.key).await?;
        Ok(Found {
            section: place.section.clone(),
            kind: place.kind,
            item,
        })
    }

    fn words(&self, mut verdict: Verdict) -> String {
        if let Verdict::Ambiguous { candidates, .. } = &mut verdict {
            for candidate in candidates {
                candidate.path = self.paths.show(&candidate.path).into_owned();
            }
        }
        verdict.to_string()
    }
}

/// Whether one of several may be taken when the user asked for that.
fn may_guess(reason: Reason) -> bool {
    !matches!(reason, Reason::OtherFiles)
}

fn candidates(items: &[(Item, &Place)]) -> Vec<Candidate> {
    items
        .iter()
        .flat_map(|(item, _)| convert::candidates(std::slice::from_ref(item)))
        .collect()
}
