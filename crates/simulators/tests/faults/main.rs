//! What a client meets when a server fails, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod down;
#[path = "../support/mod.rs"]
mod support;

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use simulators::{Fault, PlexOptions, PlexServer, Rule, SectionKind, StashServer};
use support::{Client, plex_client, recording};

fn plex() -> (PlexServer, u64) {
    let plex = PlexServer::start().unwrap();
    let section = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    let key = plex.add_file(section, "/media/a.mp4");
    (plex, key)
}

/// Waits until a condition holds that another thread brings about.
fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "waited in vain");
        thread::yield_now();
    }
}

#[test]
fn hang_ends_with_the_faults_and_applies_nothing() {
    let (plex, key) = plex();
    plex.fail_with(Fault::Hang);
    let mut client = plex_client(&plex);
    client.read_timeout(Duration::from_millis(200));
    client
        .send(
            "PUT",
            &format!("/library/metadata/{key}?title.value=x"),
            b"",
        )
        .unwrap();
    let timeout = client.receive().unwrap_err();
    assert!(
        matches!(timeout.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{timeout}"
    );
    client.read_timeout(Duration::from_secs(10));
    plex.clear_faults();
    assert_eq!(client.rest().unwrap().len(), 0);
    until(|| plex.requests()[0].ended.is_some());
    assert_eq!(plex.requests()[0].status, None);
    assert_eq!(plex.item(key).unwrap().title(), "a");
}

#[test]
fn a_lost_answer_was_applied() {
    let (plex, key) = plex();
    plex.fail_with(Fault::AnswerLost);
    let mut client = plex_client(&plex);
    client
        .send(
            "PUT",
            &format!("/library/metadata/{key}?title.value=x"),
            b"",
        )
        .unwrap();
    until(|| plex.item(key).unwrap().title() == "x");
    plex.down();
    assert!(client.receive().is_err());
}

#[test]
fn slow_is_as_slow_as_said_and_latency_adds_to_all() {
    let (plex, _) = plex();
    let mut client = plex_client(&plex);
    let mut timed = |path: &str| {
        let begun = Instant::now();
        (client.get(path).status, begun.elapsed())
    };
    plex.fail_when(Rule::new(Fault::Slow(Duration::from_millis(150))).path("/library"));
    let (status, took) = timed("/library/sections");
    assert!(
        status == 200 && took >= Duration::from_millis(150),
        "{status} {took:?}"
    );
    let (_, quick) = timed("/identity");
    plex.set_latency(Duration::from_millis(100));
    let (_, later) = timed("/identity");
    assert!(
        quick < later && later >= Duration::from_millis(100),
        "{quick:?} {later:?}"
    );
}

#[test]
fn broken_answers_are_broken_in_their_own_ways() {
    let (plex, _) = plex();
    let ask = |fault: Fault| {
        plex.fail_with(fault);
        let mut client = plex_client(&plex);
        client.send("GET", "/library/sections", b"").unwrap();
        client.receive()
    };
    assert_eq!(
        ask(Fault::Reset).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(
        ask(Fault::Truncated).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(
        ask(Fault::Close).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    let broken = ask(Fault::BrokenDocument).unwrap();
    assert_eq!(broken.status, 200);
    assert!(
        broken.text().starts_with("{\"MediaContainer\"")
            && serde_json::from_str::<serde_json::Value>(broken.text()).is_err()
    );
    let page = ask(Fault::HtmlPage).unwrap();
    assert_eq!((page.status, page.header("x-plex-protocol")), (200, None));
}

#[test]
fn an_empty_answer_is_cut_too() {
    let (plex, key) = plex();
    plex.fail_with(Fault::Truncated);
    let mut client = plex_client(&plex);
    client
        .send(
            "PUT",
            &format!("/library/metadata/{key}?title.value=x"),
            b"",
        )
        .unwrap();
    assert_eq!(
        client.receive().unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(
        plex.item(key).unwrap().title(),
        "x",
        "applied before the answer broke"
    );
}

#[test]
fn maintenance_answers_as_recorded_on_every_path() {
    let (plex, _) = plex();
    plex.fail_with(Fault::maintenance());
    let xml = Client::connect(plex.port()).unwrap().get("/identity");
    assert_eq!(xml.status, 503);
    if let Some(recorded) = recording("plex/errors/503_maintenance_migrations.xml") {
        assert_eq!(xml.text().trim_end(), recorded.trim_end());
    }
    let text = "Plex Media Server is currently running startup maintenance tasks.";
    plex.fail_with(Fault::Maintenance(text.to_owned()));
    let json = plex_client(&plex).get("/library/sections");
    assert_eq!(
        (json.status, json.header("content-type")),
        (503, Some("application/json"))
    );
    if let Some(recorded) = recording("plex/errors/503_maintenance_startup.json") {
        assert_eq!(
            json.json(),
            serde_json::from_str::<serde_json::Value>(&recorded).unwrap()
        );
    }
}

#[test]
fn the_other_states_have_their_status_and_headers() {
    let (plex, _) = plex();
    for (fault, status, from_plex) in [
        (Fault::Unavailable, 503, true),
        (Fault::Unauthorized, 401, true),
        (Fault::BadGateway, 502, false),
        (Fault::GatewayTimeout, 504, false),
        (Fault::StartingUp, 400, true),
        (Fault::Status(500), 500, true),
        (Fault::TooManyRequests(Duration::from_secs(7)), 429, true),
    ] {
        plex.fail_with(fault.clone());
        let answer = plex_client(&plex).get("/identity");
        assert_eq!(answer.status, status, "{fault:?}");
        assert_eq!(
            answer.header("x-plex-protocol").is_some(),
            from_plex,
            "{fault:?}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/html"),
            "{fault:?}"
        );
        let waits = matches!(fault, Fault::TooManyRequests(_)).then_some("7");
        assert_eq!(answer.header("retry-after"), waits);
    }
    plex.set(|options| options.protocol_on_errors = false);
    assert_eq!(
        plex_client(&plex).get("/nowhere").header("x-plex-protocol"),
        None
    );
}

#[test]
fn rules_narrow_by_method_path_text_and_count() {
    let (plex, key) = plex();
    plex.fail_when(
        Rule::new(Fault::Status(500))
            .method("PUT")
            .path("/library/metadata")
            .times(2),
    );
    let mut client = plex_client(&plex);
    let edit = format!("/library/metadata/{key}?title.value=x");
    let statuses: Vec<u16> = (0..3).map(|_| client.put(&edit).status).collect();
    assert_eq!(statuses, [500, 500, 200]);
    assert_eq!(client.get("/library/sections").status, 200);

    let stash = StashServer::start().unwrap();
    stash.fail_when(Rule::new(Fault::Unavailable).containing("findScenes"));
    let mut client = Client::connect(stash.port())
        .unwrap()
        .header("ApiKey", &stash.api_key());
    assert_eq!(
        client
            .ask(
                "POST",
                "/graphql",
                br#"{"query":"{ findScenes { count } }"}"#
            )
            .status,
        503
    );
    assert_eq!(
        client
            .ask(
                "POST",
                "/graphql",
                br#"{"query":"{ version { version } }"}"#
            )
            .status,
        200
    );
}

#[test]
fn flaky_follows_its_seed() {
    let (plex, _) = plex();
    let run = |seed| {
        plex.fail_with(Fault::Unavailable);
        plex.clear_faults();
        plex.fail_when(Rule::new(Fault::Unavailable).flaky(30, seed));
        let mut client = plex_client(&plex);
        (0..100)
            .map(|_| client.get("/identity").status)
            .collect::<Vec<_>>()
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
    let failed = first.iter().filter(|status| **status == 503).count();
    assert!((15..=45).contains(&failed), "{failed} of 100");
}

#[test]
fn idle_connections_are_closed() {
    let options = PlexOptions {
        keep_alive: Duration::from_secs(1),
        ..PlexOptions::default()
    };
    let plex = PlexServer::start_with(options).unwrap();
    let mut client = Client::connect(plex.port()).unwrap();
    let answer = client.get("/identity");
    assert_eq!(answer.header("keep-alive"), Some("timeout=1"));
    let begun = Instant::now();
    assert_eq!(client.rest().unwrap().len(), 0);
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn requests_are_recorded_in_order_with_their_end() {
    let (plex, _) = plex();
    let mut client = plex_client(&plex);
    client.get("/identity?a=b");
    client.ask("POST", "/nowhere", b"body");
    until(|| {
        plex.requests()
            .iter()
            .all(|request| request.ended.is_some())
    });
    let requests = plex.take_requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (requests[0].path.as_str(), requests[0].query.as_str()),
        ("/identity", "a=b")
    );
    assert_eq!((requests[1].body_size, requests[1].status), (4, Some(404)));
    assert!(
        requests[0].at <= requests[1].at
            && requests[0].ended.unwrap() <= requests[1].ended.unwrap()
    );
    assert_eq!(
        requests[1].header("x-plex-token"),
        Some(plex.token().as_str())
    );
    assert_eq!((plex.request_count(), plex.connections_accepted()), (0, 1));
}

#[test]
fn chunked_bodies_are_read() {
    let (plex, key) = plex();
    let mut client = plex_client(&plex).header("Transfer-Encoding", "chunked");
    // `send` adds Content-Length; with chunks it has no meaning.
    client
        .send(
            "POST",
            &format!("/library/metadata/{key}/posters"),
            b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        )
        .unwrap();
    assert_eq!(client.receive().unwrap().status, 200);
    assert_eq!(
        plex.item(key).unwrap().posters.selected_sha1(),
        Some("a9993e364706816aba3e25717850c26c9cd0d89d")
    );
}

#[test]
fn an_async_client_with_a_pool_works_through_an_outage() {
    let (plex, _) = plex();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        // Built with the whole workspace, reqwest has TLS without a provider, and panics for want
        // of one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        let identity = format!("{}/identity", plex.url());
        let status = async || {
            http.get(&identity)
                .send()
                .await
                .map(|answer| answer.status().as_u16())
        };
        for _ in 0..3 {
            assert_eq!(status().await.unwrap(), 200);
        }
        assert_eq!(plex.connections_accepted(), 1, "kept alive");
        plex.down();
        // The first may still go to the pooled connection, which is gone.
        assert!(status().await.is_err());
        assert!(status().await.unwrap_err().is_connect());
        plex.up().unwrap();
        assert_eq!(status().await.unwrap(), 200);
        plex.fail_with(Fault::Truncated);
        let answer = http.get(&identity).send().await.unwrap();
        assert!(answer.bytes().await.is_err());
        plex.fail_with(Fault::Hang);
        let hung = http
            .get(&identity)
            .timeout(Duration::from_millis(200))
            .send()
            .await
            .unwrap_err();
        assert!(hung.is_timeout());
    });
}
