//! Names without the C library: a static program that asks it loads modules of the host, which may
//! not fit, and crashes.
//!
//! A name is looked up in `/etc/hosts`, then at the DNS servers of `/etc/resolv.conf`, one after
//! the other as they stand there. Both files are read each time: a laptop changes its network, and
//! connections are kept, so names are seldom asked for.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use futures_util::future::{Either, select};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{NetError, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::rr;
use hickory_resolver::system_conf::parse_resolv_conf;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::timeout;

/// All DNS servers together have less than a probe's three seconds to connect, so that what is
/// wrong is told.
const LIMIT: Duration = Duration::from_millis(2500);

/// Some DNS servers never answer what they know no IPv6 address of.
const WAIT_FOR_IPV6: Duration = Duration::from_millis(200);

/// The names that this machine knows.
pub struct Names;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("/etc/resolv.conf names no DNS server that can be asked: {0}")]
    NoServer(NetError),
    #[error("no name: {0}")]
    NoName(NetError),
    #[error("the DNS server does not know {0}")]
    Unknown(rr::Name),
    #[error("no DNS server answers: {0}")]
    NoAnswer(NetError),
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(Path::new("/etc"), name.as_str()).await?;
            let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

async fn look_up(etc: &Path, name: &str) -> Result<Vec<IpAddr>, Error> {
    let plain = name.strip_suffix('.').unwrap_or(name);
    // One that cannot be read names nobody.
    let hosts = fs::read(etc.join("hosts")).unwrap_or_default();
    let found = in_hosts(&String::from_utf8_lossy(&hosts), plain);
    if !found.is_empty() {
        return Ok(found);
    }
    if plain.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let settings = fs::read(etc.join("resolv.conf")).map_err(NetError::from);
    let settings = settings.and_then(parse_resolv_conf);
    let (config, options) = settings.map_err(Error::NoServer)?;
    ask(&config, options, name).await
}

fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let of_line = |line: &str| -> Option<IpAddr> {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        let mut names = words.filter(|word| word.eq_ignore_ascii_case(name));
        names.next().map(|_| address)
    };
    hosts.lines().filter_map(of_line).collect()
}

/// Asks one server after the other, each for its part of the time. What the first one that answers
/// says, counts: only that of the house may know the names of the house.
async fn ask(
    config: &ResolverConfig,
    mut options: ResolverOpts,
    name: &str,
) -> Result<Vec<IpAddr>, Error> {
    // Names of containers hold underscores, which stricter readers refuse.
    let name = rr::Name::from_ascii(name).map_err(|error| Error::NoName(error.into()))?;
    let servers = config.name_servers();
    let share = LIMIT / u32::try_from(servers.len()).unwrap_or(1).max(1);
    options.timeout = share;
    options.attempts = 0;
    options.use_hosts_file = ResolveHosts::Never;
    let mut failed = NetError::NoConnections;
    for server in servers {
        let resolver = resolver(config, server, &options).map_err(Error::NoServer)?;
        let asked = timeout(share, both(&resolver, &name)).await;
        match asked.unwrap_or(Err(NetError::Timeout)) {
            Ok(found) => return Ok(found),
            Err(error) if error.is_no_records_found() => return Err(Error::Unknown(name)),
            Err(error) => failed = error,
        }
    }
    Err(Error::NoAnswer(failed))
}

fn resolver(
    config: &ResolverConfig,
    server: &NameServerConfig,
    options: &ResolverOpts,
) -> Result<TokioResolver, NetError> {
    let domain = config.domain().cloned();
    let config = ResolverConfig::from_parts(domain, config.search().into(), vec![server.clone()]);
    let provider = TokioRuntimeProvider::default();
    TokioResolver::builder_with_config(config, provider)
        .with_options(options.clone())
        .build()
}

/// IPv4 first: where Stash runs in a container there is often no other.
async fn both(resolver: &TokioResolver, name: &rr::Name) -> Result<Vec<IpAddr>, NetError> {
    let v4 = std::pin::pin!(resolver.ipv4_lookup(name.clone()));
    let v6 = std::pin::pin!(resolver.ipv6_lookup(name.clone()));
    let (v4, v6) = match select(v4, v6).await {
        Either::Left((Ok(v4), v6)) => {
            let late = Err(NetError::Timeout);
            let v6 = timeout(WAIT_FOR_IPV6, v6).await.unwrap_or(late);
            (Ok(v4), v6)
        }
        Either::Left((v4, v6)) => (v4, v6.await),
        Either::Right((v6, v4)) => (v4.await, v6),
    };
    let of = |lookup: &Result<Lookup, _>| -> Vec<IpAddr> {
        let records = lookup.iter().flat_map(Lookup::answers);
        records.filter_map(|record| record.data.ip_addr()).collect()
    };
    let found = [of(&v4), of(&v6)].concat();
    if found.is_empty() {
        // One of them may be unanswered; what is known counts.
        return Err([v4, v6]
            .into_iter()
            .filter_map(Result::err)
            .min_by_key(|error| !error.is_no_records_found())
            .unwrap_or(NetError::NoConnections));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
