//! Stash's answers: who may ask, GraphQL, images.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::resolve::Resolver;
use super::store::Store;
use super::{lock, mutate, picture, query, schema};
use crate::http::{Fault, Handler, Request, Response};

pub(super) struct Wire(pub Arc<Mutex<Store>>);

/// What the credentials of a request are worth.
#[derive(PartialEq)]
enum Right {
    Granted,
    /// None, or a session that is over.
    Missing,
    /// An API key that is not the one.
    WrongKey,
}

impl Handler for Wire {
    fn answer(&self, request: &Request) -> Response {
        let mut store = lock(&self.0);
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        if segments == ["healthz"] {
            return Response::new(200, "text/plain", "");
        }
        if segments == ["login"] {
            return login_page();
        }
        let right = right(&store, request);
        if right == Right::WrongKey {
            return unauthorized();
        }
        if right == Right::Missing {
            // Paths without an extension look like pages, and a page sends its visitor to the
            // login.
            let page = segments != ["graphql"];
            return if page {
                to_login(request)
            } else {
                unauthorized()
            };
        }
        let cookie = format!(
            "session={}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
            store.cookie()
        );
        let response = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["graphql"]) => graphql(&mut store, request),
            (_, ["graphql"]) => Response::new(405, "text/plain", ""),
            ("GET", ["scene", id, "screenshot"]) => screenshot(&store, request, id),
            ("GET", ["scene", id, "preview"]) => preview(&store, id),
            ("GET", ["performer" | "tag" | "studio", _, "image"] | ["group", _, "frontimage"]) => {
                image(request)
            }
            (_, ["scene" | "performer" | "tag" | "studio" | "group", ..]) => {
                Response::new(405, "text/plain", "")
            }
            ("GET", [""]) => Response::new(
                200,
                "text/html",
                "<!DOCTYPE html><html><head><title>Stash</title></head></html>",
            ),
            _ => Response::new(404, "text/plain", "404 page not found\n"),
        };
        response.with_header("Set-Cookie", cookie)
    }

    fn failure(&self, fault: &Fault, _request: &Request) -> Option<Response> {
        let plain =
            |status: u16, text: &str| Response::new(status, "text/plain; charset=utf-8", text);
        Some(match fault {
            Fault::Maintenance(text) => {
                let body = json!({"errors": [{"message": text}], "data": null});
                Response::new(503, "application/json", body.to_string())
            }
            Fault::Unavailable | Fault::StartingUp => plain(503, "service unavailable\n"),
            Fault::Unauthorized => unauthorized(),
            Fault::BadGateway => Response::new(
                502,
                "text/html",
                "<html><body><h1>502 Bad Gateway</h1></body></html>",
            ),
            Fault::GatewayTimeout => Response::new(
                504,
                "text/html",
                "<html><body><h1>504 Gateway Time-out</h1></body></html>",
            ),
            Fault::TooManyRequests(wait) => {
                plain(429, "").with_header("Retry-After", wait.as_secs().to_string())
            }
            Fault::HtmlPage => login_page(),
            Fault::Status(status) => plain(*status, "internal server error\n"),
            _ => return None,
        })
    }
}

fn right(store: &Store, request: &Request) -> Right {
    let options = &store.options;
    let key = request
        .header("ApiKey")
        .map(str::to_owned)
        .or_else(|| request.param("apikey"));
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        return if options.api_key.as_ref() == Some(&key) {
            Right::Granted
        } else {
            Right::WrongKey
        };
    }
    if !options.credentials {
        return Right::Granted;
    }
    let valid = store.cookie();
    let mut cookies = request
        .header("cookie")
        .into_iter()
        .flat_map(|header| header.split(';'));
    let has = cookies.any(|pair| pair.trim().split_once('=') == Some(("session", valid.as_str())));
    if has { Right::Granted } else { Right::Missing }
}

fn unauthorized() -> Response {
    Response::new(401, "text/plain", "")
}

fn to_login(request: &Request) -> Response {
    let target: String = url::form_urlencoded::byte_serialize(request.path.as_bytes()).collect();
    Response::new(302, "text/html; charset=utf-8", "")
        .with_header("Location", format!("/login?returnURL={target}"))
}

fn login_page() -> Response {
    Response::new(
        200,
        "text/html; charset=utf-8",
        "<!DOCTYPE html><html><head><title>Login</title></head><body><form></form></body></html>",
    )
}

fn graphql(store: &mut Store, request: &Request) -> Response {
    let asked_json = request
        .header("accept")
        .is_some_and(|accept| accept.contains("application/json"));
    let kind = if asked_json {
        "application/json"
    } else {
        "application/graphql-response+json"
    };
    let refuse = |refusals: &[Refusal]| {
        let status = refusals
            .first()
            .map_or(400, |first| first.status(asked_json));
        let errors: Vec<Value> = refusals.iter().map(Refusal::entry).collect();
        let body = json!({"errors": errors, "data": null});
        Response::new(status, kind, body.to_string())
    };
    let Ok(Value::Object(body)) = serde_json::from_slice(&request.body) else {
        return refuse(&[Refusal::undecodable()]);
    };
    let text = body
        .get("query")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = body.get("operationName").and_then(Value::as_str);
    let none = Map::new();
    let variables = body
        .get("variables")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let operation = match query::parse(text, name, variables) {
        Ok(operation) => operation,
        Err(refusal) => return refuse(&[refusal]),
    };
    let faults = schema::validate(&operation, &store.options.missing_fields);
    if !faults.is_empty() {
        return refuse(&faults);
    }
    let outcome = if operation.mutation {
        mutate::mutate(store, &operation)
    } else {
        let base = store.options.external_host.clone();
        let base = base
            .unwrap_or_else(|| format!("http://{}", request.header("host").unwrap_or_default()));
        Resolver { store, base }.run(&operation)
    };
    let body = match outcome {
        Ok(data) => json!({"data": data}),
        Err(failure) => {
            let line = format!("{}: {}", failure.field, failure.message);
            store.error_log.push(line);
            failure.body()
        }
    };
    Response::new(200, kind, body.to_string())
}

fn screenshot(store: &Store, request: &Request, id: &str) -> Response {
    match id.parse().ok().and_then(|id: u64| store.scenes.get(&id)) {
        Some(scene) => match &scene.cover {
            Some(cover) => known(request, picture::content_type(cover), cover),
            // Without a cover there is a placeholder, which is no picture of the scene.
            None => known(request, "image/svg+xml", picture::PLACEHOLDER.as_bytes()),
        },
        None => Response::new(404, "text/plain", "404 page not found\n"),
    }
}

/// Bytes with their MD5 as `ETag`; whoever has them already is told so.
fn known(request: &Request, kind: &str, bytes: &[u8]) -> Response {
    let digest = Md5::digest(bytes);
    let tag = digest.iter().fold(String::from("\""), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    }) + "\"";
    let response = if request.header("if-none-match") == Some(&tag) {
        Response::new(304, kind, "")
    } else {
        Response::new(200, kind, bytes)
    };
    response.with_header("ETag", tag)
}

fn preview(store: &Store, id: &str) -> Response {
    match id.parse().ok().and_then(|id: u64| store.scenes.get(&id)) {
        Some(scene) if scene.has_preview => {
            Response::new(200, "video/mp4", b"\0\0\0\x18ftypmp42".to_vec())
        }
        _ => Response::new(404, "text/plain", "404 page not found\n"),
    }
}

fn image(request: &Request) -> Response {
    if request.param("default").is_some() {
        return Response::new(200, "image/svg+xml", picture::PLACEHOLDER);
    }
    Response::new(200, "image/jpeg", picture::jpeg(&request.path))
}
