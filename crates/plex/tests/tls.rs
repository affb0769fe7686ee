//! A server with a certificate of its own: refused, unless the program says otherwise for this one
//! server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{io::Write, net::TcpListener, sync::Arc, thread};

use common::{builder, client_with};
use plex::{Error, Timeouts, Unreachable};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};

/// Its address and its certificate, which names this host.
fn tls_server(host: &str) -> (String, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
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
    (url, der)
}

fn refused_for_its_certificate(error: &Error) -> bool {
    let cause = match error {
        Error::Unreachable { cause, .. } => cause,
        _ => return false,
    };
    *cause == Unreachable::Tls
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_verification_is_skipped() {
    let (url, _) = tls_server("localhost");
    let verifying = client_with(builder(), &url, Timeouts::default());
    let error = verifying.sections().await.unwrap_err();
    assert!(refused_for_its_certificate(&error), "{error:?}");
    let skipping = builder().tls_danger_accept_invalid_certs(true);
    let skipping = client_with(skipping, &url, Timeouts::default());
    assert_eq!(skipping.sections().await.unwrap().len(), 1);
}

/// Plex has a certificate for `*.HASH.plex.direct`: right under that name, wrong under the IP
/// address.
#[tokio::test]
async fn a_plex_direct_certificate_fits_its_name_only() {
    let hash = "0123456789abcdef0123456789abcdef";
    let (by_address, certificate) = tls_server(&format!("*.{hash}.plex.direct"));
    let trusting = || {
        let root = reqwest::Certificate::from_der(&certificate).unwrap();
        builder().tls_certs_only([root])
    };
    let wrong = client_with(trusting(), &by_address, Timeouts::default());
    let error = wrong.sections().await.unwrap_err();
    assert!(refused_for_its_certificate(&error), "{error:?}");
    assert!(error.to_string().contains("plex.direct"), "{error}");

    let port: u16 = by_address.rsplit(':').next().unwrap().parse().unwrap();
    let name = format!("127-0-0-1.{hash}.plex.direct");
    // What Plex's name server answers.
    let resolving = trusting().resolve(&name, ([127, 0, 0, 1], port).into());
    let url = format!("https://{name}:{port}");
    let right = client_with(resolving, &url, Timeouts::default());
    assert_eq!(right.sections().await.unwrap().len(), 1);
}
