//! Scenes by id, one of them gone: from the Stash at `STASH_URL` (with `STASH_API_KEY`, ids as
//! arguments), else from a stand-in.
//!
//! `cargo run --example stash_scenes`
#![allow(clippy::unwrap_used)]

use mockito::{Matcher, Server};
use stash::Secret;
use stash::client::{Client, Endpoint, Error, SceneId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (_stand_in, endpoint) = match std::env::var("STASH_URL") {
        Ok(url) => {
            let key = std::env::var("STASH_API_KEY").unwrap_or_default();
            (None, Endpoint::new(&url)?.with_api_key(Secret::new(key)))
        }
        Err(_) => {
            println!("(no STASH_URL: a stand-in answers)\n");
            let server = stand_in().await;
            let endpoint = Endpoint::new(&server.url())?;
            (Some(server), endpoint)
        }
    };
    let mut ids: Vec<SceneId> = std::env::args()
        .skip(1)
        .filter_map(|id| id.parse().ok())
        .collect();
    if ids.is_empty() {
        ids = vec![1.into(), 2.into()];
    }
    let client = Client::new(reqwest::Client::builder(), &endpoint)?;
    println!("Stash {}", client.version().await?);
    let found = client.find_scenes(&ids).await?;
    for scene in found.scenes {
        let performers: Vec<_> = scene
            .performers
            .iter()
            .map(|performer| performer.name.as_str())
            .collect();
        println!(
            "scene {}: {:?} with {performers:?}, rated {:?}",
            scene.id, scene.title, scene.rating100
        );
    }
    for id in found.missing {
        println!("scene {id}: Stash has it no longer");
    }
    Ok(())
}

async fn stand_in() -> mockito::ServerGuard {
    let mut server = Server::new_async().await;
    for (part, body) in [
        (
            "query Version",
            r#"{"data":{"version":{"version":"v0.30.1"}}}"#,
        ),
        ("query Probe", r#"{"data":{"scene":null,"filter":null}}"#),
        (
            "query FindScenes",
            r#"{"data":{"s1":{"id":"1","title":"Dawn","rating100":75,"performers":[{"id":"3","name":"Ann"}]},"s2":null}}"#,
        ),
    ] {
        let mock = server
            .mock("POST", "/graphql")
            .match_body(Matcher::Regex(part.into()));
        mock.with_body(body).create_async().await;
    }
    server
}
