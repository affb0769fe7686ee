//! What waits in the queue: names of things to do, never their data, which are read when the job
//! runs.

use serde::{Deserialize, Serialize};

use crate::core::reconcile::Run;
use crate::core::settings::Scope;

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Job {
    /// Make the Plex item equal to the scene.
    Scene {
        /// Stash's scene id.
        id: u64,
        /// Look at Plex even when nothing changed since the last sync.
        #[serde(default)]
        force: bool,
    },
    /// A scan found or moved the scene's file.
    Scanned {
        /// Stash's scene id.
        id: u64,
    },
    /// Ask Plex to scan one folder.
    PlexScan {
        /// The folder as Stash sees it.
        folder: String,
    },
    /// Queue every scene that uses a performer, studio, tag or group.
    FanOut {
        /// What changed.
        of: Related,
        /// Its id in Stash.
        id: u64,
    },
    /// Queue all scenes, or those changed lately.
    Bulk {
        /// How far back to look.
        scope: Scope,
    },
    /// Queue the scenes that differ from what was written.
    Reconcile(Run),
}

/// What a scene can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Related {
    Performer,
    Studio,
    Tag,
    Group,
}

impl Related {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Performer, Self::Studio, Self::Tag, Self::Group];

    /// As the sync record keeps it.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The word used in keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Performer => "performer",
            Self::Studio => "studio",
            Self::Tag => "tag",
            Self::Group => "group",
        }
    }
}

impl Job {
    /// The key under which a second request for the same thing coalesces with a waiting one.
    pub fn key(&self) -> String {
        match self {
            Self::Scene { id, .. } => scene_key(*id),
            Self::Scanned { id } => format!("scanned:{id}"),
            Self::PlexScan { folder } => format!("scan:{folder}"),
            Self::FanOut { of, id } => format!("{}:{id}", of.word()),
            Self::Bulk { scope } => format!("bulk:{scope:?}").to_lowercase(),
            Self::Reconcile(run) => format!("reconcile:{:?}", run.reach).to_lowercase(),
        }
    }

    /// The one scene it is about.
    pub fn scene(&self) -> Option<u64> {
        match self {
            Self::Scene { id, .. } | Self::Scanned { id } => Some(*id),
            _ => None,
        }
    }

    /// Whether a person started it, or the timetable did: it begins with the settings as they are
    /// then.
    pub fn is_task(&self) -> bool {
        match self {
            Self::Bulk { .. } => true,
            Self::Reconcile(run) => run.began.is_none(),
            _ => false,
        }
    }

    /// Whether a person wants Plex to be equal as a whole, and not only what they save.
    pub fn asks_for_the_library(&self) -> bool {
        match self {
            Self::Bulk { scope } => *scope == Scope::All,
            Self::Reconcile(run) => !run.by_itself && run.reach.scope() == Scope::All,
            _ => false,
        }
    }

    /// What an older job and a newer one with its key are together: the newer one, but a look at
    /// Plex that was asked for is not lost.
    pub fn merge(held: Self, new: Self) -> Self {
        match (held, new) {
            (Self::Scene { force: true, .. }, Self::Scene { id, .. }) => {
                Self::Scene { id, force: true }
            }
            (_, new) => new,
        }
    }

    /// Whether the newer one would change nothing.
    pub fn covers(held: &Self, new: &Self) -> bool {
        Self::merge(held.clone(), new.clone()) == *held
    }

    /// What a person calls it; a task by its name in Stash.
    pub fn words(&self) -> String {
        let task = match self {
            Self::Scene { id, .. } | Self::Scanned { id } => return format!("scene {id}"),
            Self::PlexScan { .. } => "the scan of a folder",
            Self::FanOut { of, id } => return format!("{} {id}", of.word()),
            Self::Bulk { scope: Scope::All } => "Sync All Scenes",
            Self::Bulk { .. } => "Sync Recent Scenes",
            Self::Reconcile(run) if run.by_itself => "the automatic reconciliation",
            Self::Reconcile(run) => run.reach.task(),
        };
        task.to_owned()
    }

    /// What a person reads of a job with this payload, which may be of another version.
    pub fn words_of(payload: &str) -> String {
        let job = serde_json::from_str::<Self>(payload);
        job.map_or_else(
            |_| "a change of another version of this plugin".to_owned(),
            |job| job.words(),
        )
    }
}

/// The key of a scene's job.
pub fn scene_key(id: u64) -> String {
    format!("scene:{id}")
}

/// The scene whose job has this key.
pub fn scene_of_key(key: &str) -> Option<u64> {
    key.strip_prefix("scene:")?.parse().ok()
}
