//! What a hook means: which jobs it starts, if any. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use stash::protocol::{Entity, HookContext, Operation, Trigger};

use sync_engine::core::change::{Change, Edit};
use sync_engine::core::job::{Job, Related};

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
    "Stash says that a {0} changed and gives no id that can be read, so the change was not recorded: save it again. If it happens again, please report it with the version of Stash"
)]
pub struct NoId(&'static str);

/// What becomes of an id.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Scene,
    Scanned,
    FanOut(Related),
}

impl Kind {
    fn job(self, id: u64) -> Job {
        match self {
            // A deleted scene's own job finds it gone and drops its row; a waiting one is replaced
            // by it.
            Self::Scene => Job::Scene { id, force: false },
            Self::Scanned => Job::Scanned { id },
            Self::FanOut(of) => Job::FanOut { of, id },
        }
    }
}

/// What a hook starts; `None` when nothing Plex shows can have changed.
///
/// # Errors
/// The hook would start a job, and its id is missing or cannot be read.
pub fn change(hook: &HookContext) -> Result<Option<Change>, NoId> {
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
    let among = |known: &'static [&str]| move |field: &String| known.contains(&field.as_str());
    let unseen = match (of, operation) {
        (None, Operation::Update) => !fields.is_empty() && fields.iter().all(among(&PLAY_STATE)),
        (None, Operation::Create | Operation::Destroy) => false,
        (None, _) | (Some(_), Operation::Create) => true,
        (Some(_), Operation::Update) => !fields.is_empty() && !fields.iter().any(among(&SHOWN)),
        (Some(_), _) => false,
    };
    if unseen {
        return Ok(None);
    }
    let no_id = || NoId(of.map_or("scene", Related::word));
    let id = hook.id.ok_or_else(no_id)?;
    let kind = match (of, operation) {
        (Some(of), _) => Kind::FanOut(of),
        // No input: a scan. The metadata did not change, the file did.
        (None, Operation::Create) => Kind::Scanned,
        (None, Operation::Update) if hook.raw_input().is_none() => Kind::Scanned,
        (None, _) => Kind::Scene,
    };
    let edit = hook.lists_several().then(|| {
        let hook = hook.clone();
        Edit {
            print: print(&hook),
            jobs: Box::new(move || hook.edited().into_iter().map(|id| kind.job(id)).collect()),
        }
    });
    let job = kind.job(id);
    Ok(Some(Change { id, job, edit }))
}

/// The input of a destruction also tells of the one object that the hook is about.
fn print(hook: &HookContext) -> u64 {
    let mut hasher = DefaultHasher::new();
    match hook.trigger {
        Trigger::Known(_, Operation::Update) => hook.raw_input().hash(&mut hasher),
        _ => hook.edited().hash(&mut hasher),
    }
    if let Trigger::Known(entity, operation) = hook.trigger {
        (entity as u8, operation as u8).hash(&mut hasher);
    }
    hasher.finish()
}
