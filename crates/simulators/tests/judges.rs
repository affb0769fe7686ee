//! The client and the probe read answers by code of their own, since neither depends on the other.
//! They must judge the same answer alike: a job that the one sends to the dead letters must not be
//! what the other calls an outage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use plex::{Client, Device, Error, Timeouts};
use plex_health::{Probe, Verdict};

/// What either makes of an answer, as far as both can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Fine,
    Starting,
    Overloaded,
    Gateway,
    Unauthorized,
    Garbled,
    /// Not what was asked for: another program, another address, or a request that this server does
    /// not know.
    Unexpected,
}

const STATUSES: [u16; 20] = [
    200, 204, 301, 307, 400, 401, 403, 404, 405, 408, 409, 410, 414, 422, 429, 500, 501, 502, 503,
    504,
];

const BODIES: [&str; 14] = [
    "",
    "no available server",
    r#"{"MediaContainer":{"size":0}}"#,
    r#"{"MediaContainer":{"size":0,"Dir"#,
    r#"{"code":503,"title":"Maintenance","status":"Running startup tasks."}"#,
    r#"{"code":503,"title":"Busy","status":"Try later."}"#,
    r#"{"code":503,"ti"#,
    r#"{"error":"no healthy upstream"}"#,
    r#"<?xml version="1.0"?><Response code="503" title="Maintenance" status="Running database migrations." />"#,
    r#"<?xml version="1.0"?><Response code="503" title="Busy" status="Try later." />"#,
    "<html><head><title>X</title></head><body><h1>STATUS X</h1></body></html>", // Plex
    "<html>\r\n<head><title>X</title></head>\r\n<body>\r\n<center><h1>STATUS X</h1></center>", // nginx
    "<html><body><h1>STATUS Service Unavailable</h1>\nNo server is available.\n</body></html>", // HAProxy
    "<html><body>The server is still starting up</body></html>",
];

/// Answers `/library/sections` as it was told last, and everything else as a healthy Plex.
fn server() -> (String, Arc<Mutex<(u16, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new((200, String::new())));
    let theirs = Arc::clone(&told);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let healthy = r#"{"MediaContainer":{"machineIdentifier":"abc","version":"1"}}"#;
            let (status, body) = match request.starts_with(b"GET /library/sections") {
                true => theirs.lock().unwrap().clone(),
                false => (200, healthy.to_owned()),
            };
            let length = if status == 204 { 0 } else { body.len() };
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = connection.write_all((head + &body[..length]).as_bytes());
        }
    });
    (url, told)
}

fn client_says(answer: Result<Vec<plex::Section>, Error>) -> Judged {
    match answer {
        Ok(_) => Judged::Fine,
        Err(Error::Starting(_)) => Judged::Starting,
        Err(Error::Overloaded { .. }) => Judged::Overloaded,
        Err(Error::Gateway { .. }) => Judged::Gateway,
        Err(Error::Unauthorized { .. }) => Judged::Unauthorized,
        Err(Error::Malformed(_)) => Judged::Garbled,
        Err(
            Error::NotPlex { .. }
            | Error::Redirected { .. }
            | Error::NotFound
            | Error::Rejected { .. }
            | Error::LineTooLong { .. },
        ) => Judged::Unexpected,
        Err(other) => panic!("{other:?}"),
    }
}

fn probe_says(verdict: &Verdict) -> Judged {
    match verdict {
        Verdict::Healthy { .. } => Judged::Fine,
        Verdict::Starting { .. } => Judged::Starting,
        Verdict::Overloaded { .. } => Judged::Overloaded,
        Verdict::Gateway { .. } => Judged::Gateway,
        Verdict::Unauthorized { .. } => Judged::Unauthorized,
        Verdict::Garbled => Judged::Garbled,
        Verdict::NotPlex { .. } => Judged::Unexpected,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn both_judge_each_answer_alike() {
    // Only programs that build reqwest with `rustls-no-provider` need this, as the tests of the
    // workspace do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (url, told) = server();
    let limit = Duration::from_secs(10);
    let timeouts = Timeouts {
        connect: limit,
        read: limit,
        list: limit,
        write: limit,
        upload: limit,
    };
    let device = Device::new("id", "test", "1");
    let token = Some("token".parse().unwrap());
    let client = Client::new(reqwest::Client::builder(), &url, token, &device, timeouts).unwrap();
    let probe = Probe::with_limit(reqwest::Client::builder(), &url, limit).unwrap();
    let mut differ = Vec::new();
    for status in STATUSES {
        for body in BODIES {
            let body = body.replace("STATUS", &status.to_string());
            *told.lock().unwrap() = (status, body.clone());
            let client = client_says(client.sections().await);
            let probe = probe_says(&probe.deep().await.verdict);
            if client != probe {
                differ.push(format!(
                    "{status} {body}: client {client:?}, probe {probe:?}"
                ));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
