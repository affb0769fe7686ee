//! `GET /library/sections/{id}/all`: filters, order, pages.

use std::sync::Arc;

use serde_json::{Value, json};

use super::file_query::FileQuery;
use super::item::{Item, Kind, TagKind};
use super::library::Library;
use super::options::FileFilter;
use super::render::{self, Depth};
use crate::http::Request;

/// A page of a listing and the size of the whole.
pub(super) struct Page {
    pub keys: Vec<u64>,
    pub offset: usize,
    pub total: usize,
}

/// A filter that Plex knows.
enum Filter {
    File(FileQuery),
    Contains(&'static str, String),
    Equals(&'static str, String),
    Tag(TagKind, u64),
    AddedAfter(i64),
    UpdatedAfter(i64),
}

impl Filter {
    /// `None` for everything Plex does not know or cannot read: it is then ignored, and nobody is
    /// told.
    fn read(name: &str, value: &str, temper: FileFilter) -> Option<Self> {
        let field = |name: &str| match name {
            "title" => Some("title"),
            "studio" => Some("studio"),
            "year" => Some("year"),
            "contentRating" => Some("contentRating"),
            _ => None,
        };
        match name {
            "file" => FileQuery::new(value, temper).map(Self::File),
            // The query separator is the first `=`, so "greater" is a part of the name.
            "addedAt>" | "addedAt>>" => value.parse().ok().map(Self::AddedAfter),
            "updatedAt>" | "updatedAt>>" => value.parse().ok().map(Self::UpdatedAfter),
            _ => {
                let tag = TagKind::ALL.into_iter().find(|kind| kind.name() == name);
                if let Some(kind) = tag {
                    return value.parse().ok().map(|id| Self::Tag(kind, id));
                }
                let field = field(name)?;
                Some(match value.strip_prefix('=') {
                    Some(exact) => Self::Equals(field, exact.to_owned()),
                    None if field == "year" => Self::Equals(field, value.to_owned()),
                    None => Self::Contains(field, value.to_lowercase()),
                })
            }
        }
    }

    fn file(&self) -> Option<&FileQuery> {
        if let Self::File(query) = self {
            Some(query)
        } else {
            None
        }
    }

    fn accepts(&self, item: &Item) -> bool {
        match self {
            Self::File(query) => item.files().any(|file| query.accepts(file)),
            Self::Contains(field, text) => item.field(field).to_lowercase().contains(text),
            Self::Equals(field, text) => item.field(field) == text,
            Self::Tag(kind, id) => item
                .tags
                .get(kind)
                .is_some_and(|tags| tags.iter().any(|tag| tag.id == *id)),
            Self::AddedAfter(time) => item.added_at > *time,
            Self::UpdatedAfter(time) => item.updated_at > *time,
        }
    }
}

impl Library {
    /// The page that a request asks for.
    pub(super) fn page(&mut self, section: u32, kind: Kind, request: &Request) -> Page {
        let filters: Vec<Filter> = request
            .params()
            .filter_map(|(name, value)| Filter::read(&name, &value, self.options.file_filter))
            .collect();
        let keys = self.filtered(
            section,
            kind,
            &filters,
            &request.param("sort").unwrap_or_default(),
        );
        let number = |name| {
            request
                .header_or_param(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let offset = number("X-Plex-Container-Start").unwrap_or(0);
        // Without a size the whole list comes, however long.
        let size = number("X-Plex-Container-Size")
            .map_or(usize::MAX, |size| size.min(self.options.page_limit));
        Page {
            keys: keys.iter().skip(offset).take(size).copied().collect(),
            offset,
            total: keys.len(),
        }
    }

    fn filtered(&mut self, section: u32, kind: Kind, filters: &[Filter], sort: &str) -> Arc<[u64]> {
        let of_kind = |item: &&Item| item.section == section && item.kind == kind;
        let accepted = |item: &&Item| filters.iter().all(|filter| filter.accepts(item));
        // The few that a path finds stand in no order.
        if let Some(query) = filters.iter().find_map(Filter::file) {
            let near = self.near_file(query).into_iter();
            return near
                .filter(of_kind)
                .filter(accepted)
                .map(|item| item.key)
                .collect();
        }
        let order = self.order(section, kind, sort);
        if filters.is_empty() {
            return order;
        }
        let items = order.iter().filter_map(|key| self.items.get(key));
        items.filter(accepted).map(|item| item.key).collect()
    }

    /// All keys of a section in the order asked for (`updatedAt:desc`, …), else by title.
    fn order(&mut self, section: u32, kind: Kind, sort: &str) -> Arc<[u64]> {
        let slot = (section, kind, sort.to_owned());
        if let Some(keys) = self.orders.get(&slot) {
            return Arc::clone(keys);
        }
        let first = sort.split(',').next().unwrap_or_default();
        let (name, descending) = first
            .strip_suffix(":desc")
            .map_or((first, false), |name| (name, true));
        let mut items: Vec<&Item> = self
            .items
            .values()
            .filter(|item| item.section == section && item.kind == kind)
            .collect();
        match name {
            "addedAt" => items.sort_by_key(|item| item.added_at),
            "updatedAt" => items.sort_by_key(|item| item.updated_at),
            "originallyAvailableAt" => {
                items.sort_by_key(|item| item.field("originallyAvailableAt"))
            }
            _ => items.sort_by_cached_key(|item| {
                let sorted = item.field("titleSort");
                if sorted.is_empty() {
                    item.title().to_lowercase()
                } else {
                    sorted.to_lowercase()
                }
            }),
        }
        if descending {
            items.reverse();
        }
        let keys: Arc<[u64]> = items.iter().map(|item| item.key).collect();
        self.orders.insert(slot, Arc::clone(&keys));
        keys
    }

    /// The container of a page, `excludeElements` and `excludeFields` obeyed.
    pub(super) fn render_page(
        &self,
        section: u32,
        kind: Kind,
        page: &Page,
        request: &Request,
    ) -> Value {
        let names = |param: &str| -> Vec<String> {
            request
                .param(param)
                .map(|list| list.split(',').map(str::to_owned).collect())
                .unwrap_or_default()
        };
        let excluded = [names("excludeElements"), names("excludeFields")].concat();
        let items = page
            .keys
            .iter()
            .filter_map(|key| self.items.get(key))
            .map(|item| {
                let mut object = render::item(self, item, Depth::Listed);
                if let Value::Object(map) = &mut object {
                    excluded.iter().for_each(|name| _ = map.remove(name));
                }
                object
            });
        let items: Vec<Value> = items.collect();
        let title = self
            .sections
            .get(&section)
            .map(|section| section.title.as_str())
            .unwrap_or_default();
        json!({
            "size": items.len(), "totalSize": page.total, "offset": page.offset, "allowSync": true,
            "art": format!("/:/resources/{}-fanart.jpg", kind.name()), "identifier": "com.plexapp.plugins.library",
            "librarySectionID": section, "librarySectionTitle": title,
            "librarySectionUUID": format!("448f0d70-308d-40ad-a2f4-{section:012x}"),
            "mediaTagPrefix": "/system/bundle/media/flags/", "mediaTagVersion": 1_775_731_696,
            "thumb": format!("/:/resources/{}.png", kind.name()), "title1": title,
            "title2": format!("All {title}"), "viewGroup": kind.name(), "viewMode": 65_592,
            "Metadata": items,
        })
    }
}
