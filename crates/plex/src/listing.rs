//! A library's items, page by page.

use crate::{Client, Error, Item, ItemKind, SectionId, Skipped, item::Items};

/// The order of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Newest in the library first.
    AddedDescending,
    /// Last changed first. With it, a copy is kept fresh without any filter: read pages until the
    /// items are older than the copy.
    UpdatedDescending,
    /// By title, which does not shift while items are added elsewhere.
    Title,
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::AddedDescending => "addedAt:desc",
            Self::UpdatedDescending => "updatedAt:desc",
            Self::Title => "titleSort",
        }
    }
}

/// A part of a library.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The items, with their files and without most else (see [`Item`]).
    pub items: Vec<Item>,
    /// Items that are there but cannot be read.
    pub skipped: Vec<Skipped>,
    /// How many there are in all, when the server says it.
    pub total: Option<u64>,
    /// Where the next page starts; `None` after the last one.
    pub next: Option<u64>,
}

impl Page {
    /// Whether this is the page before once more: the server knows no pages, and would give it for
    /// ever.
    #[must_use]
    pub fn repeats(&self, before: &Self) -> bool {
        self.items == before.items && self.skipped == before.skipped
    }
}

/// What a listing leaves out. The server may ignore it.
const EXCLUDED: &str = "Genre,Country,Director,Writer,Role,Producer,Similar,Collection,Label,Image,UltraBlurColors,Guid,Rating";

impl Client {
    /// Up to `size` items of a library from `start` on. The server may give fewer.
    ///
    /// ```no_run
    /// # async fn example(plex: plex::Client, section: plex::SectionId) -> Result<(), plex::Error> {
    /// use plex::{ItemKind, Sort};
    ///
    /// let mut next = Some(0);
    /// while let Some(start) = next {
    ///     let page = plex.page(&section, ItemKind::Movie, Sort::Title, start, 200).await?;
    ///     for item in &page.items {
    ///         println!("{}", item.title);
    ///     }
    ///     next = page.next;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such library.
    pub async fn page(
        &self,
        section: &SectionId,
        kind: ItemKind,
        sort: Sort,
        start: u64,
        size: u32,
    ) -> Result<Page, Error> {
        self.filtered_page(section, kind, &[("sort", sort.name())], start, size)
            .await
    }

    /// How many items of this kind a library has.
    ///
    /// # Errors
    /// As [`Client::page`].
    pub async fn count(&self, section: &SectionId, kind: ItemKind) -> Result<Option<u64>, Error> {
        Ok(self.filtered_page(section, kind, &[], 0, 0).await?.total)
    }

    pub(crate) async fn filtered_page(
        &self,
        section: &SectionId,
        kind: ItemKind,
        filters: &[(&str, &str)],
        start: u64,
        size: u32,
    ) -> Result<Page, Error> {
        let (kind, start_text, size_text) = (kind.number(), start.to_string(), size.to_string());
        let mut query = vec![("type", kind.as_str())];
        query.extend(filters);
        query.extend([
            ("excludeElements", EXCLUDED),
            ("excludeFields", "summary,tagline"),
            ("X-Plex-Container-Start", &start_text),
            ("X-Plex-Container-Size", &size_text),
        ]);
        let path = ["library", "sections", section.as_str(), "all"];
        let found: Items = self.get(self.timeouts.list, &path, &query).await?;
        let total = found.total_size;
        let offset = found.offset.unwrap_or(start);
        let (items, skipped) = found.into_parts();
        let count = items.len() + skipped.len();
        let end = offset.saturating_add(count as u64);
        let ignored_paging = offset != start || count > size as usize;
        let last = count == 0 || ignored_paging || total.is_some_and(|total| end >= total);
        Ok(Page {
            items,
            skipped,
            total,
            next: (!last).then_some(end),
        })
    }
}
