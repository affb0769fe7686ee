//! What a task needs that asks both servers itself, beside whatever worker there is, and changes
//! neither.

use plex_health::Verdict;
use stash::connection::ServerConnection;

use crate::clients;
use crate::console::Failure;
use crate::core::settings::Settings;
use crate::core::status::{Connectivity, Searched, SettingsStatus, TokenStatus};
use crate::core::words::next_step::not_ready;
use crate::core::words::status::of_token;
use crate::core::words::tasks as texts;
use crate::storage::data_dir::DataDir;
use crate::sync::Syncer;
use crate::tasks::status;

/// Both servers, well and willing.
pub struct Ready {
    pub settings: Settings,
    pub syncer: Syncer,
    /// Plex's identifier.
    pub server: String,
}

/// Reads the settings, and asks Plex how it is.
///
/// # Errors
/// Something is missing, in words that say what to do.
pub async fn ready(connection: &ServerConnection, dir: &DataDir) -> Result<Ready, Failure> {
    let (client, mut told) = status::settings(connection).await;
    let plex = status::plex(told.settings.as_ref(), dir).await;
    told.accept(&plex);
    let (client, settings, faults) = match (client, told.settings, told.reading) {
        (Some(client), Some(settings), Some(SettingsStatus::Done { faults, .. })) => {
            (client, settings, faults)
        }
        (.., reading) => return Err(status::unread(reading).into()),
    };
    let blocks = faults.iter().any(|fault| fault.blocks);
    let Some(target) = settings.plex.as_ref().filter(|_| !blocks) else {
        return Err(not_ready(&faults).into());
    };
    let server = healthy(plex)?;
    let plex = clients::looker(target, &settings, dir)?;
    let syncer = Syncer::new(client, plex, &settings);
    Ok(Ready {
        syncer,
        settings,
        server,
    })
}

/// The identifier of a Plex that can be read as its owner.
fn healthy(plex: Connectivity) -> Result<String, String> {
    let (report, hint, token, searched) = match plex {
        Connectivity::No { why } => return Err(texts::not_checked(&why)),
        Connectivity::Yes {
            report,
            hint,
            token,
            searched,
            ..
        } => (report, hint, token, searched),
    };
    let Verdict::Healthy { server, .. } = &report.verdict else {
        return Err(texts::not_healthy(&report, hint));
    };
    match (token, searched) {
        // What is wrong with either is said by Health Check too, in the same words.
        (Some(token @ (TokenStatus::Guest { .. } | TokenStatus::Blocked { .. })), _) => {
            Err(of_token(&token).text)
        }
        (_, Some(Searched::None { why })) => Err(why),
        _ => Ok(server.machine_identifier.clone()),
    }
}
