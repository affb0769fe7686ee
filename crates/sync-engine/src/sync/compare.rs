//! A comparison that writes nothing: every scene of Stash, a page at a time, as *Sync All Scenes*
//! would look at it.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use stash::client::{self, Page, Scene, SceneFilter, SceneId};

use crate::core::compare::{Compared, Report, Standing};
use crate::core::outcome::Failure;
use crate::core::time::Time;
use crate::storage::db::Db;
use crate::storage::ledger::ServerId;
use crate::sync::hand::Taken;
use crate::sync::stopped::Stopped;
use crate::sync::syncer::Syncer;

/// Scenes of a page: about a megabyte.
const PAGE: u32 = 250;
/// Scenes looked at together, as the worker does.
const TOGETHER: usize = 16;
/// So many scenes in a row that cannot be compared are no matter of the scenes.
const IN_A_ROW: u32 = 5;

impl Syncer {
    /// Compares every scene. `progress` hears how much of it is done, 0 to 1.
    ///
    /// # Errors
    /// One of the servers fails, or the database cannot be read.
    pub async fn compare_all(
        &self,
        (db, server): (&Db<'_>, ServerId),
        time: &impl Time,
        mut progress: impl FnMut(f64),
    ) -> Result<Report, Stopped> {
        let libraries = self.libraries().await?;
        // With it, a scene that Plex has costs one question.
        let (plex, chosen, now) = (&self.plex, &libraries.chosen, time.now());
        self.indexes
            .renew(plex, chosen, Duration::ZERO, now)
            .await?;
        let (mut report, taken, mut after) = (Report::default(), Taken::default(), None);
        let mut failing = 0;
        loop {
            let page = self.page(after).await?;
            let total = page.total.max(1) as f64;
            for (scene, why) in page.failed {
                report.add(unread(scene, why.to_string()));
            }
            let scenes = page.rows.iter();
            let compared = scenes.map(|scene| self.compare((db, server), scene, &taken, time));
            let mut compared = stream::iter(compared).buffered(TOGETHER);
            while let Some(one) = compared.next().await {
                let one = one?;
                failing = match &one.standing {
                    Standing::Unknown(why) if failing + 1 == IN_A_ROW => {
                        return Err(failing_all(why).into());
                    }
                    Standing::Unknown(_) => failing + 1,
                    _ => 0,
                };
                report.add(one);
                progress(report.compared as f64 / total);
            }
            after = page.next;
            if after.is_none() {
                report.unread = self.indexes.unread.any();
                return Ok(report);
            }
        }
    }

    /// The scenes after one of them.
    pub(super) async fn page(&self, after: Option<SceneId>) -> Result<Page<Scene>, client::Error> {
        self.stash.scenes_after(SceneFilter::All, after, PAGE).await
    }
}

fn unread(scene: SceneId, why: String) -> Compared {
    Compared {
        scene: scene.0,
        title: String::new(),
        standing: Standing::Unknown(why),
        cover_unknown: false,
        hint: None,
    }
}

fn failing_all(why: &str) -> Failure {
    use crate::core::outcome::{Trouble, Whose};
    let why = format!("{IN_A_ROW} scenes in a row could not be compared, the last one: {why}");
    Failure::new(Whose::Plex(Trouble::Unreachable), why)
}
