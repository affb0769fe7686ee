//! A web page with packages.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::{Fault, Handler, Request, Response, Server};

/// Files over HTTP, as a page that is published has them; faults and the log of requests are those
/// of [`Server`].
#[derive(Clone)]
pub struct PackageSource {
    server: Server,
    files: Files,
}

#[derive(Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl PackageSource {
    /// One without files.
    ///
    /// # Errors
    /// There is no port.
    pub fn start() -> io::Result<Self> {
        let files = Files::default();
        let server = Server::start(Duration::from_secs(60), Box::new(files.clone()))?;
        Ok(Self { server, files })
    }

    /// Publishes a file, in the place of one of that name.
    pub fn publish(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.files.all().insert(name.to_owned(), bytes.into());
    }

    /// The address that a person pastes into Stash.
    pub fn index(&self) -> String {
        format!("{}/plugins/index.yml", self.server.url())
    }
}

impl Deref for PackageSource {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Files {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Files {
    fn answer(&self, request: &Request) -> Response {
        let name = request.path.strip_prefix("/plugins/").unwrap_or_default();
        match self.all().get(name) {
            Some(bytes) => Response::new(200, "application/octet-stream", bytes.clone()),
            None => Response::new(404, "text/plain", ""),
        }
    }

    fn failure(&self, fault: &Fault, _: &Request) -> Option<Response> {
        match fault {
            Fault::Status(status) => Some(Response::new(*status, "text/plain", "")),
            _ => None,
        }
    }
}
