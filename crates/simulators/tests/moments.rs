//! What happens around requests: things done in the world between two of them, answers replaced,
//! delays by route.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use simulators::{Fault, PlexServer, Requests, Response, Rule, SectionKind, StashServer};
use support::{Client, plex_client};

fn plex() -> (PlexServer, u64) {
    let plex = PlexServer::start().unwrap();
    let section = plex.add_section("Films", SectionKind::Movie, &["/media"]);
    let key = plex.add_file(section, "/media/a.mp4");
    (plex, key)
}

fn title(client: &mut Client, item: &str) -> String {
    let details = client.get(item).container();
    details["Metadata"][0]["title"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_edits_after_the_look() {
    let (plex, key) = plex();
    let item = format!("/library/metadata/{key}");
    let mut client = plex_client(&plex);
    let looks = Requests::all().method("GET").path(&item).after(1).times(1);
    plex.after(looks, move |plex| plex.edit_by_hand(key, "title", "Mine"));
    assert_eq!(title(&mut client, &item), "a");
    assert_eq!(
        title(&mut client, &item),
        "a",
        "seen before the person was there"
    );
    assert_eq!(plex.item(key).unwrap().title(), "Mine");
    plex.edit_by_hand(key, "title", "b");
    assert_eq!(title(&mut client, &item), "b");
    assert_eq!(title(&mut client, &item), "b", "only once");
}

#[test]
fn a_person_edits_before_the_write() {
    let (plex, key) = plex();
    let item = format!("/library/metadata/{key}");
    let mut client = plex_client(&plex);
    plex.before(Requests::all().method("PUT").times(1), move |plex| {
        plex.edit_by_hand(key, "title", "Mine");
        plex.edit_by_hand(key, "summary", "Mine too");
    });
    client.put(&format!("{item}?title.value=Theirs"));
    let found = plex.item(key).unwrap();
    assert_eq!(
        (found.title(), found.field("summary")),
        ("Theirs", "Mine too")
    );
}

#[test]
fn an_action_may_change_the_servers_behaviour_and_waits_for_requests_that_are_carried_out() {
    let (plex, _) = plex();
    let mut client = plex_client(&plex);
    plex.after(Requests::all().path("/library/sections").times(1), |plex| {
        plex.fail_with(Fault::Unavailable);
    });
    plex.fail_when(Rule::new(Fault::Status(500)).times(1));
    assert_eq!(
        client.get("/library/sections").status,
        500,
        "not carried out"
    );
    assert_eq!(client.get("/library/sections").status, 200);
    assert_eq!(client.get("/library/sections").status, 503);
}

#[test]
fn actions_of_one_server_reach_another_and_keep_neither_alive() {
    let (plex, key) = plex();
    let stash = StashServer::start().unwrap();
    let scene = stash.add_scene("/data/a.mp4");
    let other = stash.clone();
    plex.before(Requests::all().method("PUT"), move |_| {
        _ = other.edit(scene).title("New")
    });
    plex_client(&plex).put(&format!("/library/metadata/{key}?title.value=x"));
    assert_eq!(stash.scene(scene).unwrap().title, "New");
    stash.after(Requests::all().path("/healthz"), |stash| {
        stash.expire_sessions()
    });
    let session = stash.session();
    Client::connect(stash.port()).unwrap().get("/healthz");
    assert_ne!(stash.session(), session);
    let ports = [plex.port(), stash.port()];
    drop(plex);
    drop(stash);
    let begun = Instant::now();
    while ports.iter().any(|port| Client::connect(*port).is_ok()) {
        assert!(begun.elapsed() < Duration::from_secs(10), "still there");
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_is_replaced_for_the_requests_that_match() {
    let (plex, key) = plex();
    let mut client = plex_client(&plex);
    let posters = format!("/library/metadata/{key}/posters");
    let replace = |rule: Rule| plex.fail_when(rule);
    let too_large = Response::new(413, "text/html", "<html>too large</html>");
    replace(
        Rule::new(Fault::Answer(too_large))
            .method("POST")
            .with_body(),
    );
    let away = Response::new(302, "text/html", "").with_header("Location", "https://elsewhere/");
    replace(
        Rule::new(Fault::Answer(away))
            .path("/library")
            .query("file=b.mp4")
            .times(1),
    );
    let login = Response::new(200, "text/html", "<html>Log in</html>");
    replace(Rule::new(Fault::Answer(login)).path("/identity"));
    let filter = Response::new(403, "text/html", "Blocked").with_header("Server", "filter");
    replace(Rule::new(Fault::Answer(filter)).method("PUT").after(1));

    assert_eq!(client.ask("POST", &posters, b"abc").status, 413);
    assert_eq!(
        plex.item(key).unwrap().posters.entries.len(),
        1,
        "nothing applied"
    );
    let by_url = format!("{posters}?url=http%3A%2F%2Fstash%2Fcover");
    assert_eq!(client.ask("POST", &by_url, b"").status, 200, "no body");

    let list = |file: &str| format!("/library/sections/1/all?type=1&file={file}");
    let moved = client.get(&list("b.mp4"));
    assert_eq!(
        (moved.status, moved.header("location")),
        (302, Some("https://elsewhere/"))
    );
    assert_eq!(client.get(&list("b.mp4")).status, 200, "once");
    assert_eq!(client.get(&list("a.mp4")).status, 200);
    for _ in 0..2 {
        let page = client.get("/identity");
        assert_eq!(
            (page.text(), page.header("x-plex-protocol")),
            ("<html>Log in</html>", None)
        );
    }
    let edit = format!("/library/metadata/{key}?title.value=x");
    assert_eq!([(); 3].map(|()| client.put(&edit).status), [200, 403, 403]);
    assert_eq!(client.put(&edit).header("server"), Some("filter"));
}

#[test]
fn a_route_may_be_slow_while_others_are_not() {
    let (plex, _) = plex();
    let mut client = plex_client(&plex);
    let mut timed = |path: &str| {
        let begun = Instant::now();
        client.get(path);
        begun.elapsed()
    };
    let delay = Duration::from_millis(150);
    plex.fail_when(Rule::new(Fault::Slow(delay)).path("/library/sections"));
    let (slow, quick) = (timed("/library/sections"), timed("/identity"));
    assert!(slow >= delay && quick < slow, "{slow:?} {quick:?}");
}
