//! Which fields does this release of Stash know?

use std::collections::BTreeSet;

use serde::Deserialize;

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

#[derive(Deserialize)]
pub(super) struct Types {
    scene: Option<Type>,
    performer: Option<Type>,
    filter: Option<Type>,
}

#[derive(Deserialize)]
struct Type {
    #[serde(default, alias = "inputFields")]
    fields: Option<Vec<Field>>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
}

impl Schema {
    pub(super) async fn probe(client: &Client) -> Result<Self, Error> {
        let types: Types = match client.query(PROBE, ()).await {
            Ok(types) => types,
            // A server that forbids introspection is taken for a current one.
            Err(Error::Query { .. } | Error::Resolver { .. }) => return Ok(Self::current()),
            Err(error) => return Err(error),
        };
        Ok(Self::from_types(types))
    }

    fn current() -> Self {
        Self::from_types(Types {
            scene: None,
            performer: None,
            filter: None,
        })
    }

    pub(super) fn from_types(types: Types) -> Self {
        let scene = names(types.scene);
        let performer = names(types.performer);
        let filter = names(types.filter);
        // Where nothing is known, everything current is assumed.
        let has = |known: &BTreeSet<_>, field: &str| known.is_empty() || known.contains(field);
        let disambiguation = if has(&performer, "disambiguation") {
            "disambiguation"
        } else {
            ""
        };
        let mut selection = format!(
            "id title details date organized created_at updated_at \
             files {{ path basename size duration }} \
             studio {{ id name parent_studio {{ id name }} }} \
             performers {{ id name image_path {disambiguation} }} tags {{ id name }} paths {{ screenshot }}",
        );
        let either = [
            ("rating100", " rating100", "", ""),
            ("urls", " urls", "url", " url"),
            (
                "groups",
                " groups { group { id name } }",
                "movies",
                " movies { movie { id name } }",
            ),
            ("code", " code", "", ""),
            ("director", " director", "", ""),
        ];
        for (new, new_part, old, old_part) in either {
            if has(&scene, new) {
                selection.push_str(new_part);
            } else if has(&scene, old) {
                selection.push_str(old_part);
            }
        }
        Self {
            selection,
            group_filter: if filter.contains("movies") && !filter.contains("groups") {
                "movies"
            } else {
                "groups"
            },
        }
    }
}

fn names(found: Option<Type>) -> BTreeSet<String> {
    found
        .and_then(|found| found.fields)
        .into_iter()
        .flatten()
        .map(|field| field.name)
        .collect()
}
