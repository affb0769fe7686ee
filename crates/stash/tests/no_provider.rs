//! In a process of its own: no crypto provider is installed.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used)]

use stash::client::{Client, Endpoint, Error};

#[test]
fn a_missing_crypto_provider_is_an_error_and_no_panic() {
    let endpoint = Endpoint::new("https://nas").unwrap();
    let error = Client::new(reqwest::Client::builder(), &endpoint).unwrap_err();
    assert!(
        matches!(&error, Error::Setup(why) if why.contains("crypto provider")),
        "{error}"
    );
}
