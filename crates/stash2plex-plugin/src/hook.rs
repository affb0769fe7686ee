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

/// The job a hook starts; `None` when nothing Plex shows can have changed.
pub fn job_for(hook: &HookContext) -> Option<Job> {
    let Trigger::Known(entity, operation) = &hook.trigger else {
        return None;
    };
    let id = hook.id?;
    let fields = &hook.input_fields;
    match (entity, operation) {
        // No input: a scan. The metadata did not change, the file did.
        (Entity::Scene, Operation::Create) => Some(Job::Scanned { id }),
        (Entity::Scene, Operation::Update) if hook.raw_input.is_none() => Some(Job::Scanned { id }),
        (Entity::Scene, Operation::Update) => {
            let only_played = !fields.is_empty() && only(fields, &PLAY_STATE);
            (!only_played).then_some(Job::Scene { id, force: false })
        }
        // The scene's own job finds it gone and drops its ledger row; a waiting one is replaced by it.
        (Entity::Scene, Operation::Destroy) => Some(Job::Scene { id, force: false }),
        (_, Operation::Create) => None,
        (entity, operation) => {
            let of = match entity {
                Entity::Performer => Related::Performer,
                Entity::Studio => Related::Studio,
                Entity::Tag => Related::Tag,
                Entity::Group => Related::Group,
                _ => return None,
            };
            let unseen = *operation == Operation::Update
                && !fields.is_empty()
                && !fields.iter().any(|field| SHOWN.contains(&field.as_str()));
            (!unseen).then_some(Job::FanOut { of, id })
        }
    }
}

fn only(fields: &[String], known: &[&str]) -> bool {
    fields.iter().all(|field| known.contains(&field.as_str()))
}
