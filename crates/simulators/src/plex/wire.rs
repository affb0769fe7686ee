//! Plex's answers as bytes: JSON or XML, HTML for errors, its headers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::library::Library;
use super::routes::{self, Answer};
use super::{lock, render};
use crate::http::{Fault, Handler, Request, Response};

pub(super) struct Wire(pub Arc<Mutex<Library>>);

impl Handler for Wire {
    fn answer(&self, request: &Request) -> Response {
        let mut library = lock(&self.0);
        if library
            .options
            .proxy_line_limit
            .is_some_and(|limit| request.line_length() > limit)
        {
            return proxy_page(414, "Request-URI Too Large");
        }
        let answer = routes::answer(&mut library, request);
        let (loose, marked) = (
            library.options.loose_types,
            library.options.protocol_on_errors,
        );
        drop(library);
        match answer {
            Answer::Container(container) => document(request, container, loose),
            Answer::Page(container, offset, total) => document(request, container, loose)
                .with_header("X-Plex-Container-Start", offset.to_string())
                .with_header("X-Plex-Container-Total-Size", total.to_string()),
            Answer::Done => from_plex(Response::new(200, "text/html", "")),
            Answer::Image(bytes) => from_plex(Response::new(200, "image/jpeg", bytes)),
            Answer::Error(status) => error_page(status, &request.path, marked),
        }
    }

    fn failure(&self, fault: &Fault, request: &Request) -> Option<Response> {
        let marked = lock(&self.0).options.protocol_on_errors;
        let page = |status| error_page(status, &request.path, marked);
        Some(match fault {
            Fault::Maintenance(text) => maintenance(request, text, marked),
            Fault::Unavailable => page(503),
            Fault::Unauthorized => page(401),
            Fault::StartingUp => mark(
                Response::new(
                    400,
                    "text/html",
                    "<html><head><title>Bad Request</title></head><body><h1>400 Bad Request</h1>The server is still starting up, retry later.</body></html>",
                ),
                marked,
            ),
            Fault::BadGateway => proxy_page(502, "Bad Gateway"),
            Fault::GatewayTimeout => proxy_page(504, "Gateway Time-out"),
            Fault::TooManyRequests(wait) => {
                page(429).with_header("Retry-After", wait.as_secs().to_string())
            }
            Fault::HtmlPage => Response::new(
                200,
                "text/html",
                "<!DOCTYPE html><html><head><title>Router</title></head><body>Please log in.</body></html>",
            ),
            Fault::Status(status) => page(*status),
            _ => return None,
        })
    }
}

fn from_plex(response: Response) -> Response {
    response
        .with_header("X-Plex-Protocol", "1.0")
        .with_header("Cache-Control", "no-cache")
}

fn mark(response: Response, marked: bool) -> Response {
    if marked {
        from_plex(response)
    } else {
        response
    }
}

fn document(request: &Request, mut container: Value, loose: bool) -> Response {
    let (kind, body) = if request.wants_json() {
        if loose {
            render::loosen(&mut container);
        }
        (
            "application/json",
            json!({"MediaContainer": container}).to_string(),
        )
    } else {
        ("text/xml;charset=utf-8", render::xml(&container))
    };
    let body = render::spoil(body);
    let length = body.len().to_string();
    from_plex(Response::new(200, kind, body)).with_header("X-Plex-Content-Original-Length", length)
}

/// Errors are HTML even when JSON was asked for.
fn error_page(status: u16, path: &str, marked: bool) -> Response {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    };
    // At the root a browser is sent to the web client.
    let script = if status == 401 && path == "/" {
        "<script>window.location = window.location.href.match(/(^.+\\/)[^\\/]*$/)[1] + 'web/index.html';</script>"
    } else {
        ""
    };
    let body = format!(
        "<html><head>{script}<title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    );
    mark(Response::new(status, "text/html", body), marked)
}

fn maintenance(request: &Request, text: &str, marked: bool) -> Response {
    let response = if request.wants_json() {
        let body = json!({"code": 503, "title": "Maintenance", "status": text});
        Response::new(503, "application/json", body.to_string())
    } else {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response code=\"503\" title=\"Maintenance\" status=\"{text}\" />\n"
        );
        Response::new(503, "text/xml;charset=utf-8", body)
    };
    mark(response, marked)
}

/// A proxy's own page, without any of Plex's headers.
fn proxy_page(status: u16, title: &str) -> Response {
    let body = format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>\r\n<hr><center>nginx/1.27.3</center>\r\n</body>\r\n</html>\r\n"
    );
    Response::new(status, "text/html", body).with_header("Server", "nginx/1.27.3")
}
