//! Where does Plex see a file of Stash's?

use crate::path::Path;

/// Where Stash's folders are for Plex: the two often see the same files at different places.
///
/// ```
/// use scene_sync::PathMap;
/// let map = PathMap::parse(r"/data=>/media/stash; /data/new => D:\New")?;
/// assert_eq!(map.map("/data/a/x.mp4"), "/media/stash/a/x.mp4");
/// assert_eq!(map.map("/data/new/a/x.mp4"), r"D:\New\a\x.mp4"); // the longest prefix wins
/// assert_eq!(map.map("/database/x.mp4"), "/database/x.mp4"); // whole folder names only
/// # Ok::<(), scene_sync::PathMapError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathMap {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    from: Path,
    to: String,
    separator: char,
}

/// Why a text is not a path map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathMapError {
    /// An entry without an arrow.
    #[error("`{0}` is not a rule; write `/path/in/stash=>/path/in/plex`, with `;` between rules")]
    NoArrow(String),
    /// An entry with a side missing.
    #[error("`{0}` names only one side; write both, as in `/path/in/stash=>/path/in/plex`")]
    OneSide(String),
    /// The same folder twice.
    #[error("`{0}` is on the left of two rules; keep one of them")]
    Twice(String),
}

impl PathMap {
    /// Parses rules `stash=>plex`, separated by `;` or line breaks. Blank text is the empty map.
    ///
    /// # Errors
    /// [`PathMapError`], naming the faulty rule.
    pub fn parse(text: &str) -> Result<Self, PathMapError> {
        let mut map = Self::default();
        let entries = text.split([';', '\n']).map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let (from, to) = entry
                .split_once("=>")
                .ok_or_else(|| PathMapError::NoArrow(entry.to_owned()))?;
            map.add(from.trim(), to.trim())?;
        }
        Ok(map)
    }

    /// A map of pairs (as Stash sees it, as Plex sees it).
    ///
    /// # Errors
    /// [`PathMapError`], naming the faulty pair.
    pub fn new<S: AsRef<str>>(
        pairs: impl IntoIterator<Item = (S, S)>,
    ) -> Result<Self, PathMapError> {
        let mut map = Self::default();
        for (from, to) in pairs {
            map.add(from.as_ref(), to.as_ref())?;
        }
        Ok(map)
    }

    fn add(&mut self, from: &str, to: &str) -> Result<(), PathMapError> {
        if from.is_empty() || to.is_empty() {
            return Err(PathMapError::OneSide(format!("{from}=>{to}")));
        }
        let rule = Rule {
            from: Path::parse(from),
            separator: Path::parse(to).separator,
            to: to.to_owned(),
        };
        let key = |rule: &Rule| rule.from.keys(rule.from.windows);
        if self.rules.iter().any(|known| key(known) == key(&rule)) {
            return Err(PathMapError::Twice(from.to_owned()));
        }
        self.rules.push(rule);
        Ok(())
    }

    /// Whether a rule is about this path.
    ///
    /// ```
    /// # use scene_sync::PathMap;
    /// let map = PathMap::new([("/data", "/media")])?;
    /// assert!(map.knows("/data/a.mp4") && !map.knows("/other/a.mp4"));
    /// # Ok::<(), scene_sync::PathMapError>(())
    /// ```
    pub fn knows(&self, path: &str) -> bool {
        self.rule_for(&Path::parse(path)).is_some()
    }

    /// The rule that decides about this path, by its place among those the map was made of.
    pub(crate) fn deciding(&self, path: &str) -> Option<usize> {
        let rule = self.rule_for(&Path::parse(path))?;
        self.rules.iter().position(|one| std::ptr::eq(one, rule))
    }

    fn rule_for(&self, path: &Path) -> Option<&Rule> {
        let applies = |rule: &&Rule| {
            let fold = path.windows;
            path.keys(fold).starts_with(&rule.from.keys(fold))
        };
        let rules = self.rules.iter().filter(applies);
        rules.max_by_key(|rule| rule.from.parts.len())
    }

    /// The path as Plex sees it: the rule with the longest matching folder applies; without one it
    /// stays as it is.
    pub fn map(&self, path: &str) -> String {
        let parsed = Path::parse(path);
        let Some(rule) = self.rule_for(&parsed) else {
            return path.to_owned();
        };
        let rest = &parsed.parts[rule.from.parts.len()..];
        if rest.is_empty() {
            return rule.to.clone();
        }
        let mut mapped = rule.to.trim_end_matches(['/', rule.separator]).to_owned();
        for part in rest {
            mapped.push(rule.separator);
            mapped.push_str(part);
        }
        mapped
    }
}
