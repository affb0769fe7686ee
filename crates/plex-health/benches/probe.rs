//! What a probe costs beside a bare request of the same address: `cargo bench -p
//! outlast-plex-health`.
//!
//! Both connect anew each time, in turns. The server runs on the same thread: which of two
//! threads wakes on which core says nothing about a probe, and would decide the result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use plex_health::Probe;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

const WARM_UP: usize = 100;
/// Each leaves two ports waiting for a minute.
const ROUNDS: usize = 2_000;

async fn server() -> String {
    const BODY: &str = r#"{"MediaContainer":{"size":0,"apiVersion":"1.1.1","claimed":true,"machineIdentifier":"0123456789abcdef0123456789abcdef01234567","version":"1.42.2.10156-f737b826c"}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = BODY.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nX-Plex-Protocol: 1.0\r\nContent-Length: {length}\r\n\r\n{BODY}"
    );
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let (read, mut write) = connection.into_split();
                let mut lines = BufReader::new(read).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line.is_empty() {
                        write.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    url
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = server().await;
    let probe = Probe::new(reqwest::Client::builder(), &url).unwrap();
    let unpooled = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0);
    let bare = unpooled.build().unwrap();
    let identity = format!("{url}/identity");
    let (mut probes, mut gets) = (Vec::new(), Vec::new());
    for _ in 0..WARM_UP + ROUNDS {
        let started = Instant::now();
        let body = bare.get(&identity).send().await.unwrap().bytes().await;
        gets.push(started.elapsed());
        assert!(!body.unwrap().is_empty());

        let started = Instant::now();
        let report = probe.shallow().await;
        probes.push(started.elapsed());
        assert!(report.verdict.is_healthy());
    }
    let (probe, get) = (
        median(probes.split_off(WARM_UP)),
        median(gets.split_off(WARM_UP)),
    );
    let ratio = probe.as_secs_f64() / get.as_secs_f64();
    println!("median of {ROUNDS}: probe {probe:?}, bare GET {get:?}, ratio {ratio:.2}");
}
