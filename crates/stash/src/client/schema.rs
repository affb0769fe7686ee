//! Which fields does this release of Stash know?

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Client, Error};

const PROBE: &str = r#"query Probe {
  scene: __type(name: "Scene") { fields { name } }
  performer: __type(name: "Performer") { fields { name } }
  filter: __type(name: "SceneFilterType") { inputFields { name } }
}"#;

/// What this Stash has of the fields that came or went with releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema {
    /// The fields of a scene to ask for.
    pub selection: String,
    /// The scene filter by group: `groups` since 0.27, `movies` before.
    pub group_filter: &'static str,
}

impl Schema {
    pub(super) async fn probe(client: &Client) -> Result<Self, Error> {
        let types = match client.query(PROBE, ()).await {
            Ok(types) => types,
            // A server that forbids introspection is taken for a current one.
            Err(Error::Query { .. } | Error::Resolver { .. }) => Value::Null,
            Err(error) => return Err(error),
        };
        Ok(Self::from_types(&types))
    }

    pub(super) fn from_types(types: &Value) -> Self {
        let [scene, performer, filter] =
            ["scene", "performer", "filter"].map(|kind| names(types, kind));
        // Where nothing is known, everything current is assumed.
        let has = |known: &BTreeSet<_>, field: &str| known.is_empty() || known.contains(field);
        let disambiguation = match has(&performer, "disambiguation") {
            true => "disambiguation",
            false => "",
        };
        let mut selection = format!(
            "id title details date organized created_at updated_at \
             files {{ path basename size duration }} \
             studio {{ id name parent_studio {{ id name }} }} \
             performers {{ id name image_path {disambiguation} }} tags {{ id name }} paths {{ screenshot }}",
        );
        // The first one of each line that is there.
        for either in [
            "rating100",
            "urls|url",
            "groups { group { id name } }|movies { movie { id name } }",
            "code",
            "director",
        ] {
            let is_known = |part: &&str| has(&scene, part.split(' ').next().unwrap_or_default());
            if let Some(part) = either.split('|').find(is_known) {
                selection = format!("{selection} {part}");
            }
        }
        let is_old = filter.contains("movies") && !filter.contains("groups");
        Self {
            selection,
            group_filter: if is_old { "movies" } else { "groups" },
        }
    }
}

/// The names of the fields of a type; none where they are not known.
fn names<'a>(types: &'a Value, of: &str) -> BTreeSet<&'a str> {
    let fields = ["fields", "inputFields"].map(|fields| types[of][fields].as_array());
    let fields = fields.into_iter().flatten().flatten();
    fields.filter_map(|field| field["name"].as_str()).collect()
}
