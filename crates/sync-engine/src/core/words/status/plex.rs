//! Plex in words.

use plex_health::Verdict;

use crate::core::settings::names;
use crate::core::status::{Before, Connectivity, Searched, TokenStatus};
use crate::core::words::status::{Line, info, warn};

/// What was found when Plex was asked; without a token it can only ask for one.
pub fn lines(plex: &Connectivity, lacks_token: bool) -> Vec<Line> {
    match plex {
        Connectivity::Yes { report, url, .. }
            if lacks_token && matches!(report.verdict, Verdict::Unauthorized { .. }) =>
        {
            vec![info(format!(
                "Plex: it answers at {url}, and wants a token"
            ))]
        }
        Connectivity::No { why } => vec![warn(format!("Plex: not checked: {why}"))],
        Connectivity::Yes {
            report,
            hint: "",
            token,
            instead_of,
            searched,
            ..
        } => {
            let mut lines = vec![info(format!("Plex: {report}"))];
            lines.extend(token.as_ref().map(of_token));
            lines.extend(instead_of.as_ref().map(|before| moved(before, report)));
            lines.extend(searched.as_ref().and_then(libraries));
            lines
        }
        Connectivity::Yes {
            report, url, hint, ..
        } => {
            // Plex's own words may end with a full stop.
            let report = report.to_string();
            let report = report.trim_end_matches('.');
            vec![warn(format!(
                "Plex: {report}. Asked at {url}. What to do: {hint}"
            ))]
        }
    }
}

/// Whose the token is.
pub fn of_token(token: &TokenStatus) -> Line {
    let name = names::of("plex_token");
    match token {
        TokenStatus::Owner => info(format!("{name}: it is the owner's, who may edit")),
        TokenStatus::NotNeeded => info(format!(
            "{name}: this server is unclaimed: no token is needed"
        )),
        TokenStatus::Guest { .. } => warn(format!(
            "{name}: it is not the owner's but a shared user's, and Plex normally refuses edits from shared users. Enter the \
             token of the server's owner"
        )),
        TokenStatus::Blocked { status } => warn(format!(
            "{name}: something in front of Plex refuses what the owner may do (HTTP {status}): enter Plex's own address \
             in {}, or let this program through there",
            names::of("plex_url")
        )),
        TokenStatus::Unknown { why } => warn(format!(
            "{name}: Plex did not say whether it is the owner's: {why}. Run Health Check again"
        )),
    }
}

fn moved(before: &Before, report: &plex_health::Report) -> Line {
    let found = match &report.verdict {
        plex_health::Verdict::Healthy { server, .. } => server.machine_identifier.as_str(),
        _ => "",
    };
    let (old, url) = (&before.server, &before.url);
    let at = match url.is_empty() {
        true => String::new(),
        false => format!(", at {url}"),
    };
    let name = names::of("plex_url");
    warn(format!(
        "{name}: this is another Plex server (id {found}) than the one written to so far (id {old}{at}). Nothing was \
         written to it yet. If this is a mistake, correct {name} before the next change; if it is your new server, run \
         Reconcile All Scenes to sync it"
    ))
}

fn libraries(searched: &Searched) -> Option<Line> {
    Some(warn(match searched {
        Searched::All => return None,
        Searched::Some { why } => {
            format!("Libraries: {why}. Until that is corrected only the others are searched")
        }
        Searched::None { why } => {
            format!("Libraries: {why}. Changes are kept, and sent once it is corrected")
        }
        Searched::Unknown { why } => {
            format!("Libraries: Plex did not list them: {why}. Run Health Check again")
        }
    }))
}
