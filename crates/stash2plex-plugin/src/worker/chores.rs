//! Jobs that only find out what else is to be done: fan-out, bulk, scans.

use std::time::{SystemTime, UNIX_EPOCH};

use stash::client::SceneId;

use crate::job::Job;
use crate::outcome::Outcome;
use crate::settings::Scope;
use crate::sync::{Synced, Syncer, stash_failed};

/// What an errand brought.
pub struct Errand {
    pub outcome: Outcome<Synced>,
    /// Scenes to queue, together with the errand's acknowledgement.
    pub scenes: Vec<u64>,
    /// Whether to look at Plex even for scenes that have not changed.
    pub force: bool,
    /// A folder Plex shall scan, if the user wants that.
    pub scan: Option<String>,
    /// Scenes that used to show something Stash no longer has are in the ledger.
    pub of: Option<(crate::job::Related, u64)>,
}

impl Errand {
    fn new(outcome: Outcome<Synced>) -> Self {
        Self {
            outcome,
            scenes: Vec::new(),
            force: false,
            scan: None,
            of: None,
        }
    }

    fn done(why: String) -> Self {
        Self::new(Outcome::Skipped(why))
    }
}

impl From<Outcome<Synced>> for Errand {
    fn from(outcome: Outcome<Synced>) -> Self {
        Self::new(outcome)
    }
}

/// Runs every job but a scene's own.
pub async fn run(syncer: &Syncer, job: Job, now: SystemTime) -> Errand {
    match job {
        Job::Scene { .. } => Errand::done(String::new()),
        Job::PlexScan { folder } => Errand::new(syncer.scan(&folder).await),
        Job::Scanned { id } => scanned(syncer, id).await,
        Job::FanOut { of, id } => match syncer.scenes_of(of, id).await {
            Err(error) => Errand::new(stash_failed(error)),
            Ok(scenes) => Errand {
                scenes,
                of: Some((of, id)),
                ..Errand::done(format!("{} {id} changed", of.word()))
            },
        },
        Job::Bulk { scope } => match syncer.scenes_since(since(scope, now)).await {
            Err(error) => Errand::new(stash_failed(error)),
            Ok(scenes) => Errand {
                scenes,
                force: true,
                ..Errand::done("bulk sync".to_owned())
            },
        },
    }
}

async fn scanned(syncer: &Syncer, id: u64) -> Errand {
    let found = match syncer.fetch(&[SceneId(id)]).await {
        Err(error) => return Errand::new(stash_failed(error)),
        Ok(found) => found,
    };
    let Some(scene) = found.scenes.first() else {
        return Errand::done("gone from Stash".to_owned());
    };
    let folder = scene.files.first().and_then(|file| {
        let end = file.path.rfind(['/', '\\'])?;
        Some(file.path.get(..end)?.to_owned())
    });
    // A scene made by hand or by an import may have metadata already; one without any is skipped then.
    Errand {
        scenes: vec![id],
        scan: folder,
        ..Errand::done("scanned".to_owned())
    }
}

fn since(scope: Scope, now: SystemTime) -> Option<i64> {
    let from = now.checked_sub(scope.reach()?)?;
    i64::try_from(from.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}
