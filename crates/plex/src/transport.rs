//! Why no connection came about, told apart from reqwest's error.

use std::{error::Error, fmt, io};

/// Why no connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The host is up and nothing listens on the port.
    Refused,
    /// Nothing answered the connection attempt in time.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// The TLS handshake failed.
    Tls,
    /// No route to the host.
    Network,
    /// The connection was closed without an answer.
    Closed,
}

impl Unreachable {
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
            _ if https && error.is_connect() => Self::Tls,
            _ if error.is_connect() => Self::Network,
            _ => Self::Closed,
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused: start Plex, or correct the address (in a container, localhost is the container itself)",
            Self::Timeout => "no answer to the connection attempt: is the host on?",
            Self::Dns => "the host name does not resolve: check it, or use the IP address",
            Self::Tls => "the TLS handshake failed: the certificate does not fit this address. Use the server's plex.direct name or plain http, or accept any certificate",
            Self::Network => "no route to the host: check the network and the address",
            Self::Closed => "the connection was closed without an answer",
        })
    }
}
