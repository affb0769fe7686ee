//! Finds an item by its file, changes it, and shows what went over the wire, with a server in this
//! process: `cargo run --example plex_edit`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error;

use mockito::{Matcher, Server};
use plex::{
    Client, Device, Edit, Field, FileSearch, ItemKind, MAX_VALUE, Tag, TagKind, Timeouts, fit,
};

const FOUND: &str = r#"{"MediaContainer":{"size":1,"totalSize":1,"offset":0,"librarySectionID":1,"Metadata":[
    {"ratingKey":"10","type":"movie","title":"Sintel","Genre":[{"tag":"Short"},{"tag":"Drama"}],
     "Field":[{"name":"title","locked":true}],"Media":[{"Part":[{"file":"/films/Sintel.mkv","size":129241752}]}]}]}}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Only programs that build reqwest with `rustls-no-provider` need this.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let mut server = Server::new_async().await;
    let reads = server.mock("GET", Matcher::Any).with_body(FOUND);
    reads.create_async().await;
    let writes = server
        .mock("PUT", Matcher::Any)
        .with_body_from_request(|request| {
            println!("PUT {}", request.path_and_query());
            Vec::new()
        });
    writes.create_async().await;

    let device = Device::new("8b1f7d52-3f7a-4f0e-9d53-0f6a5d1c7e21", "plex_edit", "1.0");
    let plex = Client::new(
        reqwest::Client::builder(),
        &server.url(),
        Some("token".parse()?),
        &device,
        Timeouts::default(),
    )?;

    let section = "1".parse()?;
    let found = plex
        .find_by_file(&section, ItemKind::Movie, r"D:\films\Sintel.mkv")
        .await?;
    let FileSearch::Candidates(items) = found else {
        println!("this server cannot search by file: read the library page by page");
        return Ok(());
    };
    for item in items {
        // Listings cut tags and show no locks: read the item itself before changing it.
        let item = plex.item(&item.key).await?;
        println!(
            "{}: title locked: {}, genres: {}",
            item.title,
            item.is_locked(Field::Title),
            item.tags(TagKind::Genre).len(),
        );
        let summary = "A girl searches for a dragon. ".repeat(300);
        let edit = Edit::new(section.clone(), ItemKind::Movie, item.key)
            .set(Field::Studio, "Blender Foundation")
            .set(Field::Summary, fit(&summary, MAX_VALUE))
            .tags(TagKind::Genre, ["Short", "Fantasy"])
            .remove_tags(TagKind::Genre, ["Drama"])
            .tags(
                TagKind::Actor,
                [Tag {
                    name: "Halina Reijn".into(),
                    role: "Sintel".into(),
                }],
            );
        plex.edit(&edit).await?;
    }
    Ok(())
}
