//! Lists the libraries of a server, their items, and the files of each.
//!
//! Without a server it reads from one in this process:
//!
//! ```text
//! cargo run --example plex_list
//! PLEX_TOKEN=… cargo run --example plex_list http://192.168.1.10:32400
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error;

use mockito::{Matcher, Server};
use plex::{Client, Device, Sort, Timeouts};

const SECTIONS: &str = r#"{"MediaContainer":{"size":1,"Directory":[
    {"key":"1","type":"movie","title":"Films","agent":"tv.plex.agents.none","Location":[{"id":1,"path":"/films"}]}]}}"#;
const ITEMS: &str = r#"{"MediaContainer":{"size":2,"totalSize":2,"offset":0,"librarySectionID":1,"Metadata":[
    {"ratingKey":"10","type":"movie","title":"Sintel","Media":[{"Part":[{"file":"/films/Sintel.mkv","size":129241752}]}]},
    {"ratingKey":"11","type":"movie","title":"Spring","Media":[{"Part":[{"file":"/films/Spring.mkv","size":98123456}]}]}]}}"#;

async fn list(url: &str, token: &str) -> Result<(), Box<dyn Error>> {
    // Keep one identifier for each installation of your program: see `plex::client_identifier`.
    let device = Device::new("8b1f7d52-3f7a-4f0e-9d53-0f6a5d1c7e21", "plex_list", "1.0");
    let plex = Client::new(
        reqwest::Client::builder(),
        url,
        Some(token.parse()?),
        &device,
        Timeouts::default(),
    )?;
    for section in plex.sections().await? {
        println!(
            "{} ({}) in {:?}",
            section.title, section.kind, section.locations
        );
        let Some(kind) = section.video_kind() else {
            continue;
        };
        let mut next = Some(0);
        while let Some(start) = next {
            let page = plex
                .page(&section.id, kind, Sort::Title, start, 200)
                .await?;
            for item in &page.items {
                let files: Vec<_> = item.files().map(|part| part.file.as_str()).collect();
                println!("  {:>8}  {}  {files:?}", item.key.as_str(), item.title);
            }
            next = page.next;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Only programs that build reqwest with `rustls-no-provider` need this.
    let _ = rustls::crypto::ring::default_provider().install_default();

    if let Some(url) = std::env::args().nth(1) {
        return list(&url, &std::env::var("PLEX_TOKEN")?).await;
    }
    let mut server = Server::new_async().await;
    let sections = server.mock("GET", "/library/sections");
    sections.with_body(SECTIONS).create_async().await;
    let items = server.mock("GET", Matcher::Regex("^/library/sections/1/all".into()));
    items.with_body(ITEMS).create_async().await;
    list(&server.url(), "token").await
}
