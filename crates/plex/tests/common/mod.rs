//! What all tests share.
#![allow(dead_code)]

use plex::{Client, Device, Timeouts};

/// Long enough not to occur by chance.
pub const TOKEN: &str = "token-for-tests";

pub fn client(url: &str) -> Client {
    client_with(url, Timeouts::default())
}

pub fn client_with(url: &str, timeouts: Timeouts) -> Client {
    Client::new(
        reqwest::Client::builder(),
        url,
        Some(TOKEN.parse().unwrap()),
        &Device::new("identifier", "plex tests", "1"),
        timeouts,
    )
    .unwrap()
}
