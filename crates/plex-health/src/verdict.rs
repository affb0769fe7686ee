//! What a probe found, in words a user can act on.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::Unreachable;

/// Who answered `/identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The server's own identifier; it stays the same when its address changes.
    pub machine_identifier: String,
    /// The server's version, as `1.43.1.10611-1e34174b1`; empty when it gave none.
    pub version: String,
    /// Whether the server belongs to an account. An unclaimed one needs no token.
    pub claimed: bool,
}

/// What `/library/sections` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Libraries {
    /// How many libraries there are.
    pub count: usize,
    /// Whether one of them is being scanned right now.
    pub scanning: bool,
}

/// What a probe found. Its text says what is wrong, [`Verdict::hint`] what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Plex answers.
    Healthy {
        /// Who it is.
        server: Identity,
        /// What a deep probe saw; `None` after a shallow one.
        libraries: Option<Libraries>,
    },
    /// No connection.
    Unreachable {
        /// Why not.
        cause: Unreachable,
    },
    /// Connected, but no answer in time.
    Hanging {
        /// How long the probe waited.
        #[serde(rename = "limit_seconds", serialize_with = "seconds")]
        limit: Duration,
    },
    /// Plex runs and says that it is not ready: startup, maintenance or a database migration.
    Starting {
        /// What Plex said.
        text: String,
    },
    /// Plex answers, but its library database does not answer in time.
    DatabaseSlow {
        /// How long the probe waited.
        #[serde(rename = "limit_seconds", serialize_with = "seconds")]
        limit: Duration,
    },
    /// Plex cannot serve the request now (408, 429, 500, or 503 without a word about maintenance).
    Overloaded {
        /// The HTTP status.
        status: u16,
    },
    /// A proxy answers, but not the Plex server behind it.
    Gateway {
        /// The HTTP status.
        status: u16,
    },
    /// A proxy in front of Plex wants a login of its own, or shows a challenge page: `/identity`,
    /// which is asked without a token and for which Plex wants none, was refused.
    Guarded {
        /// The HTTP status: 401 or 403.
        status: u16,
    },
    /// The token is missing, wrong or not the owner's.
    Unauthorized {
        /// The HTTP status: 401 or 403.
        status: u16,
    },
    /// Plex answers, but it is another server than the expected one.
    WrongServer {
        /// The identifier that was asked for.
        expected: String,
        /// The identifier that answered.
        found: String,
    },
    /// Something answers that is not Plex.
    NotPlex {
        /// The HTTP status.
        status: u16,
    },
    /// The answer begins like one of Plex and is broken, as happens during a restart.
    Garbled,
}

fn seconds<S: serde::Serializer>(limit: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(limit.as_secs_f64())
}

impl Verdict {
    /// Whether Plex answered as it should.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy { .. })
    }

    /// What the user can do about it; empty when there is nothing to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Healthy { .. } => "",
            Self::Unreachable { cause } => cause.hint(),
            Self::Hanging { .. } => {
                "Plex may be overloaded or stuck. If this lasts for minutes, restart Plex Media Server."
            }
            Self::Starting { .. } => {
                "Wait: this takes seconds after a start and up to hours after an upgrade. If it never ends, look into Plex's log for a damaged database."
            }
            Self::DatabaseSlow { .. } => {
                "Plex is busy with a scan, its nightly maintenance or a backup; wait. If it is often so, move Plex's database to a local disk."
            }
            Self::Overloaded { .. } => {
                "Plex is overloaded or its database is in trouble. Wait; if it stays, restart Plex Media Server and read its log."
            }
            Self::Gateway { .. } => {
                "The reverse proxy works but Plex behind it does not. Start Plex Media Server, or use its direct address."
            }
            Self::Guarded { .. } => {
                "The token has nothing to do with it. Use Plex's direct address, or let the proxy pass this program without a login or challenge page."
            }
            Self::Unauthorized { .. } => {
                "Set a token of the server's owner. A token stops working when the password is changed, or its device removed from the account."
            }
            Self::WrongServer { .. } => {
                "Another Plex server has this address. Correct the address; nothing was changed on it."
            }
            Self::NotPlex { status: 300..400 } => {
                "The address redirects elsewhere. Use the address it leads to, often the same with https."
            }
            Self::NotPlex { .. } => {
                "Check the address and the port: Plex listens on 32400 by default, as in http://192.168.1.10:32400. If a proxy with a login page is in front of it, use Plex's direct address."
            }
            Self::Garbled => "Plex is probably restarting; wait for the next probe.",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy { server, libraries } => {
                write!(f, "healthy")?;
                if !server.version.is_empty() {
                    write!(f, ", version {}", server.version)?;
                }
                if !server.claimed {
                    write!(f, ", not claimed by an account")?;
                }
                match libraries {
                    Some(Libraries { count, scanning }) => {
                        let scanning = if *scanning { ", scanning" } else { "" };
                        write!(f, ", libraries: {count}{scanning}")
                    }
                    None => Ok(()),
                }
            }
            Self::Unreachable { cause } => write!(f, "unreachable: {cause}"),
            Self::Hanging { limit } => write!(
                f,
                "hanging: the connection was accepted, but no answer came within {limit:?}"
            ),
            Self::Starting { text } => write!(f, "starting or in maintenance: {text}"),
            Self::DatabaseSlow { limit } => write!(
                f,
                "busy: Plex answers, but its library database did not answer within {limit:?}"
            ),
            Self::Overloaded { status } => write!(f, "overloaded: Plex answered HTTP {status}"),
            Self::Gateway { status } => {
                write!(
                    f,
                    "down behind its proxy: the proxy answered HTTP {status}, not Plex"
                )
            }
            Self::Guarded { status } => {
                write!(
                    f,
                    "guarded: a proxy in front of Plex wants a login of its own (HTTP {status})"
                )
            }
            Self::Unauthorized { status } => {
                write!(f, "unauthorized: the token was refused (HTTP {status})")
            }
            Self::WrongServer { expected, found } => {
                write!(
                    f,
                    "wrong server: {found:?} answered instead of {expected:?}"
                )
            }
            Self::NotPlex { status } => {
                write!(f, "not Plex: something else answered (HTTP {status})")
            }
            Self::Garbled => write!(f, "garbled: the answer was incomplete or damaged"),
        }
    }
}
