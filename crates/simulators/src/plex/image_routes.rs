//! Posters and backgrounds of one item.

use serde_json::json;

use super::images::Images;
use super::item::Item;
use super::library::Library;
use super::render;
use super::routes::Answer;
use crate::http::Request;

/// The two kinds of image: how its routes, its field and its upload folder are called.
struct Shelf {
    folder: &'static str,
    field: &'static str,
    of: fn(&mut Item) -> &mut Images,
}

const POSTERS: Shelf = Shelf {
    folder: "posters",
    field: "thumb",
    of: |item| &mut item.posters,
};
const ARTS: Shelf = Shelf {
    folder: "art",
    field: "art",
    of: |item| &mut item.arts,
};

pub(super) fn answer(
    library: &mut Library,
    request: &Request,
    method: &str,
    key: u64,
    element: &str,
) -> Answer {
    match (method, element) {
        ("GET", "posters") => list(library, key, &POSTERS),
        ("GET", "arts") => list(library, key, &ARTS),
        ("POST", "posters") => upload(library, request, key, &POSTERS),
        ("POST", "arts") => upload(library, request, key, &ARTS),
        ("PUT", "poster") => select(library, request, key, &POSTERS),
        ("PUT", "art") => select(library, request, key, &ARTS),
        ("DELETE", "posters") => delete(library, request, key, &POSTERS),
        ("DELETE", "arts") => delete(library, request, key, &ARTS),
        ("GET", "thumb") => shown(library, key, &POSTERS),
        ("GET", "art") => shown(library, key, &ARTS),
        ("GET", "file") => file(library, request, key),
        _ => Answer::Error(404),
    }
}

fn list(library: &mut Library, key: u64, shelf: &Shelf) -> Answer {
    let Some(item) = library.items.get_mut(&key) else {
        return Answer::Error(404);
    };
    let images = (shelf.of)(item);
    let entries: Vec<_> = images
        .entries
        .iter()
        .map(|image| render::image(key, image, images))
        .collect();
    Answer::Container(json!({
        "size": entries.len(), "identifier": "com.plexapp.plugins.library",
        "mediaTagPrefix": "/system/bundle/media/flags/", "Metadata": entries,
    }))
}

/// New bytes are selected, and the field gets locked. With `?url=` the simulator fetches nothing:
/// the address stands for the bytes.
fn upload(library: &mut Library, request: &Request, key: u64, shelf: &Shelf) -> Answer {
    let address = request.param("url").unwrap_or_default();
    let bytes = if request.body.is_empty() {
        address.as_bytes()
    } else {
        &request.body
    };
    if bytes.is_empty() {
        return Answer::Error(400);
    }
    library.change(key, |item| {
        if (shelf.of)(item).upload(shelf.folder, bytes) {
            item.locked.insert(shelf.field.to_owned());
        }
    });
    Answer::Done
}

/// Anything but the `ratingKey` of an entry answers 200 too, and does nothing.
fn select(library: &mut Library, request: &Request, key: u64, shelf: &Shelf) -> Answer {
    let wanted = request.param("url").unwrap_or_default();
    let known = library
        .items
        .get_mut(&key)
        .is_some_and(|item| (shelf.of)(item).find(&wanted).is_some());
    if known {
        library.change(key, |item| {
            (shelf.of)(item).select(&wanted);
            item.locked.insert(shelf.field.to_owned());
        });
    }
    Answer::Done
}

fn delete(library: &mut Library, request: &Request, key: u64, shelf: &Shelf) -> Answer {
    let wanted = request.param("url").unwrap_or_default();
    match library.change(key, |item| (shelf.of)(item).delete(&wanted)) {
        Some(true) => Answer::Done,
        _ => Answer::Error(404),
    }
}

fn shown(library: &mut Library, key: u64, shelf: &Shelf) -> Answer {
    let Some(item) = library.items.get_mut(&key) else {
        return Answer::Error(404);
    };
    let images = (shelf.of)(item);
    let image = images
        .selected
        .as_deref()
        .and_then(|selected| images.find(selected));
    image.map_or(Answer::Error(404), |image| {
        Answer::Image(image.bytes.to_vec())
    })
}

fn file(library: &mut Library, request: &Request, key: u64) -> Answer {
    let wanted = request.param("url").unwrap_or_default();
    let Some(item) = library.items.get(&key) else {
        return Answer::Error(404);
    };
    let image = item
        .posters
        .find(&wanted)
        .or_else(|| item.arts.find(&wanted));
    image.map_or(Answer::Error(404), |image| {
        Answer::Image(image.bytes.to_vec())
    })
}
