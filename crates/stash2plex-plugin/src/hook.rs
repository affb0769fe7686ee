//! What a hook means: which job it starts, if any. Pure.

use stash::protocol::{Entity, HookContext, Operation, Trigger};

use crate::job::{Job, Related};

/// Input fields that say how a scene was played, not what it is; the first three name the object.
const PLAY_STATE: [&str; 8] = [
    "id",
    "ids",
    "clientMutationId",
    "o_counter",
    "resume_time",
    "play_duration",
    "play_count",
    "last_played_at",
];

/// Input fields of a performer, studio, tag or group that show in a scene's metadata.
const SHOWN: [&str; 4] = ["name", "disambiguation", "parent_id", "parent_studio_id"];

/// A hook that does not say what it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Stash says that a {0} changed and gives no id that can be read, so the change was not recorded: save it again, or run the \
     task Reconcile All Scenes. If it happens again, please report it with the version of Stash"
)]
pub struct NoId(&'static str);

/// The job a hook starts; `None` when nothing Plex shows can have changed.
///
/// # Errors
/// The hook would start a job, and its id is missing or cannot be read.
pub fn job_for(hook: &HookContext) -> Result<Option<Job>, NoId> {
    let Trigger::Known(entity, operation) = &hook.trigger else {
        return Ok(None);
    };
    let of = match entity {
        Entity::Scene => None,
        Entity::Performer => Some(Related::Performer),
        Entity::Studio => Some(Related::Studio),
        Entity::Tag => Some(Related::Tag),
        Entity::Group => Some(Related::Group),
        _ => return Ok(None),
    };
    let fields = &hook.input_fields;
    let unseen = match (of, operation) {
        (None, Operation::Update) => !fields.is_empty() && only(fields, &PLAY_STATE),
        (None, Operation::Create | Operation::Destroy) => false,
        (None, _) | (Some(_), Operation::Create) => true,
        (Some(_), Operation::Update) => {
            !fields.is_empty() && !fields.iter().any(|field| SHOWN.contains(&field.as_str()))
        }
        (Some(_), _) => false,
    };
    if unseen {
        return Ok(None);
    }
    let Some(id) = hook.id else {
        return Err(NoId(of.map_or("scene", Related::word)));
    };
    Ok(Some(match (of, operation) {
        (Some(of), _) => Job::FanOut { of, id },
        // No input: a scan. The metadata did not change, the file did.
        (None, Operation::Create) => Job::Scanned { id },
        (None, Operation::Update) if hook.raw_input.is_none() => Job::Scanned { id },
        // A deleted scene's own job finds it gone and drops its row; a waiting one is replaced by it.
        (None, _) => Job::Scene { id, force: false },
    }))
}

fn only(fields: &[String], known: &[&str]) -> bool {
    fields.iter().all(|field| known.contains(&field.as_str()))
}
