//! Reads what came back by its shape, never by its content type: Plex sends HTML for errors,
//! JSON without a container for maintenance, and XML when a proxy drops the `Accept` header.

use serde_json::Value;

use crate::{Identity, Libraries, Verdict};

pub(crate) struct Answer<'a> {
    status: u16,
    plex_header: bool,
    body: &'a [u8],
}

/// The bodies that Plex is known to send.
enum Shape {
    Container(Container),
    /// `code`, `title`, `status`: an error with words.
    Response {
        title: String,
        text: String,
    },
    Html,
    /// Begins like JSON or XML, and is broken.
    Broken,
    Other,
}

#[derive(Default)]
struct Container {
    machine_identifier: Option<String>,
    version: Option<String>,
    claimed: bool,
    start_state: Option<String>,
    /// Whether each library is being scanned.
    libraries: Vec<bool>,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(status: u16, plex_header: bool, body: &'a [u8]) -> Self {
        Self {
            status,
            plex_header,
            body,
        }
    }

    /// The verdict on `/identity`.
    pub(crate) fn identity(&self, expected: Option<&str>) -> Verdict {
        let container = match self.container() {
            Ok(container) => container,
            // No token was sent that could be refused, and Plex asks for none here.
            Err(Verdict::Unauthorized { status }) => return Verdict::Guarded { status },
            Err(verdict) => return verdict,
        };
        let Some(found) = container.machine_identifier else {
            return Verdict::NotPlex {
                status: self.status,
            };
        };
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            return Verdict::WrongServer {
                expected: expected.to_owned(),
                found,
            };
        }
        if let Some(state) = container.start_state {
            return starting(&state);
        }
        Verdict::Healthy {
            server: Identity {
                machine_identifier: found,
                version: container.version.unwrap_or_default(),
                claimed: container.claimed,
            },
            libraries: None,
        }
    }

    /// What `/` says about a start that is not over, which `/identity` does not show.
    pub(crate) fn still_starting(&self) -> Option<Verdict> {
        match self.container() {
            Ok(container) => container.start_state.as_deref().map(starting),
            Err(verdict @ Verdict::Starting { .. }) => Some(verdict),
            Err(_) => None,
        }
    }

    pub(crate) fn libraries(&self) -> Result<Libraries, Verdict> {
        self.container().map(|container| Libraries {
            count: container.libraries.len(),
            scanning: container.libraries.contains(&true),
        })
    }

    fn container(&self) -> Result<Container, Verdict> {
        let status = self.status;
        let shape = shape(self.body);
        Err(match status {
            200..300 => match shape {
                Shape::Container(container) => return Ok(container),
                Shape::Broken => Verdict::Garbled,
                Shape::Response { .. } | Shape::Html | Shape::Other => Verdict::NotPlex { status },
            },
            401 | 403 => Verdict::Unauthorized { status },
            400 if self.mentions("starting up") => starting("Plex is still starting up."),
            503 => match shape {
                Shape::Response { title, text } if title.eq_ignore_ascii_case("maintenance") => {
                    starting(if text.is_empty() { &title } else { &text })
                }
                _ if self.mentions("maintenance") => starting("Plex is in maintenance."),
                Shape::Response { .. } | Shape::Container(_) => Verdict::Overloaded { status },
                _ if self.plex_header || self.is_plex_error_page() => {
                    Verdict::Overloaded { status }
                }
                _ => Verdict::Gateway { status },
            },
            408 | 429 | 500 => Verdict::Overloaded { status },
            501.. => Verdict::Gateway { status },
            _ => Verdict::NotPlex { status },
        })
    }

    /// `word` must be lower case.
    fn mentions(&self, word: &str) -> bool {
        String::from_utf8_lossy(self.body)
            .to_ascii_lowercase()
            .contains(word)
    }

    /// Plex's error pages have this form; those of common proxies have line breaks in it, or no
    /// title.
    fn is_plex_error_page(&self) -> bool {
        self.mentions("</title></head><body><h1>")
    }
}

fn starting(text: &str) -> Verdict {
    const LONGEST: usize = 200;
    Verdict::Starting {
        text: text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(LONGEST)
            .collect(),
    }
}

fn shape(body: &[u8]) -> Shape {
    let Ok(body) = std::str::from_utf8(body) else {
        return Shape::Other;
    };
    let body = body.trim_start_matches('\u{feff}').trim();
    if body.starts_with('{') {
        serde_json::from_str(body).map_or(Shape::Broken, |value: Value| json(&value))
    } else if starts_with_ignore_case(body, "<html")
        || starts_with_ignore_case(body, "<!doctype html")
    {
        Shape::Html
    } else if body.starts_with('<') {
        xml(body)
    } else {
        Shape::Other
    }
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn json(value: &Value) -> Shape {
    let text = |of: &Value, name: &str| scalar(&of[name]).filter(|text| !text.is_empty());
    if let container @ Value::Object(_) = &value["MediaContainer"] {
        Shape::Container(Container {
            machine_identifier: text(container, "machineIdentifier"),
            version: text(container, "version"),
            claimed: scalar(&container["claimed"]).is_some_and(|text| is_true(&text)),
            start_state: text(container, "startState"),
            libraries: container["Directory"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|library| scalar(&library["refreshing"]).is_some_and(|text| is_true(&text)))
                .collect(),
        })
    } else if let Some(title) = text(value, "title") {
        Shape::Response {
            title,
            text: text(value, "status").unwrap_or_default(),
        }
    } else {
        Shape::Other
    }
}

/// Plex writes the same value as a string, a number or a boolean, depending on its version.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn xml(body: &str) -> Shape {
    let Ok(document) = roxmltree::Document::parse(body) else {
        return Shape::Broken;
    };
    let root = document.root_element();
    let text = |name| {
        root.attribute(name)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    match root.tag_name().name() {
        "MediaContainer" => Shape::Container(Container {
            machine_identifier: text("machineIdentifier"),
            version: text("version"),
            claimed: root.attribute("claimed").is_some_and(is_true),
            start_state: text("startState"),
            libraries: root
                .children()
                .filter(|child| child.has_tag_name("Directory"))
                .map(|child| child.attribute("refreshing").is_some_and(is_true))
                .collect(),
        }),
        "Response" => Shape::Response {
            title: text("title").unwrap_or_default(),
            text: text("status").unwrap_or_default(),
        },
        "html" => Shape::Html,
        _ => Shape::Other,
    }
}

fn is_true(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}
