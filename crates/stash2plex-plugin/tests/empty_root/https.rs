//! https in front of the simulated Plex, with an authority of its own.

use std::sync::{Arc, mpsc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub struct Https {
    pub port: u16,
    /// Its certificate, as a bundle of them holds it.
    pub authority: String,
}

/// For as long as the process lives.
pub fn before(plain: u16, name: &str) -> Https {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&key).unwrap();
    let issuer = Issuer::from_params(&authority, key);
    let own_key = KeyPair::generate().unwrap();
    let own = CertificateParams::new([name.to_owned()]).unwrap();
    let own = own.signed_by(&own_key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::Pkcs8(own_key.serialize_der().into()),
        )
        .unwrap();
    let (port, listening) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(forward(TlsAcceptor::from(Arc::new(config)), plain, &port));
    });
    Https {
        port: listening.recv().unwrap(),
        authority: certificate.pem(),
    }
}

async fn forward(tls: TlsAcceptor, plain: u16, port: &mpsc::Sender<u16>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    port.send(listener.local_addr().unwrap().port()).unwrap();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let accepted = tls.accept(client);
        tokio::spawn(async move {
            // Who does not trust it goes away.
            let Ok(mut client) = accepted.await else {
                return;
            };
            let mut server = TcpStream::connect(("127.0.0.1", plain)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
