//! Which of Plex's libraries are searched, and which folders its libraries cover. Pure.

use plex::{ItemKind, Section, SectionId};
use scene_sync::path;

use crate::core::settings::names;

/// A library to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    pub section: SectionId,
    pub kind: ItemKind,
    pub title: String,
    /// As Plex sees them.
    folders: Vec<String>,
}

/// Whether one of a library's folders may hold the path; Plex may not tell them.
fn may_hold(folders: &[String], path: &str) -> bool {
    folders.is_empty() || folders.iter().any(|folder| path::covers(folder, path))
}

/// Plex's libraries.
#[derive(Debug, Clone, PartialEq)]
pub struct Libraries {
    /// Those to search.
    pub chosen: Vec<Library>,
    others: Vec<Section>,
    /// What the settings name and Plex does not have, in words.
    pub missing: Option<String>,
}

impl Libraries {
    /// The libraries of these names, or without names all that hold videos: music and photos are
    /// never searched.
    ///
    /// # Errors
    /// There is none; the text names those that exist.
    pub fn choose(sections: Vec<Section>, names: &[String]) -> Result<Self, String> {
        let videos = sections.iter().filter(|one| one.video_kind().is_some());
        let titles: Vec<_> = videos.map(|one| key(&one.title)).collect();
        let (known, missing) = named(names, &titles);
        let missing = (!missing.is_empty()).then(|| said(&missing, &sections));
        let (mut chosen, mut others) = (Vec::new(), Vec::new());
        for section in sections {
            let named = names.is_empty() || known.contains(&key(&section.title));
            let kind = section.video_kind().filter(|_| named);
            match kind {
                Some(kind) => chosen.push(Library {
                    section: section.id,
                    kind,
                    title: section.title,
                    folders: section.locations,
                }),
                None => others.push(section),
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

    /// The folder of a library to search that covers the path, where Plex tells its folders.
    pub fn folder_of(&self, path: &str) -> Option<&str> {
        let folders = self.chosen.iter().flat_map(|one| &one.folders);
        let mut folders = folders.map(String::as_str);
        folders.find(|folder| path::covers(folder, path))
    }

    /// Whether a folder of any library covers the path, to be searched or not: then only this very
    /// path is the file.
    pub fn covers(&self, path: &str) -> bool {
        self.holding(path).next().is_some() || self.other_holding(path).is_some()
    }

    /// The library that covers the path and is not searched.
    pub fn other_holding(&self, path: &str) -> Option<&str> {
        let holds = |other: &&Section| may_hold(&other.locations, path);
        Some(&self.others.iter().find(holds)?.title)
    }

    /// The library with this key, if it is searched.
    pub fn of(&self, section: &SectionId) -> Option<&Library> {
        self.chosen.iter().find(|one| one.section == *section)
    }
}

impl Library {
    /// A folder as Plex writes it, to which one that is spelled otherwise means nothing.
    pub fn spelled(&self, folder: &str) -> String {
        let mut own = self.folders.iter();
        own.find_map(|own| path::below(own, folder))
            .unwrap_or_else(|| folder.to_owned())
    }

    /// Whether the file or folder may be in it.
    pub fn may_hold(&self, path: &str) -> bool {
        may_hold(&self.folders, path)
    }
}

/// A title as titles are compared: blanks at the ends, case and composed letters do not count.
fn key(title: &str) -> String {
    path::loose_key(title.trim())
}

/// The titles that are named, and the names that are none. Someone who did not write `\,` means the
/// title with a comma whose parts follow each other here, unless each part is a title.
fn named<'a>(names: &'a [String], titles: &[String]) -> (Vec<String>, Vec<&'a String>) {
    let (mut known, mut missing) = (Vec::new(), Vec::new());
    let parts = |title: &str| title.split(',').map(key).collect::<Vec<_>>();
    let mut rest = names;
    while let Some(first) = rest.first() {
        let keys: Vec<_> = rest.iter().map(|name| key(name)).collect();
        let follows = |parts: &Vec<String>| {
            parts.len() > 1
                && keys.starts_with(parts)
                && !parts.iter().all(|part| titles.contains(part))
        };
        let whole = titles.iter().filter(|title| follows(&parts(title)));
        let whole = whole.max_by_key(|title| parts(title).len());
        let used = whole.map_or(1, |title| parts(title).len());
        match whole.or(keys.first().filter(|key| titles.contains(key))) {
            Some(title) => known.push(title.clone()),
            None => missing.push(first),
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    (known, missing)
}

fn said(missing: &[&String], sections: &[Section]) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
        names.join(", ")
    };
    let missing = quoted(&mut missing.iter().map(|name| name.as_str()));
    let videos = sections.iter().filter(|one| one.video_kind().is_some());
    let there = quoted(&mut videos.map(|one| one.title.as_str()));
    let there = if there.is_empty() { "none" } else { &there };
    format!(
        "Plex has no video library named {missing}; it has {there}. Correct {}, or leave it empty for all of them (a comma in a \
         name is written as \\,)",
        names::of("plex_library")
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
    fn names_as_people_type_them_are_found() {
        let titles = [
            "Films, old",
            "Ele\u{301}ctrico ",
            "A/B",
            "B",
            "X",
            "Y",
            "X, Y",
        ];
        let find = |names: &str| {
            let sections = (1..)
                .zip(titles)
                .map(|(n, title)| section(&format!("{n}"), "movie", title));
            let names: Vec<_> = names.split(';').map(str::to_owned).collect();
            let found = Libraries::choose(sections.collect(), &names)?;
            let titles = found.chosen.into_iter().map(|one| one.title);
            Ok::<_, String>((titles.collect::<Vec<_>>(), found.missing.is_none()))
        };
        for (names, wanted) in [
            ("films, OLD", &["Films, old"][..]),
            // Without `\,` the name is in two.
            ("Films;old", &["Films, old"]),
            ("B;Films;old", &["Films, old", "B"]),
            (" el\u{e9}ctrico", &["Ele\u{301}ctrico "]),
            ("B", &["B"]),
            ("a/b", &["A/B"]),
            ("X;Y", &["X", "Y"]),
            ("X, Y", &["X, Y"]),
        ] {
            let wanted = wanted.iter().map(|&title| title.to_owned()).collect();
            assert_eq!(find(names), Ok((wanted, true)), "{names}");
        }
        assert_eq!(find("X;old"), Ok((vec!["X".to_owned()], false)));
        assert!(find("Films").is_err());
    }

    #[test]
    fn what_is_missing_is_named_with_what_exists() {
        let (ids, missing) = choose(&["Filme", "Fotos"]).unwrap();
        assert_eq!(ids, ["1"], "the others are still searched");
        let words = "Plex has no video library named \"Fotos\"; it has \"Filme\", \"Serien\". Correct Plex \
                     libraries (plex_library), or leave it empty for all of them (a comma in a name is written as \\,)";
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
    fn a_folder_is_spelled_as_plex_does() {
        let library = Library {
            section: "1".parse().unwrap(),
            kind: ItemKind::Movie,
            title: String::new(),
            folders: vec![
                r"d:\New".into(),
                r"\\NAS\Films".into(),
                "/media/e\u{301}".into(),
            ],
        };
        for (folder, spelled) in [
            ("D:/new/a", r"d:\New\a"),
            ("//nas/films/a b", r"\\NAS\Films\a b"),
            ("/media/\u{e9}/x", "/media/e\u{301}/x"),
            ("/elsewhere", "/elsewhere"),
        ] {
            assert_eq!(library.spelled(folder), spelled);
        }
    }

    #[test]
    fn folders_are_compared_whole() {
        let library = Library {
            section: "1".parse().unwrap(),
            kind: ItemKind::Movie,
            title: String::new(),
            folders: vec!["/media/a/".into(), r"D:\New".into()],
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
