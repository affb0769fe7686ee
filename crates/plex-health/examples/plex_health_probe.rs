//! Probes a server and says how it is and what helps.
//!
//! Without arguments it shows some states of a server in this process:
//!
//! ```text
//! cargo run --example plex_health_probe
//! PLEX_TOKEN=… cargo run --example plex_health_probe http://192.168.1.10:32400
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error;

use mockito::Server;
use plex_health::{Probe, Report};

const IDENTITY: &str =
    r#"{"MediaContainer":{"machineIdentifier":"0123abcd","version":"1.43.1","claimed":true}}"#;
const MAINTENANCE: &str = r#"{"code":503,"title":"Maintenance","status":"Plex Media Server is currently running database migrations."}"#;
const SECTIONS: &str =
    r#"{"MediaContainer":{"Directory":[{"key":"1","refreshing":true},{"key":"2"}]}}"#;

fn show(state: &str, report: &Report) {
    println!("{state}: {report}");
    if !report.verdict.is_healthy() {
        println!("    {}", report.verdict.hint());
    }
}

async fn deep(url: &str, token: &str) -> Result<Report, Box<dyn Error>> {
    let probe = Probe::new(reqwest::Client::builder(), url)?;
    // Keep one identifier for each installation of your program.
    let probe = probe.sign_in(token, "5c9b3a2e-4d9f-4b60-8f3a-2f6f0f6a9f11")?;
    Ok(probe.deep().await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Only programs that build reqwest with `rustls-no-provider` need this.
    let _ = rustls::crypto::ring::default_provider().install_default();

    if let Some(url) = std::env::args().nth(1) {
        let token = std::env::var("PLEX_TOKEN").unwrap_or_default();
        show(&url, &deep(&url, &token).await?);
        return Ok(());
    }

    let mut server = Server::new_async().await;
    let url = server.url();
    for (state, status, body) in [
        ("during an upgrade", 503, MAINTENANCE),
        ("behind a proxy, stopped", 502, "<html>\r\n<head>"),
        ("restarting", 200, &IDENTITY[..40]),
        ("another service", 200, "<!DOCTYPE html>"),
    ] {
        server.reset();
        let answer = server.mock("GET", "/identity").with_status(status);
        answer.with_body(body).create_async().await;
        show(state, &deep(&url, "token").await?);
    }

    server.reset();
    for (path, body) in [("/identity", IDENTITY), ("/", IDENTITY)] {
        server
            .mock("GET", path)
            .with_body(body)
            .create_async()
            .await;
    }
    let sections = server.mock("GET", "/library/sections").with_status(401);
    sections.create_async().await;
    show("with a token that was revoked", &deep(&url, "old").await?);
    let sections = server.mock("GET", "/library/sections").with_body(SECTIONS);
    sections.create_async().await;
    show("well", &deep(&url, "token").await?);

    drop(server);
    show("stopped", &deep("http://127.0.0.1:1", "token").await?);
    Ok(())
}
