//! TLS as the program sets it up: trusted, mistaken, refused, or not verified for this one server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use common::{IDENTITY, answer, builder};
use plex_health::{Probe, Unreachable, Verdict};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};

struct Server {
    address: SocketAddr,
    certificate: reqwest::Certificate,
}

/// Speaks TLS with a certificate of its own for `localhost`.
fn tls_server() -> Server {
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
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(session, connection.unwrap());
            common::read_request(&mut stream);
            // The client may have refused the certificate.
            let _ = stream.write_all(&answer(200, "", IDENTITY));
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    Server {
        address,
        certificate: reqwest::Certificate::from_der(made.cert.der()).unwrap(),
    }
}

async fn verdict(builder: reqwest::ClientBuilder, url: &str) -> Verdict {
    Probe::new(builder, url).unwrap().shallow().await.verdict
}

fn unreachable(cause: Unreachable) -> Verdict {
    Verdict::Unreachable { cause }
}

#[tokio::test]
async fn a_trusted_certificate_for_this_name_is_accepted() {
    let Server {
        address,
        certificate,
    } = tls_server();
    let builder = builder()
        .tls_certs_only([certificate])
        .resolve("localhost", address);
    let url = format!("https://localhost:{}", address.port());
    assert!(verdict(builder, &url).await.is_healthy());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Server {
        address,
        certificate,
    } = tls_server();
    let builder = builder().tls_certs_only([certificate]);
    let verdict = verdict(builder, &format!("https://{address}")).await;
    assert_eq!(verdict, unreachable(Unreachable::Tls));
    assert_eq!(verdict.to_string(), "unreachable: the TLS handshake failed");
    assert!(verdict.hint().contains("plex.direct"));
}

#[tokio::test]
async fn an_unknown_issuer_is_refused() {
    let Server { address, .. } = tls_server();
    let other = tls_server().certificate;
    let builder = builder()
        .tls_certs_only([other])
        .resolve("localhost", address);
    let url = format!("https://localhost:{}", address.port());
    let untrusted = unreachable(Unreachable::Untrusted);
    assert_eq!(verdict(builder, &url).await, untrusted);
}

#[tokio::test]
async fn verification_can_be_skipped_for_this_server() {
    let Server { address, .. } = tls_server();
    let builder = builder().tls_danger_accept_invalid_certs(true);
    assert!(
        verdict(builder, &format!("https://{address}"))
            .await
            .is_healthy()
    );
}

#[tokio::test]
async fn https_to_a_server_that_speaks_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        connection.read_exact(&mut [0; 100]).unwrap();
        connection.write_all(&answer(400, "", "")).unwrap();
    });
    let other = tls_server().certificate;
    assert_eq!(
        verdict(builder().tls_certs_only([other]), &url).await,
        unreachable(Unreachable::NotTls)
    );
}

#[tokio::test]
async fn http_to_a_server_that_speaks_https() {
    let Server { address, .. } = tls_server();
    let verdict = verdict(builder(), &format!("http://{address}")).await;
    let closed = Verdict::Unreachable {
        cause: Unreachable::Closed,
    };
    assert_eq!(verdict, closed);
    assert!(verdict.hint().contains("try https"));
}
