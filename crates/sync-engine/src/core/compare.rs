//! What a comparison found that writes nothing: counts, and the first scenes with what would
//! change.

use std::collections::{BTreeMap, BTreeSet};

use scene_sync::{EditPlan, Rating, TagEdit};
use serde::Serialize;

/// So many scenes are listed.
const LISTED: usize = 20;
/// Longest value shown, in characters.
const SHOWN: usize = 60;
/// Most names of a list that are shown.
const NAMES: usize = 5;

/// What would change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Change {
    /// A text or the rating: empty where there is none.
    Value {
        /// Which.
        field: String,
        /// What Plex has.
        from: String,
        /// What it would get.
        to: String,
    },
    /// A list.
    List {
        /// Which.
        field: String,
        /// What Plex lacks.
        add: Names,
        /// What it would lose.
        remove: Names,
    },
    /// The cover of the scene.
    Picture {
        /// As what.
        field: String,
    },
}

/// Some names, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Names {
    /// The first ones.
    pub first: Vec<String>,
    /// How many follow.
    pub more: usize,
}

impl Names {
    fn of(names: &[String]) -> Self {
        Self {
            first: names.iter().take(NAMES).map(|name| short(name)).collect(),
            more: names.len().saturating_sub(NAMES),
        }
    }
}

impl Change {
    /// The name of the field.
    pub fn field(&self) -> &str {
        match self {
            Self::Value { field, .. } | Self::List { field, .. } | Self::Picture { field } => field,
        }
    }

    /// What a plan would change.
    pub fn of(plan: &EditPlan) -> Vec<Self> {
        let fields = plan.fields.iter().map(|edit| Self::Value {
            field: edit.field.to_string(),
            from: short(&edit.from),
            to: short(&edit.to),
        });
        let list = |edit: &TagEdit| Self::List {
            field: edit.kind.to_string(),
            add: Names::of(&edit.add),
            remove: Names::of(&edit.remove),
        };
        let lists = plan.tags.iter().map(list);
        let stars = |rating: Option<Rating>| rating.map_or_else(String::new, |one| one.to_string());
        let rating = plan.rating.iter().map(|edit| Self::Value {
            field: "rating".to_owned(),
            from: stars(edit.from),
            to: stars(edit.to),
        });
        let pictures = [(plan.poster, "poster"), (plan.background, "background")];
        let pictures = pictures.into_iter().filter(|(planned, _)| *planned);
        let pictures = pictures.map(|(_, field)| Self::Picture {
            field: field.to_owned(),
        });
        fields.chain(lists).chain(rating).chain(pictures).collect()
    }
}

/// Where a scene stands beside Plex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its items, those of them that would change with what would.
    Found(Vec<(String, Vec<Change>)>),
    /// Its items show other scenes, which hold a file of them too.
    OfOthers,
    /// It has no metadata yet, and is left alone.
    Bare,
    /// No item of Plex holds a file of it.
    NotInPlex,
    /// Several items may be meant.
    Ambiguous,
    /// It has no file.
    WithoutFile,
    /// It could not be compared, for this reason.
    Unknown(String),
}

/// A scene that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its id in Stash.
    pub scene: u64,
    /// Its title.
    pub title: String,
    /// How it stands.
    pub standing: Standing,
    /// It has a cover of which nobody knows whether Plex shows it.
    pub cover_unknown: bool,
    /// The path map rule that it speaks for.
    pub hint: Option<String>,
}

/// A scene that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its id in Stash.
    pub scene: u64,
    /// Its title.
    pub title: String,
    /// The item in Plex.
    pub item: String,
    /// What would change.
    pub changes: Vec<Change>,
}

/// What all scenes brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Scenes looked at.
    pub compared: u64,
    /// Those that would be written.
    pub would_change: u64,
    /// Those that Plex shows as they are.
    pub equal: u64,
    /// In how many scenes each field would change.
    pub fields: BTreeMap<String, u64>,
    /// See [`Standing`].
    pub not_in_plex: u64,
    /// See [`Standing`].
    pub ambiguous: u64,
    /// See [`Standing`].
    pub without_metadata: u64,
    /// See [`Standing`].
    pub without_file: u64,
    /// See [`Standing`].
    pub shown_as_others: u64,
    /// See [`Standing`].
    pub unknown: u64,
    /// Why the first of them could not be compared.
    pub first_unknown: Option<String>,
    /// Scenes whose cover was not compared.
    pub covers_unknown: u64,
    /// Path map rules that scenes speak for, with how many do.
    #[serde(skip)]
    pub hints: BTreeMap<String, u64>,
    /// The first scenes that would be written.
    pub scenes: Vec<Listed>,
    /// The first scenes that were not found in Plex.
    pub missing: Vec<u64>,
    /// An item that could not be read, which may be one that was not found.
    pub unread: Option<String>,
    /// The first scenes for which several items may be meant.
    pub several: Vec<u64>,
    /// The first scenes without a file.
    pub fileless: Vec<u64>,
}

impl Report {
    /// Takes in one scene.
    pub fn add(&mut self, one: Compared) {
        self.compared += 1;
        let found = matches!(one.standing, Standing::Found(_));
        self.covers_unknown += u64::from(one.cover_unknown && found);
        if let Some(rule) = one.hint {
            *self.hints.entry(rule).or_default() += 1;
        }
        match one.standing {
            Standing::Found(items) if items.iter().all(|(_, changes)| changes.is_empty()) => {
                self.equal += 1;
            }
            Standing::Found(items) => {
                self.would_change += 1;
                let fields = items.iter().flat_map(|(_, changes)| changes);
                for field in fields.map(Change::field).collect::<BTreeSet<_>>() {
                    *self.fields.entry(field.to_owned()).or_default() += 1;
                }
                let changed = items.into_iter().filter(|(_, changes)| !changes.is_empty());
                self.scenes.extend(changed.map(|(item, changes)| Listed {
                    scene: one.scene,
                    title: short(&one.title),
                    item,
                    changes,
                }));
                self.scenes.truncate(LISTED);
            }
            Standing::OfOthers => self.shown_as_others += 1,
            Standing::Bare => self.without_metadata += 1,
            Standing::NotInPlex => {
                self.not_in_plex += 1;
                list(&mut self.missing, one.scene);
            }
            Standing::Ambiguous => {
                self.ambiguous += 1;
                list(&mut self.several, one.scene);
            }
            Standing::WithoutFile => {
                self.without_file += 1;
                list(&mut self.fileless, one.scene);
            }
            Standing::Unknown(why) => {
                self.unknown += 1;
                let which = || format!("scene {}: {why}", one.scene);
                self.first_unknown.get_or_insert_with(which);
            }
        }
    }
}

fn list(first: &mut Vec<u64>, scene: u64) {
    if first.len() < LISTED {
        first.push(scene);
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scene: u64, fields: &[&str]) -> Compared {
        let changes = fields.iter().map(|field| Change::Value {
            field: (*field).to_owned(),
            from: String::new(),
            to: "new".to_owned(),
        });
        Compared {
            scene,
            title: "t".repeat(100),
            standing: Standing::Found(vec![("7".to_owned(), changes.collect())]),
            cover_unknown: scene < 3,
            hint: None,
        }
    }

    #[test]
    fn each_scene_counts_once_and_the_first_are_listed() {
        let mut report = Report::default();
        report.add(found(1, &[]));
        for scene in 2..40 {
            report.add(found(scene, &["title"]));
        }
        let mut two_items = found(40, &["title", "summary"]);
        if let Standing::Found(items) = &mut two_items.standing {
            items.push(items[0].clone());
        }
        report.add(two_items);
        for standing in [
            Standing::OfOthers,
            Standing::Bare,
            Standing::NotInPlex,
            Standing::Ambiguous,
            Standing::WithoutFile,
            Standing::Unknown("why".to_owned()),
            Standing::Unknown("other".to_owned()),
        ] {
            report.add(Compared {
                standing,
                cover_unknown: true,
                hint: Some("/a=>/b".to_owned()),
                ..found(50, &[])
            });
        }
        for named in [&report.missing, &report.several, &report.fileless] {
            assert_eq!(named, &[50]);
        }
        assert_eq!(
            (report.compared, report.equal, report.would_change),
            (47, 1, 39)
        );
        let others = [
            report.shown_as_others,
            report.without_metadata,
            report.not_in_plex,
            report.ambiguous,
            report.without_file,
        ];
        assert_eq!(others, [1; 5]);
        assert_eq!(
            (report.unknown, report.first_unknown.as_deref()),
            (2, Some("scene 50: why"))
        );
        assert_eq!((report.covers_unknown, report.hints["/a=>/b"]), (2, 7));
        let fields: Vec<_> = report
            .fields
            .iter()
            .map(|(name, n)| (name.as_str(), *n))
            .collect();
        assert_eq!(fields, [("summary", 1), ("title", 39)]);
        assert_eq!(report.scenes.len(), 20);
        assert_eq!(report.scenes[0].scene, 2);
        assert_eq!(report.scenes[0].title.chars().count(), 61);
    }

    #[test]
    fn long_values_and_lists_are_cut() {
        let names: Vec<_> = (0..12).map(|n| format!("{n}")).collect();
        let plan = EditPlan {
            fields: vec![scene_sync::FieldEdit {
                field: scene_sync::Field::Summary,
                from: "é".repeat(61),
                to: String::new(),
                ours: false,
            }],
            tags: vec![TagEdit {
                kind: scene_sync::TagKind::Genre,
                target: Vec::new(),
                add: names,
                remove: vec!["x".to_owned()],
            }],
            rating: Some(scene_sync::RatingEdit {
                from: None,
                to: Some(Rating::from_plex(8.0)),
                ours: false,
            }),
            poster: true,
            ..EditPlan::default()
        };
        let changes = Change::of(&plan);
        let fields: Vec<_> = changes.iter().map(Change::field).collect();
        assert_eq!(fields, ["summary", "genre", "rating", "poster"]);
        let text = serde_json::to_value(&changes).unwrap();
        assert_eq!(text[0]["from"], format!("{}…", "é".repeat(60)));
        assert_eq!(text[1]["add"]["first"].as_array().unwrap().len(), 5);
        assert_eq!(text[1]["add"]["more"], 7);
        assert_eq!(
            (&text[2]["from"], &text[2]["to"]),
            (&"".into(), &"8".into())
        );
    }
}
