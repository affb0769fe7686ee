//! Which request does what.

use serde_json::{Value, json};

use super::edit::{Edit, Refusal};
use super::item::{Item, Kind};
use super::library::Library;
use super::render::{self, Depth};
use crate::http::{Request, percent_decode};

/// What Plex says; how it is written depends on the request.
pub(super) enum Answer {
    /// A `MediaContainer`.
    Container(Value),
    /// The same of a list, with the paging headers.
    Page(Value, usize, usize),
    /// 200 with nothing in it, as actions answer.
    Done,
    /// Image bytes.
    Image(Vec<u8>),
    /// A status with an HTML page.
    Error(u16),
}

/// What the token of a request allows.
#[derive(PartialEq)]
enum Right {
    Owner,
    Guest,
    None,
}

pub(super) fn answer(library: &mut Library, request: &Request) -> Answer {
    library.settle();
    if request.line_length() > library.options.line_limit {
        return Answer::Error(400);
    }
    if request.path == "/identity" && request.method == "GET" {
        return Answer::Container(identity(library));
    }
    match right(library, request) {
        Right::None => Answer::Error(401),
        Right::Owner => permitted(library, request),
        Right::Guest if is_for_owner(request) => Answer::Error(library.options.guest_refusal),
        Right::Guest => {
            let mut answer = permitted(library, request);
            if let Answer::Container(container) | Answer::Page(container, ..) = &mut answer {
                hide_paths(container);
            }
            answer
        }
    }
}

/// What a shared user may not do: any change, and reading how the server is set up.
fn is_for_owner(request: &Request) -> bool {
    !matches!(request.method.as_str(), "GET" | "HEAD")
        || ["/:/prefs", "/activities"].contains(&request.path.as_str())
}

/// A shared user is told of no file and no folder.
fn hide_paths(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(hide_paths),
        Value::Object(map) => {
            map.retain(|name, _| !["file", "Location"].contains(&name.as_str()));
            map.values_mut().for_each(hide_paths);
        }
        _ => {}
    }
}

fn permitted(library: &mut Library, request: &Request) -> Answer {
    let path = percent_decode(&request.path);
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", [""]) => Answer::Container(root(library)),
        ("GET", ["library", "sections"] | ["library", "sections", "all"]) => {
            Answer::Container(sections(library))
        }
        (method, ["library", "sections", id, rest @ ..]) => match id.parse() {
            Ok(id) if library.sections.contains_key(&id) => {
                in_section(library, request, method, id, rest)
            }
            Ok(_) => Answer::Error(404),
            // A section that is no number is an error of the server, not of the client.
            Err(_) => Answer::Error(500),
        },
        (method, ["library", "metadata", keys, rest @ ..]) => {
            on_items(library, request, method, keys, rest)
        }
        ("GET", ["library", "collections", key, "children"]) => collection(library, key),
        ("PUT" | "GET", [":", "rate"]) => rate(library, request),
        ("GET", [":", "prefs"]) => Answer::Container(prefs()),
        ("GET", ["activities"]) => Answer::Container(activities(library)),
        _ => Answer::Error(404),
    }
}

fn right(library: &Library, request: &Request) -> Right {
    let Some(owner) = &library.options.token else {
        return Right::Owner;
    };
    match request.header_or_param("X-Plex-Token") {
        Some(token) if token == *owner => Right::Owner,
        Some(token) if Some(&token) == library.options.guest_token.as_ref() => Right::Guest,
        _ => Right::None,
    }
}

fn identity(library: &Library) -> Value {
    let options = &library.options;
    json!({
        "size": 0, "apiVersion": "1.2.0", "claimed": options.token.is_some(),
        "machineIdentifier": options.machine_identifier, "version": options.version,
    })
}

fn root(library: &Library) -> Value {
    let options = &library.options;
    let mut root = json!({
        "size": 0, "allowCameraUpload": true, "allowSync": true, "apiVersion": "1.2.0", "claimed": options.token.is_some(),
        "friendlyName": "Simulated Plex", "machineIdentifier": options.machine_identifier, "version": options.version,
        "myPlex": true, "myPlexMappingState": if options.token.is_some() { "mapped" } else { "unknown" },
        "myPlexSubscription": false, "platform": "Linux", "platformVersion": "6.1",
    });
    if let Some(state) = &options.start_state {
        root["startState"] = state.as_str().into();
    }
    root
}

fn sections(library: &Library) -> Value {
    let sections: Vec<_> = library
        .sections
        .iter()
        .map(|(id, section)| render::section(*id, section, library.options.tells_locations))
        .collect();
    json!({"size": sections.len(), "allowSync": true, "title1": "Plex Library", "Directory": sections})
}

fn in_section(
    library: &mut Library,
    request: &Request,
    method: &str,
    id: u32,
    rest: &[&str],
) -> Answer {
    match (method, rest) {
        ("GET", ["all"]) => list(library, request, id),
        ("GET", ["collections"]) => page(library, request, id, Kind::Collection),
        ("PUT", ["all"]) => edit_in_section(library, request, id),
        ("GET" | "POST", ["refresh"]) => {
            library.scan(id, request.param("path").filter(|path| !path.is_empty()));
            Answer::Done
        }
        ("DELETE", ["refresh"]) => {
            if let Some(section) = library.sections.get_mut(&id) {
                section.scans.clear();
            }
            Answer::Done
        }
        _ => Answer::Error(404),
    }
}

fn asked_kind(request: &Request) -> Option<u32> {
    request.param("type").and_then(|text| text.parse().ok())
}

fn list(library: &mut Library, request: &Request, section: u32) -> Answer {
    let asked = asked_kind(request);
    if asked.is_none() && request.param("file").is_some() {
        return Answer::Error(500);
    }
    let main = library
        .sections
        .get(&section)
        .map_or(Kind::Movie, |section| section.kind.main());
    let kind = asked.map_or(Some(main), |number| {
        Kind::ALL.into_iter().find(|kind| kind.number() == number)
    });
    match kind {
        Some(kind) => page(library, request, section, kind),
        None => Answer::Container(json!({"size": 0, "totalSize": 0, "offset": 0})),
    }
}

fn page(library: &mut Library, request: &Request, section: u32, kind: Kind) -> Answer {
    let page = library.page(section, kind, request);
    Answer::Page(
        library.render_page(section, kind, &page, request),
        page.offset,
        page.total,
    )
}

/// Without `id` the edit hits every item of the type, as the real server does.
fn edit_in_section(library: &mut Library, request: &Request, section: u32) -> Answer {
    let kind = asked_kind(request);
    let main = library
        .sections
        .get(&section)
        .map(|section| section.kind.main().number());
    let of_kind =
        |item: &&Item| item.section == section && Some(item.kind.number()) == kind.or(main);
    let keys: Vec<u64> = match request.param("id") {
        Some(ids) => {
            let asked: Vec<u64> = ids.split(',').filter_map(|id| id.parse().ok()).collect();
            let here = |key: &u64| {
                library
                    .items
                    .get(key)
                    .is_some_and(|item| item.section == section)
            };
            asked.into_iter().filter(here).collect()
        }
        None => library
            .items
            .values()
            .filter(of_kind)
            .map(|item| item.key)
            .collect(),
    };
    edit(library, request, &keys)
}

fn edit(library: &mut Library, request: &Request, keys: &[u64]) -> Answer {
    match Edit::read(request).apply(library, keys) {
        Ok(()) => Answer::Done,
        Err(Refusal::BadValue) => Answer::Error(400),
        Err(Refusal::NotFound) => Answer::Error(404),
        Err(Refusal::Clash) => Answer::Error(409),
    }
}

fn on_items(
    library: &mut Library,
    request: &Request,
    method: &str,
    keys: &str,
    rest: &[&str],
) -> Answer {
    let keys: Vec<u64> = keys.split(',').filter_map(|key| key.parse().ok()).collect();
    let keys: Vec<u64> = keys
        .into_iter()
        .filter(|key| library.items.contains_key(key))
        .collect();
    let Some(first) = keys.first().copied() else {
        return Answer::Error(404);
    };
    match (method, rest) {
        ("GET", []) => details(library, &keys),
        ("PUT", []) => edit(library, request, &keys),
        ("DELETE", []) => {
            library.remove(first);
            Answer::Done
        }
        ("PUT", ["refresh" | "analyze"]) => Answer::Done,
        ("GET", ["children"]) => children(library, |item| item.parent == Some(first)),
        ("GET", ["allLeaves"]) => {
            let parent_of = |key| library.items.get(&key).and_then(|item: &Item| item.parent);
            children(library, |item| {
                item.kind == Kind::Episode && item.parent.and_then(parent_of) == Some(first)
            })
        }
        ("GET", ["tree"]) => Answer::Container(tree(library, first)),
        (_, [element, ..]) => super::image_routes::answer(library, request, method, first, element),
        _ => Answer::Error(404),
    }
}

fn details(library: &Library, keys: &[u64]) -> Answer {
    let items = keys.iter().filter_map(|key| library.items.get(key));
    let section = items.clone().next().map(|item| item.section);
    let items: Vec<_> = items
        .map(|item| render::item(library, item, Depth::Full))
        .collect();
    Answer::Container(json!({
        "size": items.len(), "allowSync": true, "identifier": "com.plexapp.plugins.library", "librarySectionID": section,
        "mediaTagPrefix": "/system/bundle/media/flags/", "mediaTagVersion": 1_775_731_696, "Metadata": items,
    }))
}

fn children(library: &Library, is_child: impl Fn(&Item) -> bool) -> Answer {
    let items = library.items.values().filter(|item| is_child(item));
    let items: Vec<_> = items
        .map(|item| render::item(library, item, Depth::Listed))
        .collect();
    Answer::Container(
        json!({"size": items.len(), "identifier": "com.plexapp.plugins.library", "Metadata": items}),
    )
}

fn collection(library: &Library, key: &str) -> Answer {
    let collection = key
        .parse()
        .ok()
        .and_then(|key: u64| library.items.get(&key));
    let Some(collection) = collection.filter(|item| item.kind == Kind::Collection) else {
        return Answer::Error(404);
    };
    children(library, |item| {
        item.section == collection.section
            && item
                .tag_names(super::TagKind::Collection)
                .iter()
                .any(|name| name.eq_ignore_ascii_case(collection.title()))
    })
}

fn tree(library: &Library, key: u64) -> Value {
    let Some(item) = library.items.get(&key) else {
        return json!({"size": 0});
    };
    let part = |file: &str| json!({"file": file});
    let media: Vec<_> = item.media.iter().map(|media| {
        json!({"MediaPart": media.parts.iter().map(|p| part(&p.file)).collect::<Vec<_>>()})
    }).collect();
    json!({
        "size": 1, "identifier": "com.plexapp.plugins.library",
        "MetadataItem": [{"id": key, "title": item.title(), "MediaItem": media}],
    })
}

/// A changed rating does not move `updatedAt`.
fn rate(library: &mut Library, request: &Request) -> Answer {
    let rating = request
        .param("rating")
        .and_then(|text| text.parse::<f64>().ok());
    let Some(rating) = rating.filter(|rating| *rating == -1.0 || (0.0..=10.0).contains(rating))
    else {
        return Answer::Error(400);
    };
    let key = request.param("key").and_then(|key| key.parse().ok());
    match key.and_then(|key: u64| library.items.get_mut(&key)) {
        Some(item) => {
            item.user_rating = (rating >= 0.0).then_some(rating);
            Answer::Done
        }
        None => Answer::Error(404),
    }
}

fn prefs() -> Value {
    let setting = |id: &str, kind: &str, value: Value| {
        json!({
            "id": id, "label": "", "summary": "", "type": kind, "default": value, "value": value, "hidden": false,
            "advanced": true, "group": "general",
        })
    };
    let settings = vec![
        setting("FriendlyName", "text", "Simulated Plex".into()),
        setting("ButlerStartHour", "int", 2.into()),
        setting("ButlerEndHour", "int", 5.into()),
        setting("secureConnections", "int", 1.into()),
        setting("allowedNetworks", "text", "".into()),
    ];
    json!({"size": settings.len(), "Setting": settings})
}

fn activities(library: &Library) -> Value {
    let scans = library
        .sections
        .iter()
        .flat_map(|(id, section)| section.scans.iter().map(move |scan| (id, section, scan)));
    let activities: Vec<_> = scans.enumerate().map(|(at, (id, section, scan))| {
        json!({
            "uuid": format!("11111111-2222-3333-4444-{at:012}"), "type": "library.update.section", "cancellable": false,
            "userID": 1, "title": format!("Scanning {}", section.title), "subtitle": "", "progress": scan.progress(),
            "Context": {"librarySectionID": id.to_string()},
        })
    }).collect();
    json!({"size": activities.len(), "Activity": activities})
}
