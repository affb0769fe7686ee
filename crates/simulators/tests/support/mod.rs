//! A client without any comfort, so that every byte of the simulators' answers is seen.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

pub struct Client {
    stream: TcpStream,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self {
            stream,
            headers: vec![("Host".into(), format!("127.0.0.1:{port}"))],
        })
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn send(&mut self, method: &str, target: &str, body: &[u8]) -> io::Result<()> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        self.stream.write_all(&[head.as_bytes(), body].concat())
    }

    /// Everything until the server closes.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub fn read_timeout(&self, timeout: Duration) {
        self.stream.set_read_timeout(Some(timeout)).unwrap();
    }

    pub fn receive(&mut self) -> io::Result<Answer> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            self.stream.read_exact(&mut byte)?;
            bytes.push(byte[0]);
        }
        let head = String::from_utf8(bytes).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(n, v)| (n.into(), v.into()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
        self.stream.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    pub fn ask(&mut self, method: &str, target: &str, body: &[u8]) -> Answer {
        self.send(method, target, body).unwrap();
        self.receive().unwrap()
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, b"")
    }

    pub fn put(&mut self, target: &str) -> Answer {
        self.ask("PUT", target, b"")
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// What is in the `MediaContainer`.
    pub fn container(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["MediaContainer"].clone()
    }
}

/// A client of the simulated Plex with the owner's token that asks for JSON.
pub fn plex_client(plex: &simulators::PlexServer) -> Client {
    let client = Client::connect(plex.port())
        .unwrap()
        .header("Accept", "application/json");
    client.header("X-Plex-Token", &plex.token())
}

/// Percent-encoding of a query value.
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn recordings_folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/recordings"
    ))
}

/// All recorded documents of a folder by their names; none where the recordings are not at hand.
pub fn recordings(folder: &str) -> BTreeMap<String, Value> {
    let Ok(files) = std::fs::read_dir(recordings_folder().join(folder)) else {
        println!("skipped: no recordings in {folder}");
        return BTreeMap::new();
    };
    let document = |path: PathBuf| {
        let name = path.file_stem()?.to_string_lossy().into_owned();
        let text = std::fs::read(&path).unwrap();
        Some((name, serde_json::from_slice(&text).unwrap()))
    };
    let paths = files.map(|file| file.unwrap().path());
    paths.filter_map(document).collect()
}

/// A recorded answer of a real server; `None` where the recordings are not at hand.
pub fn recording(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(recordings_folder().join(name));
    if text.is_err() {
        println!("skipped: no recording {name}");
    }
    text.ok()
}
