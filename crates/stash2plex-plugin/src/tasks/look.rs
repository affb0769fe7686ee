//! The tasks that only look.

use std::time::SystemTime;

use queue::{Options, Queue};
use serde_json::Value;
use stash::client::Client;
use stash::protocol::ServerConnection;

use super::Failure;
use crate::data_dir::DataDir;
use crate::home;
use crate::job::Job;
use crate::settings::{PlexTarget, Settings};
use crate::status::gather::{self, Told};
use crate::status::render::{self, Line};
use crate::status::{Connectivity, Searched, SettingsStatus, Status};
use crate::sync::libraries::Libraries;
use crate::worker::session;

type Shown = (Vec<Line>, Value);

/// Health Check.
pub fn health(connection: &ServerConnection) -> Result<Shown, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let unwritable = dir.check().err().map(|why| why.to_string());
    let told = runtime()?.block_on(async {
        let (_, mut told) = settings(connection).await;
        told.unwritable = unwritable;
        told.exposed = dir.exposed();
        told.plex = Some(plex(told.settings.as_ref(), &dir).await);
        told
    });
    shown(&dir, told, render::health)
}

/// View Queue Status.
pub fn queue(connection: &ServerConnection) -> Result<Shown, Failure> {
    let (_, told) = runtime()?.block_on(settings(connection));
    shown(&DataDir::locate(&connection.dir), told, render::queue)
}

/// Outage Summary, which asks nobody.
pub fn outages(connection: &ServerConnection) -> Result<Shown, Failure> {
    let dir = DataDir::locate(&connection.dir);
    shown(&dir, Told::default(), render::outages)
}

fn shown(dir: &DataDir, told: Told, render: fn(&Status) -> Vec<Line>) -> Result<Shown, Failure> {
    let status = gather::status(dir, told, SystemTime::now());
    Ok((render(&status), serde_json::to_value(&status)?))
}

/// For the few requests of a task.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// The settings, and the client that read them when Stash answered.
pub async fn settings(connection: &ServerConnection) -> (Option<Client>, Told) {
    let read = async {
        let client = session::stash(connection)?;
        let read = session::settings(&client).await?;
        Ok::<_, stash::client::Error>((client, read))
    };
    match read.await {
        Ok((client, (settings, faults))) => {
            let told = Told {
                reading: Some(SettingsStatus::Done {
                    enabled: settings.enabled,
                    faults: faults.iter().map(ToString::to_string).collect(),
                }),
                settings: Some(settings),
                ..Told::default()
            };
            (Some(client), told)
        }
        Err(why) => {
            let reading = Some(SettingsStatus::Failed {
                why: why.to_string(),
            });
            let told = Told {
                reading,
                ..Told::default()
            };
            (None, told)
        }
    }
}

/// The server that must answer, where a worker has met it.
fn known(dir: &DataDir, url: &str) -> Option<String> {
    // Asked first: opening makes lock files beside a database that is not there.
    dir.database().try_exists().ok().filter(|there| *there)?;
    let queue = Queue::<Job>::open(dir.database(), Options::inspector()).ok()?;
    home::expected(queue.sql(), url).ok().flatten()
}

/// Asks Plex how it is, with the token.
pub async fn plex(settings: Option<&Settings>, dir: &DataDir) -> Connectivity {
    let no = |why: &str| Connectivity::No {
        why: why.to_owned(),
    };
    let Some(settings) = settings else {
        return no("since its address is in the settings, which could not be read");
    };
    let Some(target) = &settings.plex else {
        return no("since its address or token is not usable");
    };
    match session::health_check(target, settings, dir) {
        Err(why) => no(&why.to_string()),
        Ok(probe) => {
            let report = session::at_home(probe, known(dir, &target.url).as_deref())
                .deep()
                .await;
            let hint = home::hint(&report.verdict);
            let searched = match report.verdict.is_healthy() {
                true => Some(searched(target, settings, dir).await),
                false => None,
            };
            Connectivity::Yes {
                report,
                hint,
                searched,
            }
        }
    }
}

/// Whether Plex has the libraries to search.
async fn searched(target: &PlexTarget, settings: &Settings, dir: &DataDir) -> Searched {
    let sections = match session::reader(target, settings, dir) {
        Ok(client) => client.sections().await.map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    };
    match sections.map(|sections| Libraries::choose(sections, &settings.libraries)) {
        Ok(Ok(Libraries { missing: None, .. })) => Searched::All,
        Ok(Ok(Libraries {
            missing: Some(why), ..
        })) => Searched::Some { why },
        Ok(Err(why)) => Searched::None { why },
        Err(why) => Searched::Unknown { why },
    }
}
