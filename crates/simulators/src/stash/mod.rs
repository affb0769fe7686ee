//! The simulated Stash.

mod bulk;
mod edit;
mod find;
mod hook;
mod introspection;
mod mutate;
mod objects;
mod options;
mod packages;
mod picture;
mod query;
mod refusal;
mod resolve;
mod scan;
mod scene;
mod schema;
mod store;
mod tokens;
mod wire;

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use store::Store;

use crate::http::{Moment, Requests, Server};

pub use edit::SceneEdit;
pub use hook::Trigger;
pub use options::{BEFORE_GROUPS, SettingsSpelling, StashOptions};
pub use packages::{Package, PackageManager, PackageSource, Plugin};
pub use scene::{Entity, EntityKind, Scene, SceneFile};
pub use store::Job;

/// A Stash on a loopback port of its own. Clones are handles to the same server; it stops when the
/// last one is dropped. The port, the faults and the request log are those of [`Server`].
///
/// ```
/// use simulators::{StashServer, Trigger};
///
/// let stash = StashServer::start()?;
/// let id = stash.add_scene("/data/one.mp4");
/// stash.edit(id).title("One").performers(&["Ada", "Grace"]).tags(&["Outdoor"]);
/// let stdin = stash.hook_stdin(&Trigger::SceneForm(id));
/// assert!(stdin.contains(r#""type":"Scene.Update.Post""#));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct StashServer {
    server: Server,
    store: Arc<Mutex<Store>>,
}

impl StashServer {
    /// An empty Stash with a password and an API key.
    pub fn start() -> io::Result<Self> {
        Self::start_with(StashOptions::default())
    }

    /// A Stash with these options.
    pub fn start_with(options: StashOptions) -> io::Result<Self> {
        let keep_alive = options.keep_alive;
        let store = Arc::new(Mutex::new(Store::new(options)));
        let server = Server::start(keep_alive, Box::new(wire::Wire(Arc::clone(&store))))?;
        Ok(Self { server, store })
    }

    /// Does something in the world right before matching requests are carried out: the client has
    /// sent them, and nothing of them has happened yet.
    pub fn before(&self, requests: Requests, act: impl FnMut(&Self) + Send + 'static) {
        self.act(Moment::Before, requests, act);
    }

    /// The same right after they are carried out, before the client has the answer.
    pub fn after(&self, requests: Requests, act: impl FnMut(&Self) + Send + 'static) {
        self.act(Moment::After, requests, act);
    }

    fn act(&self, moment: Moment, requests: Requests, mut act: impl FnMut(&Self) + Send + 'static) {
        let store = Arc::clone(&self.store);
        self.server.act(moment, requests, move |server| {
            let store = Arc::clone(&store);
            act(&Self { server, store });
        });
    }

    /// Changes the options of the running server.
    pub fn set(&self, change: impl FnOnce(&mut StashOptions)) {
        change(&mut self.store().options);
    }

    /// The API key; empty when there is none.
    pub fn api_key(&self) -> String {
        self.store().options.api_key.clone().unwrap_or_default()
    }

    /// The value of the session cookie that is valid now.
    pub fn session(&self) -> String {
        self.store().cookie()
    }

    /// All sessions are over, as after an hour; hooks from now on carry a new one.
    pub fn expire_sessions(&self) {
        self.store().session += 1;
    }

    /// Sets what `configuration { plugins }` tells about a plugin. The configuration file changes
    /// with it, where it lies in a temporary folder; what is in it stands only in the answers.
    pub fn set_plugin_settings(&self, plugin: &str, settings: Value) {
        let mut store = self.store();
        store.plugins.insert(plugin.to_owned(), settings);
        store.settings_changed += 1;
        let folder = &store.options.config_dir;
        if folder.starts_with(std::env::temp_dir()) && folder.is_dir() {
            let text = format!("# changed {} times\n", store.settings_changed);
            // A disk that is full for a test has the old one.
            let _ = std::fs::write(folder.join("config.yml"), text);
        }
    }

    /// What is stored of a plugin's settings; null when there is nothing.
    pub fn plugin_settings(&self, plugin: &str) -> Value {
        self.store()
            .plugins
            .get(plugin)
            .cloned()
            .unwrap_or_default()
    }

    /// The first start of v0.26 or later on an older database, or of any with a new one: keys and
    /// plugin ids in its configuration are rewritten, `plex_url` to `plexUrl`.
    pub fn rename_settings(&self) {
        let mut store = self.store();
        let renamed = std::mem::take(&mut store.plugins).into_iter();
        let spelling = SettingsSpelling::CamelKeysAndId;
        store.plugins = renamed
            .map(|(id, settings)| (spelling.id(&id), spelling.settings(&settings)))
            .collect();
    }

    /// What `runPluginOperation` answers for a plugin; one that is not set is not installed.
    pub fn answer_operation(&self, plugin: &str, answer: Value) {
        self.store().operations.insert(plugin.to_owned(), answer);
    }

    /// The lines of level Error that Stash wrote to its own log, which its users read.
    pub fn error_log(&self) -> Vec<String> {
        self.store().error_log.clone()
    }

    /// The tasks that `runPluginTask` queued; nobody runs them.
    pub fn jobs(&self) -> Vec<Job> {
        self.store().jobs.clone()
    }

    /// Adds a scene with one file, a cover and no metadata, as a scan does.
    pub fn add_scene(&self, path: &str) -> u64 {
        self.store().add_scene(Some(path))
    }

    /// Adds a scene without a file.
    pub fn add_scene_without_file(&self) -> u64 {
        self.store().add_scene(None)
    }

    /// Deletes a scene. The copy is what the hook needs.
    pub fn destroy_scene(&self, id: u64) -> Option<Scene> {
        self.store().scenes.remove(&id)
    }

    /// Merges scenes into the first, which gets their files: no hook fires, and the sources are
    /// gone.
    pub fn merge_scenes(&self, into: u64, sources: &[u64]) {
        let mut store = self.store();
        for source in sources {
            let Some(gone) = store.scenes.remove(source) else {
                continue;
            };
            if let Some(target) = store.scenes.get_mut(&into) {
                target.files.extend(gone.files);
            }
        }
        store.touch(into);
    }

    /// A copy of a scene.
    pub fn scene(&self, id: u64) -> Option<Scene> {
        self.store().scenes.get(&id).cloned()
    }

    /// Copies of all scenes, in order of their ids.
    pub fn scenes(&self) -> Vec<Scene> {
        self.store().scenes.values().cloned().collect()
    }

    /// Edits a scene; each setter is one saved edit and moves `updated_at`.
    pub fn edit(&self, id: u64) -> SceneEdit<'_> {
        SceneEdit::new(self, id)
    }

    /// Any change of a scene that leaves `updated_at` as it is, as renaming a file does.
    pub fn change_silently(&self, id: u64, change: impl FnOnce(&mut Scene)) {
        if let Some(scene) = self.store().scenes.get_mut(&id) {
            change(scene);
        }
    }

    /// The id of a performer, tag, studio or group of that name, made if there is none.
    pub fn named(&self, kind: EntityKind, name: &str) -> u64 {
        self.store().named(kind, name)
    }

    /// The name of a performer, tag, studio or group.
    pub fn name_of(&self, kind: EntityKind, id: u64) -> String {
        self.store().name_of(kind, id).to_owned()
    }

    /// Renames one; no scene's `updated_at` moves, and no scene hook fires.
    pub fn rename(&self, kind: EntityKind, id: u64, name: &str) {
        self.change_entity(kind, id, |entity| name.clone_into(&mut entity.name));
    }

    /// Any other change of a performer, tag, studio or group.
    pub fn change_entity(&self, kind: EntityKind, id: u64, change: impl FnOnce(&mut Entity)) {
        let mut store = self.store();
        let now = store.now();
        if let Some(entity) = store.entities.get_mut(&(kind, id)) {
            change(entity);
            entity.updated = now;
        }
    }

    /// Deletes one; it is gone from all scenes.
    pub fn destroy(&self, kind: EntityKind, id: u64) {
        self.store().replace(kind, id, None);
    }

    /// Merges some into another of their kind (Stash can do so with tags and performers).
    pub fn merge(&self, kind: EntityKind, sources: &[u64], destination: u64) {
        let mut store = self.store();
        for source in sources {
            store.replace(kind, *source, Some(destination));
        }
    }

    /// Ids of the scenes that bear a performer, tag, studio or group.
    pub fn scenes_with(&self, kind: EntityKind, id: u64) -> Vec<u64> {
        self.store().scenes_with(kind, id)
    }

    /// What Stash writes to the plugin's stdin for a hook: one line, no newline at its end.
    pub fn hook_stdin(&self, trigger: &Trigger<'_>) -> String {
        self.store().hook_document(self.port(), trigger).to_string()
    }

    /// What Stash writes to the plugin's stdin for a task or operation with these arguments.
    pub fn task_stdin(&self, args: Value) -> String {
        self.store().document(self.port(), args).to_string()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }
}

impl Deref for StashServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
