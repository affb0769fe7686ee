//! Why no connection came about, told apart from reqwest's error.

use std::{error::Error, fmt, io};

use serde::Serialize;

/// Why no connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unreachable {
    /// The host is up and nothing listens on the port.
    Refused,
    /// Nothing answered the connection attempt in time.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// The TLS handshake failed, or the certificate does not fit the address.
    Tls,
    /// The certificate is signed by nobody who is trusted, or expired.
    Untrusted,
    /// The address says https, and something else answers.
    NotTls,
    /// No route to the host.
    Network,
    /// The connection was closed without an answer.
    Closed,
}

impl Unreachable {
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Refused => {
                "Start Plex Media Server, or correct the address; the port is 32400 by default. In a container, localhost is the container itself: use the name of Plex's container or the host's IP address."
            }
            Self::Timeout => {
                "The machine is off, asleep or behind a firewall. Check the address and turn the machine on."
            }
            Self::Dns => {
                "Check the host name: it is not known where this program runs. In containers, put both on one network; or use the IP address. Many routers refuse plex.direct names (rebind protection): use the IP address with http."
            }
            Self::Tls => {
                "If the port speaks plain http, write http:// in the address. If the certificate does not fit this address, use the server's plex.direct name, or http on the local network, or skip verification for this server."
            }
            Self::Untrusted => {
                "Use the server's plex.direct name, or http on the local network, or skip verification for this server."
            }
            Self::NotTls => "Write http:// in place of https:// in the address.",
            Self::Network => "Check the network and the address.",
            Self::Closed => {
                "Plex may be restarting, or wants https: try https in the address if its secure connections are required."
            }
        }
    }

    /// `error` must come from sending a request, and not be a timeout after the connection.
    pub(crate) fn classify(error: &reqwest::Error, https: bool) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        let causes = || std::iter::successors(error.source(), |&cause| cause.source());
        let io = causes().find_map(|cause| cause.downcast_ref::<io::Error>());
        let dns = causes().any(|cause| cause.to_string() == "dns error");
        match io.map(io::Error::kind) {
            _ if dns => Self::Dns,
            Some(io::ErrorKind::ConnectionRefused) => Self::Refused,
            Some(io::ErrorKind::TimedOut) => Self::Timeout,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                Self::Network
            }
            _ if https && error.is_connect() => Self::of_tls(causes()),
            _ if error.is_connect() => Self::Network,
            _ => Self::Closed,
        }
    }

    /// In the words of rustls, which reqwest gives as text only.
    fn of_tls<'a>(causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> Self {
        let words: String = causes.map(ToString::to_string).collect();
        let says = |what| words.contains(what);
        match () {
            () if says("corrupt message") => Self::NotTls,
            () if says("invalid peer certificate") && !says("not valid for name") => {
                Self::Untrusted
            }
            () => Self::Tls,
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused, nothing listens there",
            Self::Timeout => "no answer to the connection attempt",
            Self::Dns => "the host name does not resolve",
            Self::Tls => "the TLS handshake failed",
            Self::Untrusted => "its certificate is not trusted",
            Self::NotTls => "the port speaks no https",
            Self::Network => "no route to the host",
            Self::Closed => "the connection was closed without an answer",
        })
    }
}
