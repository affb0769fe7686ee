//! The HTTP clients' TLS: rustls on *ring*, the system's certificates, bundled ones where there are
//! none. And their names.

use std::sync::Once;

use reqwest::{Certificate, Client, ClientBuilder};

static PROVIDER: Once = Once::new();

/// A builder that works on any machine, with or without certificates installed.
///
/// In a container without a CA bundle the platform's verifier cannot be built, and reqwest then
/// refuses even `http://`; the bundled roots of Mozilla take its place.
pub fn client_builder() -> ClientBuilder {
    PROVIDER.call_once(|| {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    // A proxy from the environment would see tokens and sessions.
    let builder = || resolving(Client::builder().no_proxy());
    if builder().build().is_ok() {
        return builder();
    }
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let roots = roots.iter().map(|der| Certificate::from_der(der));
    builder().tls_certs_only(roots.filter_map(Result::ok))
}

#[cfg(target_os = "linux")]
fn resolving(builder: ClientBuilder) -> ClientBuilder {
    builder.dns_resolver(crate::clients::names::Names)
}

#[cfg(not(target_os = "linux"))]
fn resolving(builder: ClientBuilder) -> ClientBuilder {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_built_from_bundled_roots_alone() {
        client_builder().build().unwrap();
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        assert!(roots.len() > 50);
        assert!(roots.iter().all(|der| Certificate::from_der(der).is_ok()));
    }
}
