//! What the items of each library keep of what they are sent, learned from what Plex shows after a
//! write.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use plex::SectionId;
use scene_sync::{Unsupported, What};

/// So many items must have failed to show a field before it is no longer sent.
const PROOF: usize = 3;

/// Longest tag list in bytes that a Plex gets which replaces lists and refuses long lines: what
/// fits into one request.
const LIST_LIMIT: usize = plex::MAX_VALUE;

/// What is known, by library and by the name of the field.
#[derive(Default)]
pub struct Capabilities {
    known: RefCell<HashMap<(String, String), State>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Kept,
    /// The items that did not show it; with enough of them, none of this library does.
    Missed(BTreeSet<String>),
}

impl State {
    fn parse(text: &str) -> Self {
        match text.strip_prefix("missed:") {
            Some(items) => Self::Missed(items.split(',').map(str::to_owned).collect()),
            None => Self::Kept,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Kept => "kept".to_owned(),
            Self::Missed(items) => {
                let items: Vec<_> = items.iter().map(String::as_str).collect();
                format!("missed:{}", items.join(","))
            }
        }
    }

    fn is_proof(&self) -> bool {
        matches!(self, Self::Missed(items) if items.len() >= PROOF)
    }
}

/// Something to remember of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    pub library: String,
    pub field: String,
    pub state: String,
}

impl Learned {
    /// Lists must be short enough for one request from now on.
    pub fn limits_lists(&self) -> bool {
        self.library == SERVER && self.field == SHORT_LINES
    }
}

/// Under these names stands what is known of the server and not of one library.
const SERVER: &str = "";
const REPLACES: &str = "replaces lists";
const SHORT_LINES: &str = "refuses long lines";

impl Capabilities {
    /// Takes in what was remembered: library, field, state.
    pub fn load(&self, rows: Vec<(String, String, String)>) {
        let known =
            |(library, field, state): (_, _, String)| ((library, field), State::parse(&state));
        self.known.replace(rows.into_iter().map(known).collect());
    }

    /// What is no use sending to this library.
    pub fn unsupported(&self, library: &SectionId) -> Unsupported {
        let is_proof = |state: State| state.is_proof();
        let lacks = |what: &What| self.state(library, *what).is_some_and(is_proof);
        What::all().filter(lacks).collect()
    }

    /// Whether all of this was seen on an item of the library after it was sent, so that nobody
    /// need look again.
    pub fn knows(&self, library: &SectionId, sent: &[What]) -> bool {
        let is_kept = |what: &What| self.state(library, *what) == Some(State::Kept);
        sent.iter().all(is_kept)
    }

    /// Learns from what an item showed of what it was sent: what is news, and the fields given up
    /// with it. The item must show some of it: one that shows nothing was read before Plex had
    /// carried the edit out, or does not take edits, which says nothing of its library.
    pub fn learn(
        &self,
        library: &SectionId,
        item: &str,
        sent: &[What],
        unshown: &[What],
    ) -> (Vec<Learned>, Vec<What>) {
        let (mut learned, mut given_up) = (Vec::new(), Vec::new());
        for what in sent {
            let before = self.state(library, *what);
            let after = match (&before, unshown.contains(what)) {
                (Some(State::Kept), _) => continue,
                (_, false) => State::Kept,
                (Some(State::Missed(items)), true) => {
                    let mut items = items.clone();
                    items.insert(item.to_owned());
                    State::Missed(items)
                }
                (None, true) => State::Missed(BTreeSet::from([item.to_owned()])),
            };
            if before.as_ref() == Some(&after) {
                continue;
            }
            if after.is_proof() && !before.is_some_and(|before| before.is_proof()) {
                given_up.push(*what);
            }
            learned.push(self.set(library.as_str(), &what.to_string(), after));
        }
        (learned, given_up)
    }

    /// Whether this Plex replaces the tags of an item at each edit, so that a list must be sent
    /// whole.
    pub fn replaces_lists(&self) -> bool {
        self.of_server(REPLACES)
    }

    /// The longest list of tags, once encoded; none where a list of any length can be sent.
    pub fn list_limit(&self) -> Option<usize> {
        (self.replaces_lists() && self.of_server(SHORT_LINES)).then_some(LIST_LIMIT)
    }

    /// This Plex replaces lists, and takes a line of any length or does not; what is news of that.
    pub fn replaces(&self, takes_long_lines: bool) -> Vec<Learned> {
        let facts = [Some(REPLACES), (!takes_long_lines).then_some(SHORT_LINES)];
        let news = facts.into_iter().flatten();
        news.filter(|fact| !self.of_server(fact))
            .map(|fact| self.set(SERVER, fact, State::Kept))
            .collect()
    }

    fn of_server(&self, what: &str) -> bool {
        let key = (SERVER.to_owned(), what.to_owned());
        self.known.borrow().contains_key(&key)
    }

    fn state(&self, library: &SectionId, what: What) -> Option<State> {
        let key = (library.as_str().to_owned(), what.to_string());
        self.known.borrow().get(&key).cloned()
    }

    fn set(&self, library: &str, field: &str, state: State) -> Learned {
        let learned = Learned {
            library: library.to_owned(),
            field: field.to_owned(),
            state: state.text(),
        };
        let key = (library.to_owned(), field.to_owned());
        self.known.borrow_mut().insert(key, state);
        learned
    }
}

#[cfg(test)]
mod tests {
    use scene_sync::{Field, TagKind};

    use super::*;

    #[test]
    fn a_field_is_given_up_once_three_items_did_not_show_it() {
        let capabilities = Capabilities::default();
        let library: SectionId = "2".parse().unwrap();
        let genre = What::Tag(TagKind::Genre);
        let title = What::Field(Field::Title);
        let sent = [title, genre];
        let mut rows = Vec::new();
        for (item, given_up) in [("1", 0), ("1", 0), ("2", 0), ("3", 1), ("4", 0)] {
            assert!(!capabilities.knows(&library, &sent));
            let (learned, gone) = capabilities.learn(&library, item, &sent, &[genre]);
            rows.extend(
                learned
                    .into_iter()
                    .map(|one| (one.library, one.field, one.state)),
            );
            assert_eq!(gone.len(), given_up, "{item}");
        }
        let unsupported = capabilities.unsupported(&library);
        assert_eq!(unsupported, Unsupported::from([genre]));
        assert!(capabilities.knows(&library, &[title]));
        assert_eq!(
            capabilities.unsupported(&"1".parse().unwrap()),
            Unsupported::default()
        );
        // The latest row of each field says it all.
        let again = Capabilities::default();
        again.load(rows);
        assert_eq!(again.unsupported(&library), unsupported);
    }

    #[test]
    fn one_item_that_shows_it_is_proof_that_the_library_keeps_it() {
        let capabilities = Capabilities::default();
        let library: SectionId = "2".parse().unwrap();
        let studio = What::Field(Field::Studio);
        capabilities.learn(&library, "1", &[studio], &[studio]);
        capabilities.learn(&library, "2", &[studio], &[]);
        for item in ["3", "4", "5", "6"] {
            let (learned, gone) = capabilities.learn(&library, item, &[studio], &[studio]);
            assert_eq!(
                (learned, gone),
                (Vec::new(), Vec::new()),
                "a matter of the item"
            );
        }
        assert!(capabilities.knows(&library, &[studio]));
    }
}
