//! What all tests share.
#![allow(dead_code)]

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use plex::{Client, Device, Timeouts};

/// Long enough not to occur by chance.
pub const TOKEN: &str = "token-for-tests";

pub fn client(url: &str) -> Client {
    client_with(builder(), url, Timeouts::default())
}

pub fn client_with(builder: reqwest::ClientBuilder, url: &str, timeouts: Timeouts) -> Client {
    let device = Device::new("identifier", "plex tests", "1");
    Client::new(
        builder,
        url,
        Some(TOKEN.parse().unwrap()),
        &device,
        timeouts,
    )
    .unwrap()
}

/// A program that builds reqwest with TLS and no provider must install one before its first client,
/// and the tests of a whole workspace are built with the features of all its programs.
pub fn builder() -> reqwest::ClientBuilder {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
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

/// The head of one request.
pub fn read_request(connection: &mut impl Read) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
}

/// A server that gives each connection the same bytes, whatever is asked, and closes it.
pub fn raw_server(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            read_request(&mut connection);
            // The client may have had enough.
            let _ = connection.write_all(&answer);
        }
    });
    url
}
