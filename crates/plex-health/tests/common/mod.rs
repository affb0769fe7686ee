//! What all tests share.
#![allow(dead_code)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

use plex_health::Probe;

pub const IDENTITY: &str =
    r#"{"MediaContainer":{"size":0,"claimed":true,"machineIdentifier":"abc","version":"1.43.1"}}"#;

/// A program that builds reqwest with TLS and no provider must install one before its first client,
/// and the tests of a whole workspace are built with the features of all its programs.
pub fn builder() -> reqwest::ClientBuilder {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// With the usual limit.
pub fn probe(url: &str) -> Probe {
    Probe::new(builder(), url).unwrap()
}

/// For servers that do not answer.
pub fn hasty(url: &str) -> Probe {
    Probe::with_limit(builder(), url, Duration::from_secs(1)).unwrap()
}

/// The text of a recorded answer, or `None` where the recordings are not installed.
pub fn recording(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings/plex");
    if !folder.exists() {
        println!("skipped: no recordings at {}", folder.display());
        return None;
    }
    Some(std::fs::read_to_string(folder.join(name)).unwrap())
}

/// A whole answer, as bytes.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The head of one request.
pub fn read_request(connection: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

/// A server that gives each request, by its head, some bytes and closes the connection; or, for
/// `None`, keeps it open in silence.
pub fn server(respond: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut silent: Vec<TcpStream> = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            match respond(&read_request(&mut connection)) {
                // The client may have had enough.
                Some(answer) => _ = connection.write_all(&answer),
                None => silent.push(connection),
            }
        }
    });
    url
}
