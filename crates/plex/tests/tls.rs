//! A server with a certificate of its own: refused, unless the program says otherwise for this one server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{io::Write, net::TcpListener, sync::Arc, thread};

use common::{builder, client_with};
use plex::{Error, Timeouts, Unreachable};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};

fn tls_server() -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(session, connection.unwrap());
            common::read_request(&mut stream);
            let body = r#"{"MediaContainer":{"Directory":[{"key":"1"}]}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            // The client may have refused the certificate.
            let _ = stream.write_all((head + body).as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    url
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_verification_is_skipped() {
    let url = tls_server();
    let verifying = client_with(builder(), &url, Timeouts::default());
    let error = verifying.sections().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                cause: Unreachable::Tls,
                ..
            }
        ),
        "{error:?}"
    );
    let skipping = builder().tls_danger_accept_invalid_certs(true);
    let skipping = client_with(skipping, &url, Timeouts::default());
    assert_eq!(skipping.sections().await.unwrap().len(), 1);
}
