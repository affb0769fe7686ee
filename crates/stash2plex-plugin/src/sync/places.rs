//! Which of Plex's libraries are searched. Pure.

use plex::{ItemKind, Section, SectionId};

/// A library to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub section: SectionId,
    pub kind: ItemKind,
    /// Its folders, as Plex sees them.
    pub folders: Vec<String>,
}

/// The libraries to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    pub list: Vec<Place>,
    /// What the settings name and Plex does not have, in words.
    pub missing: Option<String>,
}

impl Places {
    /// The libraries of these names, or without names all that hold videos: music and photos are never searched.
    ///
    /// # Errors
    /// There is none; the text names those that exist.
    pub fn choose(sections: Vec<Section>, names: &[String]) -> Result<Self, String> {
        let same = |name: &str, title: &str| name.to_lowercase() == title.to_lowercase();
        let is_there = |name: &&String| {
            let mut named = sections.iter().filter(|one| same(name, &one.title));
            named.any(|one| one.video_kind().is_some())
        };
        let missing: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
        let missing = (!missing.is_empty()).then(|| said(&missing, &sections));
        let list: Vec<_> = sections
            .into_iter()
            .filter(|one| names.is_empty() || names.iter().any(|name| same(name, &one.title)))
            .filter_map(|section| {
                Some(Place {
                    kind: section.video_kind()?,
                    section: section.id,
                    folders: section.locations,
                })
            })
            .collect();
        match (list.is_empty(), missing) {
            (true, Some(missing)) => Err(missing),
            (true, None) => Err("Plex has no library of videos; create one in Plex".to_owned()),
            (false, missing) => Ok(Self { list, missing }),
        }
    }
}

fn said(missing: &[&String], sections: &[Section]) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
        names.join(", ")
    };
    let missing = quoted(&mut missing.iter().map(|name| name.as_str()));
    let mut titles = sections
        .iter()
        .filter(|section| section.video_kind().is_some())
        .map(|section| section.title.as_str());
    let there = match quoted(&mut titles) {
        none if none.is_empty() => "none".to_owned(),
        there => there,
    };
    format!(
        "Plex has no video library named {missing}; it has {there}: correct the setting plex_library (empty: all of them)"
    )
}

impl Place {
    /// Whether a folder, as Plex sees it, is one of the library's or below one.
    pub fn holds(&self, folder: &str) -> bool {
        self.folders.iter().any(|root| {
            let root = root.trim_end_matches(['/', '\\']);
            folder
                .strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: &str, kind: &str, title: &str) -> Section {
        let text = serde_json::json!({"key": id, "type": kind, "title": title});
        serde_json::from_value(text).unwrap()
    }

    fn choose(names: &[&str]) -> Result<(Vec<String>, Option<String>), String> {
        let sections = vec![
            section("1", "movie", "Filme"),
            section("2", "show", "Serien"),
            section("3", "artist", "Musik"),
        ];
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let places = Places::choose(sections, &names)?;
        let ids = places.list.iter().map(|place| place.section.to_string());
        Ok((ids.collect(), places.missing))
    }

    #[test]
    fn one_several_or_all() {
        assert_eq!(choose(&[]).unwrap().0, ["1", "2"]);
        assert_eq!(choose(&["filme"]).unwrap().0, ["1"]);
        assert_eq!(
            choose(&["SERIEN", "Filme"]),
            Ok((vec!["1".into(), "2".into()], None))
        );
    }

    #[test]
    fn what_is_missing_is_named_with_what_exists() {
        let (ids, missing) = choose(&["Filme", "Fotos"]).unwrap();
        assert_eq!(ids, ["1"], "the others are still searched");
        let words = "Plex has no video library named \"Fotos\"; it has \"Filme\", \"Serien\": correct the setting \
                     plex_library (empty: all of them)";
        assert_eq!(missing.as_deref(), Some(words));
        assert!(
            choose(&["Musik"])
                .unwrap_err()
                .contains("named \"Musik\"; it has \"Filme\"")
        );
        let empty = Places::choose(Vec::new(), &["A".into()]).unwrap_err();
        assert!(empty.contains("named \"A\"; it has none"), "{empty}");
        assert!(Places::choose(Vec::new(), &[]).is_err());
    }

    #[test]
    fn folders_are_compared_whole() {
        let place = Place {
            section: "1".parse().unwrap(),
            kind: ItemKind::Movie,
            folders: vec!["/media/a/".into(), r"D:\New".into()],
        };
        for (folder, holds) in [
            ("/media/a", true),
            ("/media/a/b", true),
            ("/media/ab", false),
            (r"D:\New\x", true),
            (r"D:\Newer", false),
        ] {
            assert_eq!(place.holds(folder), holds, "{folder}");
        }
    }
}
