//! A scene's job up to its plans, which are told of and not carried out.

use crate::core::compare::{Change, Compared, Standing};
use crate::core::outcome::{Done, Failure, SceneFault, Whose};
use crate::core::time::Time;
use crate::storage::db::Db;
use crate::storage::ledger::ServerId;
use crate::sync::hand::{Hand, Taken};
use crate::sync::scene::SceneJob;
use crate::sync::stopped::Stopped;
use crate::sync::syncer::Syncer;

impl Syncer {
    /// What a sync of the scene would write, as one that a person asks for: looked at whatever is
    /// on record. `taken` are the items that other scenes would have taken before.
    ///
    /// # Errors
    /// Nothing can be compared; what is wrong with the scene alone is told of it.
    pub async fn compare<'a, T: Time>(
        &'a self,
        (db, server): (&'a Db<'_>, ServerId),
        scene: &stash::client::Scene,
        taken: &'a Taken,
        time: &'a T,
    ) -> Result<Compared, Stopped> {
        let hand = Hand::Compares(taken);
        let mut job = SceneJob::new(self, (db, server), scene, true, time, hand);
        let standing = match job.run().await {
            Ok(Done::Synced(_)) => {
                let change = |(item, plan)| (item, Change::of(&plan));
                Standing::Found(job.planned.into_iter().map(change).collect())
            }
            Ok(Done::Skipped(_)) if !job.record.waits.is_empty() => Standing::OfOthers,
            Ok(Done::Skipped(_) | Done::GoneFromStash) => Standing::Bare,
            Err(Stopped::Failed(why)) => of(why)?,
            Err(why) => return Err(why),
        };
        Ok(Compared {
            scene: scene.id.0,
            title: std::mem::take(&mut job.scene.title),
            standing,
            cover_unknown: job.cover_unknown,
            hint: job.record.hint.take(),
        })
    }
}

/// A failure that is the scene's own, or may be.
fn of(why: Failure) -> Result<Standing, Failure> {
    Ok(match why.whose {
        Whose::Scene(SceneFault::NotInPlex) => Standing::NotInPlex,
        Whose::Scene(SceneFault::Ambiguous) => Standing::Ambiguous,
        Whose::Scene(SceneFault::Invalid) => Standing::WithoutFile,
        Whose::Scene(SceneFault::Rejected | SceneFault::Unreadable | SceneFault::Misread)
        | Whose::Doubtful(_)
        | Whose::Request(_) => Standing::Unknown(why.why),
        Whose::Plex(_) | Whose::Stash => return Err(why),
    })
}
