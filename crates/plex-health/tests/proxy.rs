//! What the environment calls a proxy must not see a token, nor answer in Plex's place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;
use std::time::Duration;

use common::{IDENTITY, answer, builder, probe, server};
use plex_health::{Probe, Verdict};

/// Probes the address of the test below, in a process whose environment names a proxy; otherwise
/// nothing.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var("PROBE_THIS") else {
        return;
    };
    let probe = probe(&url).sign_in("secret-token", "my-id").unwrap();
    println!("verdict: {}", probe.deep().await.verdict);
}

#[test]
fn a_proxy_of_the_environment_is_not_asked() {
    let plex = server(|_| Some(answer(200, "", IDENTITY)));
    let proxy = server(|_| Some(answer(502, "", "")));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("PROBE_THIS", &plex)
        .env("HTTP_PROXY", &proxy)
        .env("http_proxy", &proxy)
        .env("ALL_PROXY", &proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("verdict: healthy"), "{said}");
}

#[tokio::test]
async fn a_proxy_that_was_asked_for_is() {
    let proxy = server(|request| {
        assert!(
            request.starts_with("GET http://plex.invalid:32400/identity "),
            "{request}"
        );
        Some(answer(200, "", IDENTITY))
    });
    let url = "http://plex.invalid:32400";
    let limit = Duration::from_secs(5);
    let proxy = reqwest::Proxy::all(proxy).unwrap();
    let through = Probe::through_proxy(builder(), url, limit, proxy).unwrap();
    assert!(through.shallow().await.verdict.is_healthy());
    let direct = Probe::new(builder(), url).unwrap().shallow().await.verdict;
    assert!(matches!(direct, Verdict::Unreachable { .. }), "{direct}");
}
