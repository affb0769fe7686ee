//! Which scenes are asked for?

use serde_json::{Value, json};

use super::schema::Schema;
use super::{SceneId, SceneStamp};
use crate::timestamp;

/// Which scenes a listing holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneFilter {
    /// All of them.
    All,
    /// Those changed at or after a time, in seconds since 1970.
    UpdatedSince(i64),
    /// Those created at or after a time, in seconds since 1970.
    CreatedSince(i64),
    /// Those with this performer, by id.
    Performer(u64),
    /// Those with this tag itself, not its children.
    Tag(u64),
    /// Those of this studio itself, not its children.
    Studio(u64),
    /// Those in this group (movie before Stash 0.27).
    Group(u64),
}

/// Stash compares times as text in the offset they were written in, which is off by up to 14 hours.
/// So Stash is asked for a day more, and the times are compared here.
const TEXT_MARGIN: i64 = 24 * 3600;

impl SceneFilter {
    /// The filter in Stash's words, of the scenes after one in the order of their ids.
    pub(super) fn to_json(self, schema: &Schema, after: Option<SceneId>) -> Value {
        let mut filter = self.criterion(schema);
        if let Some(after) = after {
            filter["id"] = json!({"value": after.0, "modifier": "GREATER_THAN"});
        }
        filter
    }

    fn criterion(self, schema: &Schema) -> Value {
        let since = |at: i64| {
            let value = timestamp::format(at.saturating_sub(TEXT_MARGIN).max(0));
            json!({"value": value, "modifier": "GREATER_THAN"})
        };
        let with = |id: u64| json!({"value": [id.to_string()], "modifier": "INCLUDES"});
        let exactly =
            |id: u64| json!({"value": [id.to_string()], "modifier": "INCLUDES", "depth": 0});
        match self {
            Self::All => Value::Null,
            Self::UpdatedSince(at) => json!({"updated_at": since(at)}),
            Self::CreatedSince(at) => json!({"created_at": since(at)}),
            Self::Performer(id) => json!({"performers": with(id)}),
            Self::Tag(id) => json!({"tags": exactly(id)}),
            Self::Studio(id) => json!({"studios": exactly(id)}),
            Self::Group(id) => json!({schema.group_filter: with(id)}),
        }
    }

    pub(super) fn admits(self, stamp: SceneStamp) -> bool {
        match self {
            Self::UpdatedSince(at) => stamp.updated_at >= at,
            Self::CreatedSince(at) => stamp.created_at >= at,
            _ => true,
        }
    }
}
