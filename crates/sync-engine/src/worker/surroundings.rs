//! What a worker looks at now and then beside its queue: the file of Stash's settings, its own
//! program, its data folder, and the connection to Stash that a hook may have left.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::SystemTime;

use stash::client::{Client, Endpoint};
use stash::connection::ServerConnection;

use crate::clients::tls;
use crate::daemon::lock::WorkerLock;
use crate::daemon::program::Program;
use crate::storage::connection;
use crate::storage::data_dir::DataDir;
use crate::storage::standstill::{SettingsFile, Stamp, Standstill};

/// One worker's surroundings.
pub struct Surroundings<'a> {
    dir: &'a DataDir,
    lock: &'a WorkerLock,
    pub(super) program: &'a Program,
    stash: Client,
    connection: RefCell<ServerConnection>,
    /// When the connection was left that was looked at last. One that was there when this worker
    /// was started is older than its own.
    pub(super) seen: Cell<Option<SystemTime>>,
    /// Known once Stash has told where it is.
    settings: RefCell<SettingsFile>,
}

impl<'a> Surroundings<'a> {
    /// Of a worker that Stash started with this connection.
    ///
    /// # Errors
    /// The connection leads nowhere.
    pub fn new(
        dir: &'a DataDir,
        lock: &'a WorkerLock,
        program: &'a Program,
        connection: ServerConnection,
    ) -> Result<Self, stash::client::Error> {
        Ok(Self {
            dir,
            lock,
            program,
            stash: Client::new(tls::client_builder(), &Endpoint::of_plugin(&connection)?)?,
            connection: RefCell::new(connection),
            seen: Cell::new(connection::left_at(dir)),
            settings: RefCell::default(),
        })
    }

    /// The client of Stash, whose connection may be exchanged.
    pub fn stash(&self) -> &Client {
        &self.stash
    }

    /// The connection in use.
    pub fn connection(&self) -> ServerConnection {
        self.connection.borrow().clone()
    }

    /// Takes the newest connection that was left since, if it is another one than that in use;
    /// whether it did.
    pub fn renew(&self) -> bool {
        let left = connection::left_at(self.dir);
        if left.is_none() || self.seen.replace(left) == left {
            return false;
        }
        let newest =
            connection::read(self.dir).filter(|newest| *newest != *self.connection.borrow());
        let Some(newest) = newest else { return false };
        let Ok(endpoint) = Endpoint::of_plugin(&newest) else {
            return false;
        };
        let renewed = self.stash.reconnect(tls::client_builder(), &endpoint);
        if renewed.is_ok() {
            self.connection.replace(newest);
        }
        renewed.is_ok()
    }

    /// Goes on with the session of the connection in use, where an API key is refused: it was made
    /// anew, and the settings tell the new one. Whether there was a key.
    pub fn leave_api_key(&self) -> bool {
        let endpoint = Endpoint::of_plugin(&self.connection.borrow());
        self.stash.uses_api_key()
            && endpoint.is_ok_and(|endpoint| {
                let again = self.stash.reconnect(tls::client_builder(), &endpoint);
                again.is_ok()
            })
    }

    /// Asks Stash where its settings are, if that is not known, and remembers how the file is now:
    /// what is read afterwards is no older.
    pub async fn watch_settings(&self) {
        let mut settings = self.settings();
        if settings.path.is_none()
            && let Ok(Some(path)) = self.stash.config_path().await
        {
            settings.path = Some(path.into());
        }
        settings.stamp = settings.path.as_deref().and_then(Stamp::of);
        self.settings.replace(settings);
    }

    /// The settings' file as it was before they were read.
    pub fn settings(&self) -> SettingsFile {
        self.settings.borrow().clone()
    }

    /// Leaves word of why nothing can be done with the settings as they are. Where Stash has not
    /// told which file they are in, nobody could tell when they change, and each save is better off
    /// with a worker of its own.
    pub fn stand_still(&self, why: String) {
        let settings = self.settings();
        if settings.path.is_some() {
            Standstill::new(why, settings).leave(self.dir);
        }
    }

    /// Whether the files that this worker works on are no longer those of the data folder.
    pub fn removed(&self, database: &Path) -> bool {
        !self.lock.guards(&self.dir.worker_lock()) || !database.exists()
    }
}
