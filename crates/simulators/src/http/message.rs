//! A request and an answer of HTTP/1.1, as text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use url::form_urlencoded;

/// A request as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query, still percent-encoded, without the `?`.
    pub query: String,
    /// Header names as sent, values as text.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by name, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The decoded pairs of the query, in order.
    pub fn params(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }

    /// The first query parameter of that name, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        self.params()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// A value that may be a header or a query parameter, as every `X-Plex-*` may.
    pub(crate) fn header_or_param(&self, name: &str) -> Option<String> {
        self.header(name)
            .map(str::to_owned)
            .or_else(|| self.param(name))
    }

    /// The length of the request line (method, target, version) in bytes, as proxies limit it.
    pub(crate) fn line_length(&self) -> usize {
        let query = if self.query.is_empty() {
            0
        } else {
            self.query.len() + 1
        };
        self.method.len() + self.path.len() + query + " ".len() * 2 + "HTTP/1.1".len()
    }

    pub(crate) fn wants_json(&self) -> bool {
        self.header("accept")
            .is_some_and(|accept| accept.contains("json"))
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Decodes `%XX` only: unlike a query value, a `+` stays a `+`.
pub(crate) fn percent_decode(text: &str) -> String {
    let pair = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

/// An answer; the server adds `Content-Length` and the connection headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, `Content-Type` among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with one content type and body.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The whole answer as it goes over the wire.
    pub(crate) fn to_bytes(&self, keep_alive: Option<u64>, head_only: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            _ = write!(head, "{name}: {value}\r\n");
        }
        _ = match keep_alive {
            Some(seconds) => write!(
                head,
                "Connection: Keep-Alive\r\nKeep-Alive: timeout={seconds}\r\n"
            ),
            None => write!(head, "Connection: close\r\n"),
        };
        _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

/// The parsed head of a request and where its body begins.
pub(crate) struct Head {
    pub request: Request,
    pub body_at: usize,
}

/// Parses the head once it has arrived whole.
pub(crate) fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed
        .parse(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(body_at) = status else {
        return Ok(None);
    };
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = parsed.headers.iter();
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers
            .map(|h| {
                (
                    h.name.to_owned(),
                    String::from_utf8_lossy(h.value).into_owned(),
                )
            })
            .collect(),
        body: Vec::new(),
    };
    Ok(Some(Head { request, body_at }))
}
