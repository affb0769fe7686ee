//! The simulated Plex Media Server.

mod disk;
mod edit;
mod file_index;
mod file_query;
mod image_routes;
mod images;
mod item;
mod library;
mod listing;
mod options;
mod render;
mod routes;
mod scan;
mod wire;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use library::Library;

use crate::http::{Moment, Requests, Server};

pub(crate) use images::sha1_hex;
pub use images::{Image, Images};
pub use item::{Item, Kind, Media, Part, Spoilt, Tag, TagKind};
pub use library::SectionKind;
pub use options::{FileFilter, PlexOptions, TagMode};

/// A Plex Media Server on a loopback port of its own. Clones are handles to the same server; it
/// stops when the last one is dropped. The port, the faults and the request log are those of
/// [`Server`].
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

    /// Does something in the world right before matching requests are carried out: the client has
    /// sent them, and nothing of them has happened yet.
    ///
    /// ```
    /// use simulators::{PlexServer, Requests, SectionKind};
    ///
    /// let plex = PlexServer::start()?;
    /// let films = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    /// let key = plex.add_file(films, "/media/one.mp4");
    /// // A person is quicker than the next edit.
    /// plex.before(Requests::all().method("PUT").times(1), move |plex| plex.edit_by_hand(key, "title", "Mine"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn before(&self, requests: Requests, act: impl FnMut(&Self) + Send + 'static) {
        self.act(Moment::Before, requests, act);
    }

    /// The same right after they are carried out, before the client has the answer.
    pub fn after(&self, requests: Requests, act: impl FnMut(&Self) + Send + 'static) {
        self.act(Moment::After, requests, act);
    }

    fn act(&self, moment: Moment, requests: Requests, mut act: impl FnMut(&Self) + Send + 'static) {
        let library = Arc::clone(&self.library);
        self.server.act(moment, requests, move |server| {
            let library = Arc::clone(&library);
            act(&Self { server, library });
        });
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

    /// Removes a library with its items; its number answers 404 from now on, as theirs do.
    pub fn remove_section(&self, section: u32) {
        self.library().remove_section(section);
    }

    /// Adds what a scan makes of a file: a movie, or an episode of the show named like its folder.
    /// Returns the `ratingKey`.
    pub fn add_file(&self, section: u32, file: &str) -> u64 {
        self.library().add_file(section, part(file))
    }

    /// The same with size (bytes) and duration (milliseconds).
    pub fn add_part(&self, section: u32, part: Part) -> u64 {
        self.library().add_file(section, part)
    }

    /// Gives an item another version, as Plex does with duplicates.
    pub fn add_version(&self, key: u64, file: &str) {
        self.library().add_version(key, version(&[file]));
    }

    /// Adds an item whose one version has several files, as a film on two discs.
    pub fn add_stacked(&self, section: u32, files: &[&str]) -> u64 {
        self.library().add_media(section, version(files))
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

    /// A file that lies on the disk and that no scan has seen: a scan of its folder, or of all,
    /// adds it.
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
        self.library().change_files(key, change);
    }

    /// From now on answers with this item hold something that no document, or no item, may hold.
    pub fn spoil(&self, key: u64, spoilt: Spoilt) {
        if let Some(item) = self.library().items.get_mut(&key) {
            item.spoilt = Some(spoilt);
        }
    }

    /// Edits to items of this kind in a library are answered with 200 and do not keep these fields
    /// and tag lists, named as in edits: `studio`, `genre`, `actor`, ….
    pub fn ignore_edits(&self, section: u32, kind: Kind, names: &[&str]) {
        if let Some(section) = self.library().sections.get_mut(&section) {
            section.ignored.retain(|(other, _)| *other != kind);
            section
                .ignored
                .extend(names.iter().map(|name| (kind, (*name).to_owned())));
        }
    }

    /// Takes a file from the disk. The next scan of its folder puts the item into the trash: it
    /// stays in listings, with `deletedAt`. Of an item with another version only this version goes.
    pub fn delete_file(&self, file: &str) {
        self.library().delete_file(file);
    }

    /// Moves a file on the disk. The next scan of both folders finds a **new** item and puts the
    /// old one into the trash, unless [`PlexOptions::moves_keep_keys`].
    pub fn move_file(&self, from: &str, to: &str) {
        self.library().move_file(from, to);
    }

    /// Removes what lies in the trash of a library.
    pub fn empty_trash(&self, section: u32) {
        self.library().empty_trash(section);
    }

    /// Renames a file and its item's part at once, without a scan: same key, `updatedAt` moves,
    /// `addedAt` does not.
    pub fn rename_file(&self, from: &str, to: &str) {
        self.library().rename_file(from, to);
    }

    /// Items that hold one file hold another instead (size and duration differ), under the same
    /// key.
    pub fn exchange_file(&self, old: &str, new: &str) {
        self.library().exchange_file(old, &part(new));
    }

    /// Makes an item of each version. The first keeps the key and what was edited; the others are
    /// as newly scanned. Returns all keys.
    pub fn split(&self, key: u64) -> Vec<u64> {
        self.library().split(key)
    }

    /// Gives one item the versions of others, whose keys answer 404 from now on.
    pub fn merge(&self, into: u64, others: &[u64]) {
        self.library().merge(into, others);
    }

    /// Removes an item; its key answers 404 from now on.
    pub fn remove(&self, key: u64) -> Option<Item> {
        self.library().remove(key)
    }

    /// Removes an item and finds its files again: a new `ratingKey`, which is returned, and nothing
    /// of what was edited. `None` when there is no such item or it has no file.
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

fn version(files: &[&str]) -> Media {
    Media {
        parts: files.iter().map(|file| part(file)).collect(),
    }
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
