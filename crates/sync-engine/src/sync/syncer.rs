//! Both servers, and how to carry a scene from one to the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use plex::SectionId;
use scene_sync::matching::Likeness;
use scene_sync::{PathMap, Policy};
use stash::client::{self, FoundScenes, SceneFilter, SceneId};

use crate::core::client_errors::{comes_to_nothing, is_of_part, of_owner_check};
use crate::core::obfuscate::Paths;
use crate::core::outcome::{Done, Failure, Outcome, Trouble, Whose};
use crate::core::settings::Settings;
use crate::core::words;
use crate::sync::convert;

use crate::sync::capabilities::Capabilities;
use crate::sync::cover::Covers;
use crate::sync::libraries::Libraries;
use crate::sync::library_index::Indexes;
use crate::sync::request_limits::RequestLimits;

/// The list of libraries is read again after this time.
const LIBRARIES: Duration = Duration::from_secs(600);
/// After a job that failed, one of this age is no longer trusted.
const TRUSTED: Duration = Duration::from_secs(5);

/// Both servers, and how to carry a scene from one to the other.
pub struct Syncer {
    pub(crate) stash: client::Client,
    pub(super) plex: plex::Client,
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    pub(super) map: PathMap,
    pub(super) libraries: RefCell<Option<(Instant, Rc<Libraries>)>>,
    pub(super) limits: RequestLimits,
    pub(super) indexes: Indexes,
    /// Begins with what was remembered of a server's libraries.
    pub(crate) capabilities: Capabilities,
    pub(super) covers: Covers,
    pub(super) paths: Paths,
    /// Plex takes the token for its owner's: to others it does not show the files.
    pub(super) owner_known: Cell<bool>,
}

/// How long after it was sent Plex may carry out an edit that nobody waits for any more.
pub(crate) fn late(settings: &Settings) -> Duration {
    settings.read_timeout * 2
}

impl Syncer {
    /// Built anew when the settings change.
    pub fn new(stash: client::Client, plex: plex::Client, settings: &Settings) -> Self {
        Self {
            stash,
            plex,
            settings: settings.clone(),
            policy: convert::policy(settings),
            map: convert::path_map(settings),
            libraries: RefCell::default(),
            limits: RequestLimits::new(settings.concurrency),
            indexes: Indexes::default(),
            capabilities: Capabilities::default(),
            covers: Covers::default(),
            paths: Paths {
                hidden: settings.obfuscate_paths,
            },
            owner_known: Cell::default(),
        }
    }

    /// The libraries to search. A user who looks for a missing scene may add one.
    pub(super) async fn libraries(&self) -> Result<Rc<Libraries>, Failure> {
        if let Some((read, libraries)) = self.libraries.borrow().as_ref()
            && read.elapsed() < LIBRARIES
        {
            return Ok(libraries.clone());
        }
        let sections = self.plex.sections().await?;
        let none = |why| Failure::new(Whose::Plex(Trouble::NoLibrary), why);
        let libraries =
            Rc::new(Libraries::choose(sections, &self.settings.libraries).map_err(none)?);
        let read = (Instant::now(), libraries.clone());
        self.libraries.replace(Some(read));
        Ok(libraries)
    }

    /// The same, asked for now.
    pub(super) async fn libraries_anew(&self) -> Result<Rc<Libraries>, Failure> {
        self.libraries.replace(None);
        self.libraries().await
    }

    /// A job has failed that may do well with the libraries as they are now: one may have been
    /// added, or made anew.
    pub fn doubt_libraries(&self) {
        let is_old = |(read, _): &(Instant, _)| read.elapsed() >= TRUSTED;
        if self.libraries.borrow().as_ref().is_some_and(is_old) {
            self.libraries.replace(None);
        }
    }

    /// The user's policy, but for what the items of a library cannot hold.
    pub(super) fn policy_for(&self, library: &SectionId) -> Policy {
        Policy {
            unsupported: self.capabilities.unsupported(library),
            max_list_encoded: self.capabilities.list_limit(),
            ..self.policy.clone()
        }
    }

    /// Why a file cannot be told from others, in words, with paths as they may be shown.
    pub(super) fn shown(&self, mut likeness: Likeness) -> String {
        if let Likeness::Several { candidates, .. } = &mut likeness {
            for candidate in candidates {
                candidate.path = self.paths.show(&candidate.path).into_owned();
            }
        }
        likeness.to_string()
    }

    /// The scenes with these ids, and which of the ids are gone.
    pub async fn fetch(&self, ids: &[SceneId]) -> Result<FoundScenes, client::Error> {
        self.stash.find_scenes(ids).await
    }

    /// The scenes that a filter finds.
    pub(crate) async fn ids(&self, filter: SceneFilter) -> Result<Vec<u64>, client::Error> {
        let stamps = self.stash.stamps(filter).await?;
        Ok(stamps.iter().map(|stamp| stamp.id.0).collect())
    }

    /// Whether Plex takes the token for its owner's.
    pub(crate) async fn owner_check(&self) -> Result<(), Failure> {
        let checked = self.plex.owner_check().await.or_else(of_owner_check);
        self.owner_known.set(checked.is_ok());
        checked
    }

    /// Sends a part, or says with what it is not taken. What comes to nothing is sent once more
    /// while Plex answers another question: then that is the part's own fault.
    pub(super) async fn part<R>(
        &self,
        send: impl AsyncFn() -> Result<Result<R, plex::Error>, Failure>,
    ) -> Result<Result<R, plex::Error>, Failure> {
        let sent = match send().await? {
            Err(why) if comes_to_nothing(&why) => {
                self.owner_check().await?;
                send().await?
            }
            sent => sent,
        };
        match sent {
            Err(why) if !is_of_part(&why) && !comes_to_nothing(&why) => Err(why.into()),
            sent => Ok(sent),
        }
    }

    /// Asks Plex to scan a folder, given as Stash sees it, in the libraries that hold it; with what
    /// a person must do when it cannot be asked.
    pub async fn scan<L>(&self, folder: &str) -> (Outcome<L>, Option<String>) {
        let path = self.map.map(folder);
        let shown = self.paths.show(&path);
        let scan = async {
            let libraries = self.libraries().await?;
            let mut holding = libraries.holding(&path).peekable();
            let held = holding.peek().is_some();
            for library in holding {
                let path = library.spelled(&path);
                let scanned = self.plex.scan(&library.section, &path).await;
                scanned.map_err(|error| Failure::from(error).about(&shown))?;
            }
            Ok(held)
        };
        match scan.await {
            Ok(true) => (Ok(Done::Skipped(format!("Plex scans {shown}"))), None),
            Ok(false) => {
                let why = words::not_scanned(&shown);
                (Ok(Done::Skipped(why.clone())), Some(why))
            }
            Err(why) => (Err(why), None),
        }
    }
}
