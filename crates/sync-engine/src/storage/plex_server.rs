//! The Plex server that is written to, known by its identifier, so that another one at its address
//! is noticed.

use plex_health::{Unreachable, Verdict};
use rusqlite::{Connection, Result};

use crate::core::status::Before;
use crate::storage::ledger::{self, ServerId};
use crate::storage::meta;

const KEY: &str = "plex_server";

/// What a server that answered is, and under which number what is written to it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// The first one, or the one that was known.
    Ours(ServerId),
    /// Another one, which the user chose. What was written to the old one stays on record, should
    /// it come back.
    Moved(ServerId),
}

/// The identifier that the server at `url` must have; `None` while none is known, or for an address
/// that was set since.
pub fn expected(db: &Connection, url: &str) -> Result<Option<String>> {
    let home = before(db)?.filter(|home| home.url == url);
    Ok(home.map(|home| home.server))
}

/// The server at `url`, if it is known.
pub fn known(db: &Connection, url: &str) -> Result<Option<ServerId>> {
    expected(db, url)?
        .map(|identifier| ledger::server(db, &identifier))
        .transpose()
}

/// The identifier of the server that was last met.
pub fn last(db: &Connection) -> Result<Option<String>> {
    Ok(before(db)?.map(|home| home.server))
}

/// The server that was last met, and where; an empty address means that the next one to answer is
/// the right one.
pub fn before(db: &Connection) -> Result<Option<Before>> {
    meta::read(db, KEY)
}

/// Remembers the server that answered at `url`; to be called in a transaction.
pub fn recognise(db: &Connection, url: &str, server: &str) -> Result<Met> {
    let (before, id) = (before(db)?, ledger::server(db, server)?);
    let (url, server) = (url.to_owned(), server.to_owned());
    let now = Before { server, url };
    if before.as_ref() != Some(&now) {
        meta::write(db, KEY, &now)?;
    }
    Ok(match before {
        Some(home) if home.server != now.server => Met::Moved(id),
        _ => Met::Ours(id),
    })
}

/// Takes the next server that answers for the right one; whether one was known.
pub fn forget(db: &Connection) -> Result<bool> {
    let Some(mut home) = before(db)?.filter(|home| !home.url.is_empty()) else {
        return Ok(false);
    };
    home.url.clear();
    meta::write(db, KEY, &home)?;
    Ok(true)
}

/// What helps against a verdict on this plugin's server.
pub fn hint(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::WrongServer { .. } => {
            "Another Plex server has this address, and nothing is written to it from now on. Correct Plex address (plex_url); or, if \
             this is your new server, run the task Clear Match Cache: the server that answers next is then taken for the \
             right one."
        }
        Verdict::Unauthorized { .. } => {
            "Enter the token of the server's owner in Plex token (plex_token): in Plex, as the owner, ⋯ › Get Info › View XML; it \
             follows X-Plex-Token= in that page's address. A token stops working when the password is changed, or its device \
             removed from the account."
        }
        Verdict::Unreachable {
            cause: Unreachable::Refused,
        } => {
            "Start Plex Media Server, or correct Plex address (plex_url); the port is 32400 by default. In a container, localhost \
             is the container itself: use the name of Plex's container or the host's IP address."
        }
        Verdict::Unreachable {
            cause: Unreachable::Tls,
        } => {
            "If the port speaks plain http, write http:// in place of https:// in Plex address (plex_url). If the certificate does \
             not fit this address, enter the server's plex.direct name, or http in place of https on the local network, or turn on Accept \
             any certificate of Plex (tls_skip_verify)."
        }
        Verdict::Unreachable {
            cause: Unreachable::Untrusted,
        } => {
            "Enter the server's plex.direct name in Plex address (plex_url), or http in place of https on the local network, or \
             turn on Accept any certificate of Plex (tls_skip_verify)."
        }
        Verdict::Unreachable {
            cause: Unreachable::NotTls,
        } => "Write http:// in place of https:// in Plex address (plex_url).",
        verdict => verdict.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Result<Connection> {
        let db = Connection::open_in_memory()?;
        ledger::create(&db)?;
        Ok(db)
    }

    #[test]
    fn a_server_is_known_by_its_identifier_wherever_it_is() -> Result<()> {
        let db = tables()?;
        let (one, two) = (ledger::server(&db, "one")?, ledger::server(&db, "two")?);
        assert_eq!(expected(&db, "http://a")?, None);
        assert_eq!(recognise(&db, "http://a", "one")?, Met::Ours(one));
        assert_eq!(recognise(&db, "http://a", "one")?, Met::Ours(one));
        assert_eq!(expected(&db, "http://a")?.as_deref(), Some("one"));
        // The same server at a new address keeps what was written to it.
        assert_eq!(expected(&db, "http://b")?, None);
        assert_eq!(recognise(&db, "http://b", "one")?, Met::Ours(one));
        // Another one has none of it, and the first one all of it when it comes back.
        assert_eq!(recognise(&db, "http://c", "two")?, Met::Moved(two));
        assert_eq!(expected(&db, "http://c")?.as_deref(), Some("two"));
        assert_eq!(recognise(&db, "http://a", "one")?, Met::Moved(one));
        Ok(())
    }

    #[test]
    fn a_forgotten_server_may_be_replaced_or_come_back() -> Result<()> {
        let db = tables()?;
        assert!(!forget(&db)?);
        let (one, two) = (ledger::server(&db, "one")?, ledger::server(&db, "two")?);
        recognise(&db, "http://a", "one")?;
        assert!(forget(&db)?);
        assert!(!forget(&db)?);
        assert_eq!(expected(&db, "http://a")?, None);
        assert_eq!(recognise(&db, "http://a", "one")?, Met::Ours(one));
        forget(&db)?;
        assert_eq!(recognise(&db, "http://a", "two")?, Met::Moved(two));
        Ok(())
    }
}
