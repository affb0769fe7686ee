//! The simulated Plex Media Server.

mod edit;
mod file_index;
mod image_routes;
mod images;
mod item;
mod library;
mod listing;
mod options;
mod render;
mod routes;
mod wire;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use library::Library;

use crate::http::Server;

pub(crate) use images::sha1_hex;
pub use images::{Image, Images};
pub use item::{Item, Kind, Media, Part, Tag, TagKind};
pub use library::SectionKind;
pub use options::{FileFilter, PlexOptions, TagMode};

/// A Plex Media Server on a loopback port of its own. Clones are handles to the same server; it stops when the last
/// one is dropped. The port, the faults and the request log are those of [`Server`].
///
/// ```
/// use simulators::{PlexServer, SectionKind};
///
/// let plex = PlexServer::start()?;
/// let films = plex.add_section("Films", SectionKind::Movie, &["/media/films"]);
/// let key = plex.add_file(films, "/media/films/one.mp4");
/// assert_eq!(plex.item(key).map(|item| item.title().to_owned()), Some("one".to_owned()));
/// plex.down(); // connections are refused …
/// plex.up()?; // … and accepted again, on the same port
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct PlexServer {
    server: Server,
    library: Arc<Mutex<Library>>,
}

impl PlexServer {
    /// A claimed server without libraries.
    pub fn start() -> io::Result<Self> {
        Self::start_with(PlexOptions::default())
    }

    /// A server with these options.
    pub fn start_with(options: PlexOptions) -> io::Result<Self> {
        let keep_alive = options.keep_alive;
        let library = Arc::new(Mutex::new(Library::new(options)));
        let server = Server::start(keep_alive, Box::new(wire::Wire(Arc::clone(&library))))?;
        Ok(Self { server, library })
    }

    /// Changes the options of the running server.
    pub fn set(&self, change: impl FnOnce(&mut PlexOptions)) {
        change(&mut self.library().options);
    }

    /// The owner's token; empty for an unclaimed server.
    pub fn token(&self) -> String {
        self.library().options.token.clone().unwrap_or_default()
    }

    /// Adds a library and returns its number, which is its `key` on the wire.
    pub fn add_section(&self, title: &str, kind: SectionKind, locations: &[&str]) -> u32 {
        self.library().add_section(title, kind, locations)
    }

    /// Adds what a scan makes of a file: a movie, or an episode of the show named like its folder. Returns the
    /// `ratingKey`.
    pub fn add_file(&self, section: u32, file: &str) -> u64 {
        self.library().add_file(section, part(file))
    }

    /// The same with size (bytes) and duration (milliseconds).
    pub fn add_part(&self, section: u32, part: Part) -> u64 {
        self.library().add_file(section, part)
    }

    /// Gives an item another version, as Plex does with duplicates.
    pub fn add_version(&self, key: u64, file: &str) {
        self.library().add_part(key, part(file));
    }

    /// Adds many files at once.
    pub fn add_files<'a>(
        &self,
        section: u32,
        files: impl IntoIterator<Item = &'a str>,
    ) -> Vec<u64> {
        let mut library = self.library();
        files
            .into_iter()
            .map(|file| library.add_file(section, part(file)))
            .collect()
    }

    /// Adds an item without a file, for instance an artist.
    pub fn add_item(&self, section: u32, kind: Kind, title: &str) -> u64 {
        self.library().add_item(section, kind, None, title)
    }

    /// A file that lies on the disk and that no scan has seen: a scan of its folder, or of all, adds it.
    pub fn add_unscanned(&self, section: u32, file: &str) {
        if let Some(section) = self.library().sections.get_mut(&section) {
            section.pending.push(part(file));
        }
    }

    /// A scan, as the server starts one by itself.
    pub fn scan(&self, section: u32) {
        self.library().scan(section, None);
    }

    /// A copy of an item.
    pub fn item(&self, key: u64) -> Option<Item> {
        let mut library = self.library();
        library.settle();
        library.items.get(&key).cloned()
    }

    /// Copies of all items, in order of their keys.
    pub fn items(&self) -> Vec<Item> {
        let mut library = self.library();
        library.settle();
        library.items.values().cloned().collect()
    }

    /// Copies of the items that have this very file.
    pub fn items_with_file(&self, file: &str) -> Vec<Item> {
        let mut library = self.library();
        library.settle();
        library.with_file(file).cloned().collect()
    }

    /// What a person does in Plex Web: sets a text field and locks it.
    pub fn edit_by_hand(&self, key: u64, field: &str, value: &str) {
        self.library().change(key, |item| {
            item.set_field(field, value);
            item.locked.insert(field.to_owned());
        });
    }

    /// What a person or an agent does: adds a tag.
    pub fn add_tag(&self, key: u64, kind: TagKind, name: &str) {
        let mut library = self.library();
        library.add_tag(key, kind, name, None);
        library.change(key, |_| ());
    }

    /// Any other change of an item; `updatedAt` moves.
    pub fn change(&self, key: u64, change: impl FnOnce(&mut Item)) {
        self.library().change(key, change);
    }

    /// Removes an item; its key answers 404 from now on.
    pub fn remove(&self, key: u64) -> Option<Item> {
        self.library().remove(key)
    }

    /// Removes an item and finds its files again: a new `ratingKey`, which is returned, and nothing of what was edited.
    /// `None` when there is no such item or it has no file.
    pub fn re_add(&self, key: u64) -> Option<u64> {
        self.library().re_add(key)
    }

    fn library(&self) -> MutexGuard<'_, Library> {
        lock(&self.library)
    }
}

impl Deref for PlexServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn lock(library: &Mutex<Library>) -> MutexGuard<'_, Library> {
    library.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file with a size and duration that follow from its path, so that they tell files apart.
fn part(file: &str) -> Part {
    let salt: u64 = file.bytes().fold(7, |salt, byte| {
        salt.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    Part {
        file: file.to_owned(),
        size: 10_000_000 + salt % 900_000_000,
        duration: 60_000 + salt % 3_600_000,
    }
}
