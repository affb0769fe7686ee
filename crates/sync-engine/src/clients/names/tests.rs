#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Instant;

use plex_health::{Probe, Unreachable, Verdict};
use simulators::dns::{self, Answer};

use super::*;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

type Says = fn(&str, bool) -> Answer;

/// As `/etc/resolv.conf` with these servers would say it, in that order.
fn settings(more: &str, servers: &[Says]) -> (ResolverConfig, ResolverOpts) {
    let (config, options) = parse_resolv_conf(format!("nameserver 127.0.0.1\n{more}")).unwrap();
    let servers = servers.iter().map(|says| {
        let at = dns::serve(([127, 0, 0, 1], 0), *says).unwrap();
        let mut server = NameServerConfig::udp_and_tcp(at.ip());
        server
            .connections
            .iter_mut()
            .for_each(|it| it.port = at.port());
        server
    });
    let config = ResolverConfig::from_parts(
        config.domain().cloned(),
        config.search().into(),
        servers.collect(),
    );
    (config, options)
}

async fn asked(more: &str, servers: &[Says], name: &str) -> Result<Vec<IpAddr>, Error> {
    let (config, options) = settings(more, servers);
    ask(&config, options, name).await
}

fn knows_both(_: &str, v6: bool) -> Answer {
    Answer::Is(if v6 { V6 } else { V4 })
}

fn knows_ipv4(_: &str, v6: bool) -> Answer {
    if v6 { Answer::None } else { Answer::Is(V4) }
}

fn unknown(_: &str, _: bool) -> Answer {
    Answer::Unknown
}

fn silent(_: &str, _: bool) -> Answer {
    Answer::Silence
}

fn failing(_: &str, _: bool) -> Answer {
    Answer::Failure
}

#[tokio::test]
async fn a_dns_server_is_asked_for_both_kinds_of_address() {
    assert_eq!(
        asked("", &[knows_both], "plex.lan").await.unwrap(),
        [V4, V6]
    );
    assert_eq!(asked("", &[knows_ipv4], "plex.lan").await.unwrap(), [V4]);
    let v6_only: Says = |_, v6| if v6 { Answer::Is(V6) } else { Answer::None };
    assert_eq!(asked("", &[v6_only], "plex.lan").await.unwrap(), [V6]);
    // As Docker Compose names containers.
    assert_eq!(asked("", &[knows_ipv4], "my_plex_1").await.unwrap(), [V4]);
}

#[tokio::test]
async fn a_short_name_is_looked_for_in_the_domains_of_the_house() {
    let house: Says = |name, v6| match name {
        "plex.lan.example" => knows_ipv4(name, v6),
        _ => Answer::Unknown,
    };
    let found = asked("search other.example lan.example\n", &[house], "plex").await;
    assert_eq!(found.unwrap(), [V4]);
    let short: Says = |name, v6| match name {
        "plex" => knows_ipv4(name, v6),
        _ => Answer::Unknown,
    };
    let found = asked("search lan.example\noptions ndots:0\n", &[short], "plex").await;
    assert_eq!(found.unwrap(), [V4]);
}

#[tokio::test]
async fn no_answer_about_ipv6_keeps_nobody_waiting() {
    let half: Says = |_, v6| if v6 { Answer::Silence } else { Answer::Is(V4) };
    let began = Instant::now();
    assert_eq!(asked("", &[half], "plex.lan").await.unwrap(), [V4]);
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_first_server_that_answers_is_believed() {
    let found = asked("", &[unknown, knows_both], "plex.lan").await;
    assert!(matches!(found, Err(Error::Unknown(_))), "{found:?}");
    for bad in [silent as Says, failing] {
        let found = asked("", &[bad, knows_ipv4], "plex.lan").await;
        assert_eq!(found.unwrap(), [V4]);
    }
}

#[tokio::test]
async fn silence_is_told_before_a_probe_gives_up() {
    let began = Instant::now();
    let found = asked("search lan.example\n", &[silent, silent], "plex").await;
    assert!(matches!(found, Err(Error::NoAnswer(_))), "{found:?}");
    assert!(
        began.elapsed() < LIMIT + Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_localhost_needs_no_file() {
    let etc = tempfile::tempdir().unwrap();
    let local = look_up(etc.path(), "LocalHost").await.unwrap();
    assert_eq!(
        local,
        [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv6Addr::LOCALHOST.into()
        ]
    );
    let hosts =
        "# 192.0.2.1 plex\n192.0.2.7\tother Plex # plexx\nnonsense plex\n2001:db8::7 plex\n";
    fs::write(etc.path().join("hosts"), hosts).unwrap();
    assert_eq!(look_up(etc.path(), "plex").await.unwrap(), [V4, V6]);
    assert_eq!(look_up(etc.path(), "PLEX.").await.unwrap(), [V4, V6]);
    for settings in [None, Some("search lan\n")] {
        if let Some(text) = settings {
            fs::write(etc.path().join("resolv.conf"), text).unwrap();
        }
        let found = look_up(etc.path(), "plexx").await;
        assert!(matches!(found, Err(Error::NoServer(_))), "{found:?}");
    }
}

/// A resolver that fails so.
struct Fails(fn() -> Error);

impl Resolve for Fails {
    fn resolve(&self, _: Name) -> Resolving {
        let error = (self.0)();
        Box::pin(async move { Err(error.into()) })
    }
}

#[tokio::test]
async fn whatever_a_name_fails_with_is_called_by_its_name() {
    let dns = Verdict::Unreachable {
        cause: Unreachable::Dns,
    };
    for error in [
        || Error::NoAnswer(NetError::Timeout),
        || {
            Error::NoAnswer(NetError::from(std::io::Error::from(
                std::io::ErrorKind::TimedOut,
            )))
        },
        || Error::NoServer(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
        (|| Error::Unknown(rr::Name::root())) as fn() -> Error,
    ] {
        let builder = crate::clients::tls::client_builder().dns_resolver(Arc::new(Fails(error)));
        let probe = Probe::new(builder, "http://plex:32400").unwrap();
        assert_eq!(probe.shallow().await.verdict, dns, "{}", error());
    }
    // The program's own one, which is asked: no resolver of a machine knows such a name.
    let url = "http://plex.invalid:32400";
    let probe = Probe::new(crate::clients::tls::client_builder(), url).unwrap();
    assert_eq!(probe.shallow().await.verdict, dns);
}
