//! Every recorded answer has its verdict, served again over a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{IDENTITY, answer, probe, recording, server};
use plex_health::{Libraries, Verdict};

const READY: &str = r#"{"MediaContainer":{"friendlyName":"x"}}"#;

async fn verdict(status: u16, body: String) -> Verdict {
    let url = server(move |_| Some(answer(status, "", &body)));
    probe(&url).shallow().await.verdict
}

#[tokio::test]
async fn recordings() {
    let read = async |status, name| Some(verdict(status, recording(name)?).await);
    let Some(verdict) = read(200, "wire/identity_claimed.json").await else {
        return;
    };
    let Verdict::Healthy {
        server,
        libraries: None,
    } = verdict.clone()
    else {
        panic!("{verdict:?}");
    };
    assert_eq!(server.version, "1.42.2.10156-f737b826c");
    assert!(server.claimed);
    assert_eq!(read(200, "wire/identity_claimed.xml").await, Some(verdict));

    for (status, name, words) in [
        (
            200,
            "wire/identity_unclaimed_old.json",
            "healthy, version 1.32.5.7516-8f4248874, not claimed by an account",
        ),
        (200, "wire/root.json", "healthy, version"),
        (200, "wire/root.xml", "healthy, version"),
        (200, "wire/metadata_tree.xml", "not Plex"),
        (
            400,
            "errors/400.html",
            "not Plex: something else answered (HTTP 400)",
        ),
        (401, "errors/401_any_path.html", "guarded"),
        (401, "errors/401_root.html", "guarded"),
        (404, "errors/404_same_form_unverified.html", "not Plex"),
        (500, "errors/500.html", "overloaded: Plex answered HTTP 500"),
        (
            503,
            "errors/503_maintenance_migrations.xml",
            "starting or in maintenance: Plex Media Server is currently running database migrations.",
        ),
        (
            503,
            "errors/503_maintenance_startup.json",
            "starting or in maintenance: Plex Media Server is currently running startup maintenance tasks.",
        ),
    ] {
        let verdict = read(status, name).await.unwrap().to_string();
        assert!(verdict.starts_with(words), "{name}: {verdict}");
    }
}

#[tokio::test]
async fn recorded_libraries() {
    for (name, count) in [
        ("wire/library_sections_1movie.xml", 1),
        ("wire/library_sections_empty_scrubbed.json", 0),
        ("wire/library.xml", 3),
    ] {
        let Some(sections) = recording(name) else {
            return;
        };
        let url = server(move |request| {
            let body = match request.split(' ').nth(1).unwrap() {
                "/identity" => IDENTITY,
                "/" => READY,
                _ => &sections,
            };
            Some(answer(200, "", body))
        });
        let verdict = probe(&url).deep().await.verdict;
        let Verdict::Healthy {
            libraries: Some(libraries),
            ..
        } = verdict
        else {
            panic!("{name}: {verdict:?}");
        };
        assert_eq!(
            libraries,
            Libraries {
                count,
                scanning: false
            },
            "{name}"
        );
    }
}
