//! Which scenes are asked for?

use serde_json::{Value, json};

use super::SceneId;
use super::schema::Schema;
use crate::timestamp;

/// Which scenes a listing holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneFilter {
    /// All of them.
    All,
    /// Those changed at or after a time, in seconds since 1970.
    UpdatedSince(i64),
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
    /// The variables of a query for the first `size` scenes after one, in the order of their ids.
    pub(super) fn page(self, schema: &Schema, after: Option<SceneId>, size: u32) -> Value {
        let mut filter = self.criterion(schema);
        if let Some(after) = after {
            filter["id"] = json!({"value": after.0, "modifier": "GREATER_THAN"});
        }
        let page = json!({"page": 1, "per_page": size, "sort": "id", "direction": "ASC"});
        json!({ "filter": page, "scene_filter": filter })
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
            Self::Performer(id) => json!({"performers": with(id)}),
            Self::Tag(id) => json!({"tags": exactly(id)}),
            Self::Studio(id) => json!({"studios": exactly(id)}),
            Self::Group(id) => json!({schema.group_filter: with(id)}),
        }
    }

    /// Whether a scene of which Stash gives this time of its last change is meant.
    pub(super) fn admits(self, updated_at: Option<&str>) -> bool {
        let updated_at = || updated_at.and_then(timestamp::parse).unwrap_or_default();
        !matches!(self, Self::UpdatedSince(at) if updated_at() < at)
    }
}
