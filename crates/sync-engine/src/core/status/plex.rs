//! How Plex is.

use plex_health::Report;
use serde::{Deserialize, Serialize};

/// Whether Plex answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub enum Connectivity {
    /// It was not asked.
    No {
        /// Why not.
        why: String,
    },
    /// It was asked.
    Yes {
        /// What came back.
        #[serde(flatten)]
        report: Box<Report>,
        /// The address that was asked; it holds no password.
        url: String,
        /// What helps; empty when nothing is wrong.
        hint: &'static str,
        /// Whose the token is; `None` unless Plex is healthy.
        token: Option<TokenStatus>,
        /// The server that was written to so far, if this is another one.
        instead_of: Option<Before>,
        /// Whether it has the libraries to search; `None` unless it is healthy.
        searched: Option<Searched>,
    },
}

/// Whose the token is: only the owner's may edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TokenStatus {
    /// The owner's.
    Owner,
    /// No account has claimed the server, or it lets this computer in without a token.
    NotNeeded,
    /// Plex lets it read and not edit.
    Guest {
        /// The HTTP status with which Plex refuses.
        status: u16,
    },
    /// Something in front of Plex refuses what the owner may do.
    Blocked {
        /// The HTTP status with which it refuses.
        status: u16,
    },
    /// Plex did not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// A server that was written to before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its identifier.
    pub server: String,
    /// The address it had; empty after it was forgotten.
    pub url: String,
}

/// Whether Plex has the libraries that the settings name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Searched {
    /// It has.
    All,
    /// It has some of them, which are searched.
    Some {
        /// What is missing, what there is, and what to do.
        why: String,
    },
    /// There is nothing to search, so jobs wait.
    None {
        /// What is missing, what there is, and what to do.
        why: String,
    },
    /// Plex did not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl Connectivity {
    /// Whether Plex may be written to without a token.
    pub fn needs_no_token(&self) -> bool {
        let not_needed = Some(TokenStatus::NotNeeded);
        matches!(self, Self::Yes { token, .. } if *token == not_needed)
    }

    /// Whether Plex answered as it should.
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Yes { report, .. } if report.verdict.is_healthy())
    }

    /// Whether it also lets itself be edited, as far as that is known.
    pub fn lets_work(&self) -> bool {
        let Self::Yes {
            token, searched, ..
        } = self
        else {
            return false;
        };
        self.is_healthy()
            && !matches!(token, Some(TokenStatus::Guest { .. }))
            && !matches!(searched, Some(Searched::None { .. }))
    }
}
