//! Which of Plex's libraries are searched, and which folders its libraries cover. Pure.

use plex::{ItemKind, Section, SectionId};
use scene_sync::path;

/// A library to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    pub section: SectionId,
    pub kind: ItemKind,
    pub title: String,
    folders: Folders,
}

/// A library's folders as Plex sees them; empty when Plex does not tell.
#[derive(Debug, Clone, PartialEq)]
struct Folders(Vec<String>);

impl Folders {
    fn may_hold(&self, path: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|folder| path::covers(folder, path))
    }
}

/// Plex's libraries.
#[derive(Debug, Clone, PartialEq)]
pub struct Libraries {
    /// Those to search.
    pub chosen: Vec<Library>,
    /// The others: their titles and folders.
    others: Vec<(String, Folders)>,
    /// What the settings name and Plex does not have, in words.
    pub missing: Option<String>,
}

impl Libraries {
    /// The libraries of these names, or without names all that hold videos: music and photos are never searched.
    ///
    /// # Errors
    /// There is none; the text names those that exist.
    pub fn choose(sections: Vec<Section>, names: &[String]) -> Result<Self, String> {
        let same =
            |name: &str, title: &str| path::name_key(name.trim()) == path::name_key(title.trim());
        let is_there = |name: &&String| {
            let mut named = sections.iter().filter(|one| same(name, &one.title));
            named.any(|one| one.video_kind().is_some())
        };
        let missing: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
        let missing = (!missing.is_empty()).then(|| said(&missing, &sections));
        let (mut chosen, mut others) = (Vec::new(), Vec::new());
        for section in sections {
            let named = names.is_empty() || names.iter().any(|name| same(name, &section.title));
            let kind = section.video_kind().filter(|_| named);
            let (title, folders) = (section.title, Folders(section.locations));
            match kind {
                Some(kind) => chosen.push(Library {
                    section: section.id,
                    kind,
                    title,
                    folders,
                }),
                None => others.push((title, folders)),
            }
        }
        match (chosen.is_empty(), missing) {
            (true, Some(missing)) => Err(missing),
            (true, None) => Err("Plex has no library of videos; create one in Plex".to_owned()),
            (false, missing) => Ok(Self {
                chosen,
                others,
                missing,
            }),
        }
    }

    /// The libraries to search that may hold this file or folder.
    pub fn holding(&self, path: &str) -> impl Iterator<Item = &Library> {
        self.chosen.iter().filter(move |one| one.may_hold(path))
    }

    /// Whether a folder of any library covers the path, to be searched or not: then only this very path is the file.
    pub fn covers(&self, path: &str) -> bool {
        self.holding(path).next().is_some() || self.other_holding(path).is_some()
    }

    /// The library that covers the path and is not searched.
    pub fn other_holding(&self, path: &str) -> Option<&str> {
        let holds = |(_, folders): &&(String, Folders)| folders.may_hold(path);
        self.others
            .iter()
            .find(holds)
            .map(|(title, _)| title.as_str())
    }

    /// The library with this key, if it is searched.
    pub fn of(&self, section: &SectionId) -> Option<&Library> {
        self.chosen.iter().find(|one| one.section == *section)
    }
}

impl Library {
    /// Whether the file or folder may be in it.
    pub fn may_hold(&self, path: &str) -> bool {
        self.folders.may_hold(path)
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
        let libraries = Libraries::choose(sections, &names)?;
        let ids = libraries
            .chosen
            .iter()
            .map(|library| library.section.to_string());
        Ok((ids.collect(), libraries.missing))
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
        let empty = Libraries::choose(Vec::new(), &["A".into()]).unwrap_err();
        assert!(empty.contains("named \"A\"; it has none"), "{empty}");
        assert!(Libraries::choose(Vec::new(), &[]).is_err());
    }

    #[test]
    fn folders_are_compared_whole() {
        let library = Library {
            section: "1".parse().unwrap(),
            kind: ItemKind::Movie,
            title: String::new(),
            folders: Folders(vec!["/media/a/".into(), r"D:\New".into()]),
        };
        for (folder, holds) in [
            ("/media/a", true),
            ("/media/a/b", true),
            ("/media/ab", false),
            (r"D:\New\x", true),
            (r"D:\Newer", false),
        ] {
            assert_eq!(library.may_hold(folder), holds, "{folder}");
        }
    }
}
