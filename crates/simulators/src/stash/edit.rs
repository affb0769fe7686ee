//! Somebody edits a scene.

use super::StashServer;
use super::picture;
use super::scene::{EntityKind, Scene};

/// Setters for one scene. Each is one saved edit: it moves `updated_at`. A scene that is gone is
/// left alone.
///
/// ```
/// # let stash = simulators::StashServer::start()?;
/// let id = stash.add_scene("/data/one.mp4");
/// stash.edit(id).title("One").studio("Northlight").date("2024-05-06").rating(80);
/// assert_eq!(stash.scene(id).map(|scene| scene.title), Some("One".to_owned()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SceneEdit<'a> {
    stash: &'a StashServer,
    id: u64,
}

impl<'a> SceneEdit<'a> {
    pub(super) fn new(stash: &'a StashServer, id: u64) -> Self {
        Self { stash, id }
    }

    /// Any change.
    pub fn with(self, change: impl FnOnce(&mut Scene)) -> Self {
        let mut store = self.stash.store();
        if let Some(scene) = store.scenes.get_mut(&self.id) {
            change(scene);
        }
        store.touch(self.id);
        self
    }

    fn ids(self, kind: EntityKind, names: &[&str]) -> Vec<u64> {
        let mut store = self.stash.store();
        names.iter().map(|name| store.named(kind, name)).collect()
    }

    /// The title.
    pub fn title(self, title: &str) -> Self {
        self.with(|scene| title.clone_into(&mut scene.title))
    }

    /// The description.
    pub fn details(self, details: &str) -> Self {
        self.with(|scene| details.clone_into(&mut scene.details))
    }

    /// The date, empty to clear it.
    pub fn date(self, date: &str) -> Self {
        self.with(|scene| date.clone_into(&mut scene.date))
    }

    /// 1 to 100; 0 clears it.
    pub fn rating(self, rating100: u32) -> Self {
        self.with(|scene| scene.rating100 = (rating100 > 0).then_some(rating100))
    }

    /// The "organized" mark.
    pub fn organized(self, organized: bool) -> Self {
        self.with(|scene| scene.organized = organized)
    }

    /// The studio by name, empty for none.
    pub fn studio(self, name: &str) -> Self {
        let studio = self
            .ids(EntityKind::Studio, &[name])
            .first()
            .copied()
            .filter(|_| !name.is_empty());
        self.with(|scene| scene.studio = studio)
    }

    /// All performers by name.
    pub fn performers(self, names: &[&str]) -> Self {
        let ids = self.ids(EntityKind::Performer, names);
        self.with(|scene| scene.performers = ids)
    }

    /// All tags by name.
    pub fn tags(self, names: &[&str]) -> Self {
        let ids = self.ids(EntityKind::Tag, names);
        self.with(|scene| scene.tags = ids)
    }

    /// All groups by name.
    pub fn groups(self, names: &[&str]) -> Self {
        let ids = self.ids(EntityKind::Group, names);
        self.with(|scene| scene.groups = ids.into_iter().map(|id| (id, None)).collect())
    }

    /// A new cover: a small JPEG that differs for each `version`.
    pub fn cover(self, version: u32) -> Self {
        let id = self.id;
        self.with(|scene| {
            scene.cover = Some(picture::jpeg(&format!("scene {id} version {version}")).into())
        })
    }

    /// A new cover with these bytes.
    pub fn cover_bytes(self, bytes: &[u8]) -> Self {
        self.with(|scene| scene.cover = Some(bytes.into()))
    }

    /// The path of the primary file, which is added if there is none.
    pub fn file(self, path: &str) -> Self {
        let file = self.stash.store().new_file(path);
        self.with(|scene| match scene.files.first_mut() {
            Some(first) => path.clone_into(&mut first.path),
            None => scene.files.push(file),
        })
    }
}
