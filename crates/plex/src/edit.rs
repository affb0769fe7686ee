//! Changes of one item, encoded as Plex takes them: everything in the query string of a PUT.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use thiserror::Error;

use crate::{
    Client, Error, Field, ItemKind, Lockable, RatingKey, SectionId, Tag, TagKind, query::encode,
};

/// The longest request line that is sent, in bytes. Common proxies refuse more than 8,192.
pub const MAX_LINE: usize = 8000;

/// The HTTP library sends no address of more than 65,534 bytes, with the host.
const LONGEST_LINE: usize = 65_000;

/// A value that takes at most this many bytes in a query always fits into one request to a server
/// whose address has a path of at most 500 bytes. Cut longer ones with [`fit`](crate::fit).
pub const MAX_VALUE: usize = 7200;

/// A value or tag that does not fit into one request, however the edit is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{name} takes {bytes} bytes in a request, and at most {max} fit: shorten it")]
pub struct TooLong {
    /// The field's or tag kind's name.
    pub name: &'static str,
    /// What it takes, encoded.
    pub bytes: usize,
    /// What there is room for.
    pub max: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TagEdit {
    add: Vec<Tag>,
    remove: Vec<String>,
}

/// Changes of exactly one item. What is set is locked too, so that the metadata agent leaves it.
///
/// ```
/// use plex::{Edit, Field, ItemKind, TagKind};
///
/// let edit = Edit::new("1".parse()?, ItemKind::Movie, "1036".parse()?)
///     .set(Field::Title, "Reign of Fire")
///     .tags(TagKind::Genre, ["Fantasy"])
///     .remove_tags(TagKind::Genre, ["Action, Adventure"]);
/// assert_eq!(edit.queries(8000)?, [
///     "type=1&id=1036&genre[].tag.tag-=Action%252C%2520Adventure&genre[0].tag.tag=Fantasy&genre.locked=1\
///      &title.value=Reign%20of%20Fire&title.locked=1",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an edit does nothing until it is sent with Client::edit"]
pub struct Edit {
    section: SectionId,
    kind: ItemKind,
    key: RatingKey,
    values: BTreeMap<Field, (String, bool)>,
    tags: BTreeMap<TagKind, TagEdit>,
    locks: Vec<Lockable>,
}

impl Edit {
    /// An edit of the item `key`, of this kind and in this library, that changes nothing yet.
    pub fn new(section: SectionId, kind: ItemKind, key: RatingKey) -> Self {
        Self {
            section,
            kind,
            key,
            values: BTreeMap::new(),
            tags: BTreeMap::new(),
            locks: Vec::new(),
        }
    }

    /// Sets a field and locks it. An empty value clears it.
    pub fn set(mut self, field: Field, value: impl Into<String>) -> Self {
        self.values.insert(field, (value.into(), true));
        self
    }

    /// Clears a field and gives it back to the metadata agent.
    pub fn release(mut self, field: Field) -> Self {
        self.values.insert(field, (String::new(), false));
        self
    }

    /// Sends `tags` and locks the kind. Whether Plex adds them to those that are there or replaces
    /// those is not certain: give **all** that the item shall have, and take the others off with
    /// [`Edit::remove_tags`], which is right either way.
    pub fn tags<T: Into<Tag>>(mut self, kind: TagKind, tags: impl IntoIterator<Item = T>) -> Self {
        let edit = self.tags.entry(kind).or_default();
        edit.add.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Takes tags off and locks the kind.
    pub fn remove_tags<T: Into<String>>(
        mut self,
        kind: TagKind,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        let edit = self.tags.entry(kind).or_default();
        edit.remove.extend(names.into_iter().map(Into::into));
        self
    }

    /// Locks something without changing it.
    pub fn lock(mut self, what: impl Into<Lockable>) -> Self {
        self.locks.push(what.into());
        self
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.locks.is_empty() && self.tags.values().all(TagEdit::is_empty)
    }

    /// The query strings that make this edit, each at most `max` bytes long; none when it is empty.
    ///
    /// What belongs together stays together: a value with its lock, the tags of one kind. Only when
    /// the tags of one kind do not fit into one request they are split; should Plex replace
    /// tags, only the last part stays, so read the item back after such an edit.
    ///
    /// # Errors
    /// A single value or tag does not fit.
    pub fn queries(&self, max: usize) -> Result<Vec<String>, TooLong> {
        let head = format!("type={}&id={}", self.kind.number(), self.key);
        let room = max.saturating_sub(head.len());
        let mut queries: Vec<String> = Vec::new();
        for group in self.groups(room)? {
            // Only the last query is tried: parts of one kind, whose indices start anew, must not
            // meet.
            match queries.last_mut() {
                Some(query) if query.len() + group.len() <= max => query.push_str(&group),
                _ => queries.push(format!("{head}{group}")),
            }
        }
        Ok(queries)
    }

    /// Parameters that must stay in one request, each group beginning with `&`.
    fn groups(&self, room: usize) -> Result<Vec<String>, TooLong> {
        let lock = |name: &str, locked: bool| format!("&{name}.locked={}", u8::from(locked));
        let mut groups = Vec::new();
        let mut covered: BTreeSet<_> = self.values.keys().map(|field| field.name()).collect();
        for (kind, tags) in self.tags.iter().filter(|(_, tags)| !tags.is_empty()) {
            let name = kind.name();
            groups.extend(tags.groups(name, &lock(name, true), room)?);
            covered.insert(name);
        }
        for &Lockable(name) in &self.locks {
            if covered.insert(name) {
                groups.push(checked(lock(name, true), name, room)?);
            }
        }
        for (field, (value, locked)) in &self.values {
            let name = field.name();
            let value = format!("&{name}.value={}", encode(value));
            groups.push(checked(value + &lock(name, *locked), name, room)?);
        }
        Ok(groups)
    }
}

impl TagEdit {
    fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    fn groups(&self, name: &'static str, lock: &str, room: usize) -> Result<Vec<String>, TooLong> {
        let mut groups: Vec<String> = Vec::new();
        // What continues the last group, where there is room, or else begins another one; whether
        // it did.
        let put = |groups: &mut Vec<String>, more: &str, first: String| match groups.last_mut() {
            Some(group) if group.len() + more.len() + lock.len() <= room => {
                *group += more;
                Ok(false)
            }
            _ => {
                checked_len(first.len() + lock.len(), name, room)?;
                groups.push(first);
                Ok(true)
            }
        };
        for removal in &self.remove {
            // A comma separates names, so one in a name is encoded once more.
            let removal = encode(&encode(removal));
            let first = format!("&{name}[].tag.tag-={removal}");
            put(&mut groups, &format!("%2C{removal}"), first)?;
        }
        // A list that fits into one request stays whole: where Plex replaces it, parts are lost.
        let entries = self.add.iter().enumerate();
        let whole: usize = entries.map(|(n, tag)| tag_entry(name, n, tag).len()).sum();
        let whole = whole + lock.len();
        if whole <= room && matches!(groups.last(), Some(last) if last.len() + whole > room) {
            groups.push(String::new());
        }
        let mut index = 0;
        for tag in &self.add {
            let more = tag_entry(name, index, tag);
            let is_first = put(&mut groups, &more, tag_entry(name, 0, tag))?;
            index = if is_first { 1 } else { index + 1 };
        }
        Ok(groups.into_iter().map(|group| group + lock).collect())
    }
}

fn tag_entry(name: &str, index: usize, tag: &Tag) -> String {
    let mut entry = format!("&{name}[{index}].tag.tag={}", encode(&tag.name));
    if !tag.role.is_empty() {
        entry += &format!("&{name}[{index}].tagging.text={}", encode(&tag.role));
    }
    entry
}

fn checked_len(bytes: usize, name: &'static str, max: usize) -> Result<(), TooLong> {
    if bytes > max {
        return Err(TooLong { name, bytes, max });
    }
    Ok(())
}

fn checked(group: String, name: &'static str, max: usize) -> Result<String, TooLong> {
    checked_len(group.len(), name, max)?;
    Ok(group)
}

impl Client {
    /// Sends an edit: one request when it fits into [`MAX_LINE`], else several; none when it is
    /// empty. When the server or a proxy finds a line too long, it goes out again in smaller ones.
    /// An edit may be repeated, also after a failure half-way. Returns how many requests it took:
    /// after several, read the item back if tags were among it ([`Edit::queries`] says why).
    ///
    /// # Errors
    /// [`Error::TooLong`] before anything is sent; [`Error::NotFound`] when the item is gone.
    pub async fn edit(&self, edit: &Edit) -> Result<usize, Error> {
        const SMALLEST_LINE: usize = 1000;
        let path = ["library", "sections", edit.section.as_str(), "all"];
        let fixed = self.line_len("PUT", &path);
        let mut max_line = MAX_LINE;
        let mut queries = edit.queries(max_line.saturating_sub(fixed))?;
        loop {
            let refused = match self.put_all(&path, &queries).await {
                Err(error @ Error::LineTooLong { .. }) => error,
                done => return done.map(|()| queries.len()),
            };
            max_line /= 2;
            match edit.queries(max_line.saturating_sub(fixed)) {
                Ok(smaller) if max_line >= SMALLEST_LINE => queries = smaller,
                _ => return Err(refused),
            }
        }
    }

    /// Sends an edit in one request, however long; none when it is empty. For a Plex that replaces
    /// the tags of a kind at each edit, which a list sent in parts with [`Client::edit`] would
    /// leave with its last part only.
    ///
    /// # Errors
    /// [`Error::LineTooLong`] when the server or a proxy refuses it for its length;
    /// [`Error::TooLong`] when it is longer than HTTP libraries send (some 65,000 bytes), before
    /// anything is sent.
    pub async fn edit_whole(&self, edit: &Edit) -> Result<(), Error> {
        let path = ["library", "sections", edit.section.as_str(), "all"];
        let queries = edit.queries(usize::MAX)?;
        let bytes = self.line_len("PUT", &path) + queries.iter().map(String::len).sum::<usize>();
        checked_len(bytes, "the edit", LONGEST_LINE)?;
        self.put_all(&path, &queries).await
    }

    async fn put_all(&self, path: &[&str], queries: &[String]) -> Result<(), Error> {
        for query in queries {
            self.act(Method::PUT, path, query).await?;
        }
        Ok(())
    }
}
