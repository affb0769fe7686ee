//! A Stash with a certificate of its own making.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::json;
use stash::client::{Client, Endpoint, Error, Unreachable};
use stash::protocol::PluginInput;

/// Serves one answer to everybody, under a certificate for a name nobody calls it by.
fn self_signed() -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["stash.invalid".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let mut tls = ServerConnection::new(config.clone()).unwrap();
            let mut stream = Stream::new(&mut tls, &mut socket);
            if stream.read(&mut [0; 65536]).is_ok() {
                let body = r#"{"data":{"version":{"version":"v0.30.1"}}}"#;
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.flush();
            }
        }
    });
    port
}

#[tokio::test]
async fn the_certificate_of_the_plugins_own_stash_is_not_verified() {
    let stdin = json!({
        "server_connection": {
            "Scheme": "https", "Host": "0.0.0.0", "Port": self_signed(), "SessionCookie": null, "Dir": "/", "PluginDir": "/",
        },
        "args": {},
    });
    let input = PluginInput::parse(stdin.to_string().as_bytes()).unwrap();
    let endpoint = Endpoint::of_plugin(&input.server_connection).unwrap();
    let client = Client::new(reqwest::Client::builder(), &endpoint).unwrap();
    assert_eq!(client.version().await.unwrap(), "v0.30.1");
}

#[tokio::test]
async fn any_other_is_unless_asked_otherwise() {
    let endpoint = Endpoint::new(&format!("https://127.0.0.1:{}", self_signed())).unwrap();
    let roots = || reqwest::Client::builder().tls_certs_only([]);
    let error = Client::new(roots(), &endpoint)
        .unwrap()
        .version()
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Unreachable {
                kind: Unreachable::Connect,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("certificate"), "{error}");
    let client = Client::new(roots(), &endpoint.without_tls_verification()).unwrap();
    assert_eq!(client.version().await.unwrap(), "v0.30.1");
}
