//! A server that goes away and comes back.

use super::*;

#[test]
fn down_refuses_and_up_listens_on_the_same_port() {
    let (plex, key) = plex();
    let port = plex.port();
    for _ in 0..20 {
        let mut open = plex_client(&plex);
        assert_eq!(open.get("/").status, 200);
        plex.down();
        assert!(!plex.is_up());
        assert_eq!(
            open.rest().map(|rest| rest.len()).unwrap_or(0),
            0,
            "open connections end"
        );
        let refused = Client::connect(port).err().expect("refused");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        plex.up().unwrap();
        assert_eq!(plex.port(), port);
        assert_eq!(plex_client(&plex).get("/").status, 200);
    }
    assert!(plex.item(key).is_some(), "the library outlives the outage");
}

#[test]
fn down_and_up_twice_are_as_once_and_a_drop_ends_it() {
    let (plex, _) = plex();
    let port = plex.port();
    plex.down();
    plex.down();
    plex.up().unwrap();
    plex.up().unwrap();
    let second = plex.clone();
    drop(plex);
    assert_eq!(
        Client::connect(port).unwrap().get("/identity").status,
        200,
        "a handle is left"
    );
    drop(second);
    until(|| Client::connect(port).is_err());
}

/// Else a server that is to come back ill would be well for a moment.
#[test]
fn faults_outlive_down_and_up() {
    let (plex, _) = plex();
    plex.down();
    plex.fail_with(Fault::Unavailable);
    plex.up().unwrap();
    assert_eq!(plex_client(&plex).get("/identity").status, 503);
}

#[test]
fn a_held_port_is_given_to_nobody() {
    let (plex, _) = plex();
    plex.down();
    assert!(std::net::TcpListener::bind(("127.0.0.1", plex.port())).is_err());
}
