//! Each request of a probe has a connection of its own: a kept one proves nothing about a new one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use common::{IDENTITY, probe, read_request};
use plex_health::{Unreachable, Verdict};

/// Keeps the connection open, as Plex does for 20 s.
fn keep_alive() -> Vec<u8> {
    let length = IDENTITY.len();
    format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n{IDENTITY}").into_bytes()
}

/// Said "healthy" for as long as the kept connection answered.
#[tokio::test]
async fn a_server_that_listens_no_more_is_unreachable_though_an_old_connection_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        drop(listener);
        while read_request(&mut connection).ends_with("\r\n\r\n") {
            connection.write_all(&keep_alive()).unwrap();
        }
    });
    let probe = probe(&url);
    assert!(probe.shallow().await.verdict.is_healthy());
    let cause = Unreachable::Refused;
    let verdict = probe.shallow().await.verdict;
    drop(probe);
    assert_eq!(verdict, Verdict::Unreachable { cause });
    server.join().unwrap();
}

/// Said "unreachable" when the server ended the kept connection just then.
#[tokio::test]
async fn a_server_that_ends_a_kept_connection_is_healthy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                assert!(read_request(&mut connection).contains("/identity"));
                connection.write_all(&keep_alive()).unwrap();
                // A second request on this connection is read, and has no answer.
                read_request(&mut connection);
            });
        }
    });
    let probe = probe(&url);
    for _ in 0..3 {
        let report = probe.shallow().await;
        assert!(report.verdict.is_healthy(), "{report}");
    }
}
