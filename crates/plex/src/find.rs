//! The undocumented `file=` filter, and how not to be fooled by it.

use crate::{Client, Error, Item, ItemKind, SectionId};

/// What a search by file name brought.
#[derive(Clone, Debug, PartialEq)]
pub enum FileSearch {
    /// Items that may have the file; compare their [files](Item::files) with the path. Empty is a
    /// hint that Plex does not have it (yet), no proof: see [`Client::find_by_file`].
    Candidates(Vec<Item>),
    /// The server ignored the filter and gave the whole library, as it does with filters it does
    /// not know. Do not ask this way again; read the library page by page instead.
    Ignored,
}

/// More items than any folder of a show has; a filter that lets through more is no help.
const MOST: u32 = 1000;
/// Enough for most answers, and little of a library that comes back whole.
const FIRST: u32 = 100;

impl Client {
    /// Looks for items by the name of their file, the last part of `path`. Folders do not count:
    /// Plex often sees them elsewhere.
    ///
    /// The filter compares loosely. In libraries of shows whole folders come back; a server that
    /// does not know it gives everything. Two requests at most find out, whatever the size of the
    /// library; a third brings the rest of a folder of hundreds of episodes.
    ///
    /// That nothing is found proves nothing. `,` is OR in Plex's query language, so a server may
    /// look for the parts of a name that has one; and it may compare bytes, where the same letters
    /// can be written in several ways. Only the library itself, read page by page, shows what is
    /// not in it.
    ///
    /// # Errors
    /// [`Error::BadFile`] when `path` ends without a file name, [`Error::NotFound`] when there is
    /// no such library.
    pub async fn find_by_file(
        &self,
        section: &SectionId,
        kind: ItemKind,
        path: &str,
    ) -> Result<FileSearch, Error> {
        let name = file_name(path).ok_or(Error::BadFile)?;
        let filter = [("file", name)];
        let first = self.filtered_page(section, kind, &filter, 0, FIRST).await?;
        if first.total.is_some_and(|total| total > u64::from(MOST)) {
            return Ok(FileSearch::Ignored);
        }
        let complete = first.next.is_none();
        let proven = complete && first.items.iter().all(|item| has_file(item, name));
        if !proven && first.total == self.count(section, kind).await? {
            return Ok(FileSearch::Ignored);
        }
        let (mut items, mut before) = (Vec::new(), first);
        while let Some(start) = before.next {
            // A server that does not tell how many there are.
            if start >= u64::from(MOST) {
                return Ok(FileSearch::Ignored);
            }
            let page = self.filtered_page(section, kind, &filter, start, MOST);
            let page = page.await?;
            if page.repeats(&before) {
                break;
            }
            items.extend(std::mem::replace(&mut before, page).items);
        }
        items.extend(before.items);
        Ok(FileSearch::Candidates(items))
    }
}

fn file_name(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    (!name.trim().is_empty()).then_some(name)
}

fn has_file(item: &Item, name: &str) -> bool {
    let name = name.to_lowercase();
    let mut files = item.files().filter_map(|part| file_name(&part.file));
    files.any(|file| file.to_lowercase() == name)
}
