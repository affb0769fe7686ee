//! Answers as JSON, and the same as XML: scalars become attributes, arrays child elements.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::images::{Image, Images};
use super::item::{Item, Kind, Media, Part, Spoilt, Tag, TagKind};
use super::library::{Library, Section, SectionKind};

/// How much of an item an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// In a listing: cut tag lists, no locks.
    Listed,
    /// In details.
    Full,
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

pub(super) fn section(id: u32, section: &Section, tells_locations: bool) -> Value {
    let (kind, agent, scanner) = match section.kind {
        SectionKind::Movie => ("movie", "tv.plex.agents.none", "Plex Video Files Scanner"),
        SectionKind::Show => ("show", "tv.plex.agents.series", "Plex TV Series"),
        SectionKind::Artist => ("artist", "tv.plex.agents.music", "Plex Music"),
    };
    let locations = section.locations.iter().enumerate();
    let locations: Vec<_> = locations
        .map(|(at, path)| json!({"id": at + 1, "path": path}))
        .collect();
    let mut object = json!({
        "allowSync": true, "art": format!("/:/resources/{kind}-fanart.jpg"), "composite": format!("/library/sections/{id}/composite/{}", section.scanned_at),
        "filters": true, "refreshing": !section.scans.is_empty(), "thumb": format!("/:/resources/{kind}.png"),
        "key": id.to_string(), "type": kind, "title": section.title, "agent": agent, "scanner": scanner,
        "language": "xn", "uuid": format!("448f0d70-308d-40ad-a2f4-{id:012x}"),
        "updatedAt": section.created_at, "createdAt": section.created_at, "scannedAt": section.scanned_at,
        "content": true, "directory": true, "contentChangedAt": section.scanned_at, "hidden": 0,
    });
    if tells_locations {
        object["Location"] = locations.into();
    }
    object
}

/// An object under construction; what is null or empty stays out, as in Plex's answers.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        if !is_absent(&value) {
            self.0.insert(name.to_owned(), value);
        }
    }
}

pub(super) fn item(library: &Library, item: &Item, depth: Depth) -> Value {
    let key = item.key;
    let mut object = Object::default();
    for (name, value) in &item.fields {
        match *name {
            "rating" | "audienceRating" | "year" | "index" | "parentIndex" => {
                object.put(name, number(value))
            }
            _ => object.put(name, value.as_str()),
        }
    }
    // Plex writes an empty summary and an empty title out.
    for name in ["title", "summary"] {
        let mut text = item.field(name).to_owned();
        text.extend(item.spoilt.and_then(Spoilt::mark));
        object.0.insert(name.to_owned(), text.into());
    }
    object.put("ratingKey", key.to_string());
    object.put("key", item_path(item));
    object.put("guid", guid(item));
    object.put("type", item.kind.name());
    object.put("userRating", item.user_rating);
    object.put(
        "thumb",
        image_path(key, "thumb", &item.posters, item.updated_at),
    );
    object.put("art", image_path(key, "art", &item.arts, item.updated_at));
    object.put("addedAt", item.added_at);
    object.put("updatedAt", item.updated_at);
    object.put("deletedAt", item.deleted_at);
    let duration = |media: &Media| media.parts.iter().map(|part| part.duration).sum::<u64>();
    object.put("duration", item.media.first().map(duration));
    family(library, item, &mut object);
    if depth == Depth::Full {
        let section = library.sections.get(&item.section);
        object.put(
            "librarySectionTitle",
            section.map(|section| section.title.as_str()),
        );
        object.put("librarySectionID", item.section);
        object.put(
            "librarySectionKey",
            format!("/library/sections/{}", item.section),
        );
        let locks = item
            .locked
            .iter()
            .map(|name| json!({"locked": true, "name": name}));
        object.put("Field", locks.collect::<Value>());
    }
    let versions = item.media.iter().enumerate();
    object.put(
        "Media",
        versions
            .map(|(at, version)| media(key, at, &version.parts))
            .collect::<Value>(),
    );
    if item.spoilt == Some(Spoilt::WrongShape) {
        object.put("Media", 7);
    }
    for (kind, tags) in &item.tags {
        let shown = if depth == Depth::Full {
            usize::MAX
        } else {
            kind.listed()
        };
        let tags = tags
            .iter()
            .take(shown)
            .map(|tag| self::tag(library, *kind, tag, depth));
        object.put(kind.element(), tags.collect::<Value>());
    }
    Value::Object(object.0)
}

fn tag(library: &Library, kind: TagKind, tag: &Tag, depth: Depth) -> Value {
    let mut object = Object::default();
    object.put("tag", tag.name.as_str());
    if depth == Depth::Full {
        object.put("id", tag.id);
        object.put("filter", format!("{}={}", kind.name(), tag.id));
        object.put("role", tag.role.as_deref());
        object.put("thumb", library.portraits.get(&tag.id).map(String::as_str));
    }
    Value::Object(object.0)
}

fn item_path(item: &Item) -> String {
    match item.kind {
        Kind::Collection => format!("/library/collections/{}/children", item.key),
        Kind::Show | Kind::Season | Kind::Artist => {
            format!("/library/metadata/{}/children", item.key)
        }
        Kind::Movie | Kind::Episode => format!("/library/metadata/{}", item.key),
    }
}

fn guid(item: &Item) -> String {
    match item.kind {
        Kind::Collection => format!("collection://{}", item.key),
        _ => format!("local://{}", item.key),
    }
}

fn image_path(key: u64, name: &str, images: &Images, updated_at: i64) -> Option<String> {
    images
        .selected
        .as_ref()
        .map(|_| format!("/library/metadata/{key}/{name}/{updated_at}"))
}

fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        whole.into()
    } else {
        text.parse::<f64>().ok().into()
    }
}

/// What an episode or season tells about its parents, and a parent about its children.
fn family(library: &Library, item: &Item, object: &mut Object) {
    for (prefix, relative) in [
        ("parent", item.parent),
        ("grandparent", grandparent(library, item)),
    ] {
        if let Some(relative) = relative.and_then(|key| library.items.get(&key)) {
            object.put(&format!("{prefix}RatingKey"), relative.key.to_string());
            object.put(
                &format!("{prefix}Key"),
                format!("/library/metadata/{}", relative.key),
            );
            object.put(&format!("{prefix}Title"), relative.title());
            object.put(&format!("{prefix}Index"), number(relative.field("index")));
        }
    }
    if item.kind == Kind::Collection {
        object.put("subtype", "movie");
    }
}

fn grandparent(library: &Library, item: &Item) -> Option<u64> {
    library.items.get(&item.parent?)?.parent
}

fn media(key: u64, at: usize, parts: &[Part]) -> Value {
    let id = key * 10 + at as u64;
    let duration: u64 = parts.iter().map(|part| part.duration).sum();
    let parts = parts.iter().enumerate().map(|(at, part)| {
        let container = part.file.rsplit_once('.').map_or("mp4", |(_, extension)| extension);
        json!({
            "id": id * 10 + at as u64, "key": format!("/library/parts/{}/1/file.{container}", id * 10 + at as u64),
            "duration": part.duration, "file": part.file, "size": part.size, "container": container, "videoProfile": "high",
        })
    });
    json!({
        "id": id, "duration": duration, "bitrate": 3250, "width": 1920, "height": 1080, "aspectRatio": 1.78,
        "audioChannels": 2, "audioCodec": "aac", "videoCodec": "h264", "videoResolution": "1080",
        "container": "mp4", "videoFrameRate": "24p", "Part": parts.collect::<Vec<_>>(),
    })
}

pub(super) fn image(key: u64, image: &Image, images: &Images) -> Value {
    let encoded: String =
        url::form_urlencoded::byte_serialize(image.rating_key.as_bytes()).collect();
    let path = format!("/library/metadata/{key}/file?url={encoded}");
    json!({
        "key": path, "ratingKey": image.rating_key, "thumb": path,
        "selected": images.selected.as_deref() == Some(&image.rating_key),
    })
}

/// Writes numbers and truth values as strings, all the way down.
pub(super) fn loosen(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(loosen),
        Value::Object(map) => map.values_mut().for_each(loosen),
        Value::Bool(truth) => *value = if *truth { "1" } else { "0" }.into(),
        Value::Number(number) => *value = number.to_string().into(),
        Value::Null | Value::String(_) => {}
    }
}

/// Writes what items are spoilt with.
pub(super) fn spoil(document: String) -> Vec<u8> {
    let byte = |character| {
        let mut bytes = Spoilt::BYTES.into_iter();
        bytes.find_map(|(_, mark, byte)| (mark == character).then_some(byte))
    };
    if !document.contains(|character| byte(character).is_some()) {
        return document.into_bytes();
    }
    let mut bytes = Vec::with_capacity(document.len());
    for character in document.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// The XML form of the content of a `MediaContainer`.
pub(super) fn xml(container: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, "MediaContainer", container);
    text
}

fn element(text: &mut String, name: &str, value: &Value) {
    let Value::Object(map) = value else { return };
    _ = write!(text, "<{name}");
    for (name, value) in map {
        let value = match value {
            Value::String(value) => escape(value),
            Value::Bool(value) => u8::from(*value).to_string(),
            Value::Number(value) => value.to_string(),
            _ => continue,
        };
        _ = write!(text, " {name}=\"{value}\"");
    }
    let children: Vec<_> = map
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_array()?)))
        .collect();
    if children.iter().all(|(_, list)| list.is_empty()) && name != "MediaContainer" {
        text.push_str(" />\n");
        return;
    }
    text.push_str(">\n");
    for (name, list) in children {
        for child in list {
            element(
                text,
                if name == "Metadata" {
                    metadata_element(child)
                } else {
                    name
                },
                child,
            );
        }
    }
    _ = writeln!(text, "</{name}>");
}

fn metadata_element(child: &Value) -> &'static str {
    let kind = child.get("type").and_then(Value::as_str);
    // Only images are listed without a type.
    kind.map_or("Photo", |kind| {
        Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .map_or("Video", Kind::element)
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            // XML 1.0 cannot say other control characters at all.
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}
