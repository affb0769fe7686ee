//! The tasks that only look.

use std::collections::BTreeSet;
use std::time::SystemTime;

use plex_health::Verdict;
use serde_json::Value;
use stash::client::{Client, SceneId};
use stash::connection::ServerConnection;

use crate::clients;
use crate::console::{Console, Failure};
use crate::core::first_run::Known;
use crate::core::obfuscate::Paths;
use crate::core::settings::Settings;
use crate::core::status::{
    Before, Connectivity, Searched, Seen, SettingsStatus, Status, TokenStatus,
};
use crate::core::words::next_step::next_step;
use crate::core::words::settings as texts;
use crate::core::words::status::{self as words, Line};
use crate::storage::data_dir::DataDir;
use crate::storage::{plex_server, queue_file};
use crate::sync::libraries::Libraries;
use crate::sync::path_map;
use crate::tasks::gather::{self, Told};

type Shown = (Vec<Line>, Value);

/// Health Check.
pub fn health(connection: &ServerConnection) -> Result<Shown, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let status = runtime()?.block_on(async {
        let (client, mut told) = settings(connection).await;
        told.unwritable = unwritable(&dir);
        told.exposed = dir.exposed();
        let plex = plex(told.settings.as_ref(), &dir).await;
        told.accept(&plex);
        told.plex = Some(plex);
        gathered(&dir, client, told).await
    });
    shown(&status, words::health)
}

/// Why nothing can be recorded in the data folder, if so.
pub(super) fn unwritable(dir: &DataDir) -> Option<String> {
    match dir.check() {
        Err(why) => Some(why.to_string()),
        Ok(()) => queue_file::locked(dir),
    }
}

/// View Queue Status.
pub fn queue(connection: &ServerConnection) -> Result<Shown, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let status = runtime()?.block_on(async {
        let (client, mut told) = settings(connection).await;
        told.unwritable = unwritable(&dir);
        if needs_no_token(told.settings.as_ref()).await {
            told.needs_no_token();
        }
        gathered(&dir, client, told).await
    });
    shown(&status, words::queue)
}

/// Whether Plex says that it needs none, where no token is set; it is asked nothing else here.
async fn needs_no_token(settings: Option<&Settings>) -> bool {
    let target = settings.and_then(|settings| Some((settings.plex.as_ref()?, settings)));
    match target.filter(|(target, _)| target.token.is_none()) {
        Some((target, settings)) => clients::needs_no_token(target, settings).await == Some(true),
        None => false,
    }
}

/// Outage Summary, which asks nobody.
pub fn outages(connection: &ServerConnection) -> Result<Shown, Failure> {
    let dir = DataDir::locate(&connection.dir);
    let status = gather::status(&dir, Told::default(), SystemTime::now());
    shown(&status, words::outages)
}

fn shown(status: &Status, render: fn(&Status) -> Vec<Line>) -> Result<Shown, Failure> {
    Ok((render(status), serde_json::to_value(status)?))
}

/// Everything as it is, with the titles and paths of the scenes that are listed, where Stash tells
/// them.
async fn gathered(dir: &DataDir, client: Option<Client>, told: Told) -> Status {
    let settings = told.settings.clone();
    let mut status = gather::status(dir, told, SystemTime::now());
    if let (Some(client), Some(settings), Seen::Known(queue)) =
        (client, settings, &mut status.queue)
    {
        let ids: BTreeSet<_> = queue.listed().filter_map(|about| about.scene).collect();
        let ids: Vec<_> = ids.into_iter().map(SceneId).collect();
        let found = client.find_scenes(&ids).await.unwrap_or_default().scenes;
        let (map, paths) = (path_map(&settings), Paths::of(&settings));
        for about in queue.listed() {
            let scene = found.iter().find(|scene| Some(scene.id.0) == about.scene);
            if let Some(scene) = scene {
                about.title = Some(scene.title.clone()).filter(|title| !title.is_empty());
                let file = scene.files.first();
                about.path = file.map(|file| paths.show(&map.map(&file.path)).into_owned());
            }
        }
    }
    status
}

/// Says what a person does next, after a task that was a step of it.
pub fn say_next_step(settings: &Settings, dir: &DataDir, console: &dyn Console) {
    // With a fault that blocks, no such task comes to its end.
    let known = Known::of(settings, &[], gather::done(dir));
    if let Some(step) = known.next_step() {
        console.info(next_step(step));
    }
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
        let client = clients::stash(connection)?;
        let read = clients::settings(&client).await?;
        Ok::<_, stash::client::Error>((client, read))
    };
    match read.await {
        Ok((client, read)) => {
            let (settings, faults) = read.read;
            let told = Told {
                reading: Some(SettingsStatus::Done {
                    enabled: settings.enabled,
                    writes: settings.toggles.master,
                    session_only: read.session_only,
                    faults,
                }),
                settings: Some(settings),
                ..Told::default()
            };
            (Some(client), told)
        }
        Err(why) => {
            let why = why.to_string();
            let told = Told {
                reading: Some(SettingsStatus::Failed { why }),
                ..Told::default()
            };
            (None, told)
        }
    }
}

/// Why the settings are not known.
pub fn unread(reading: Option<SettingsStatus>) -> String {
    match reading {
        Some(SettingsStatus::Failed { why }) => why,
        _ => "the settings cannot be read".to_owned(),
    }
}

/// The server that must answer at this address, and the one that was last written to, where a
/// worker has met one.
fn known(dir: &DataDir, url: &str) -> (Option<String>, Option<Before>) {
    let Ok(Some(queue)) = queue_file::inspected(dir) else {
        return (None, None);
    };
    let expected = plex_server::expected(queue.sql(), url).ok().flatten();
    (expected, plex_server::before(queue.sql()).ok().flatten())
}

/// Asks Plex how it is, with the token.
pub async fn plex(settings: Option<&Settings>, dir: &DataDir) -> Connectivity {
    let no = |why: &str| Connectivity::No {
        why: why.to_owned(),
    };
    let Some(settings) = settings else {
        return no(texts::SETTINGS_UNKNOWN);
    };
    let Some(target) = &settings.plex else {
        return no(texts::NO_TARGET);
    };
    let probe = match clients::health_check(target, settings, dir) {
        Err(why) => return no(&why.to_string()),
        Ok(probe) => probe,
    };
    let (expected, before) = known(dir, &target.url);
    let report = Box::new(clients::at_home(probe, expected.as_deref()).deep().await);
    let hint = plex_server::hint(&report.verdict);
    let (mut token, mut found, mut instead_of) = (None, None, None);
    if let Verdict::Healthy { server, .. } = &report.verdict {
        instead_of = before.filter(|before| before.server != server.machine_identifier);
        let needed = server.claimed && target.token.is_some();
        (token, found) = match clients::reader(target, settings, dir) {
            Ok(client) => (
                Some(whose_token(&client, needed).await),
                Some(searched(&client, settings).await),
            ),
            Err(why) => {
                let why = why.to_string();
                let token = TokenStatus::Unknown { why: why.clone() };
                (Some(token), Some(Searched::Unknown { why }))
            }
        };
    }
    Connectivity::Yes {
        url: target.url.to_string(),
        token,
        instead_of,
        searched: found,
        report,
        hint,
    }
}

/// Whose the token is, where Plex needs one.
async fn whose_token(client: &plex::Client, needed: bool) -> TokenStatus {
    match client.owner_check().await {
        Ok(()) if needed => TokenStatus::Owner,
        Ok(()) => TokenStatus::NotNeeded,
        Err(plex::Error::Unauthorized { status, by_plex }) => match by_plex {
            true => TokenStatus::Guest { status },
            false => TokenStatus::Blocked { status },
        },
        Err(why) => TokenStatus::Unknown {
            why: why.to_string(),
        },
    }
}

/// Whether Plex has the libraries to search.
async fn searched(client: &plex::Client, settings: &Settings) -> Searched {
    let sections = client.sections().await;
    match sections.map(|sections| Libraries::choose(sections, &settings.libraries)) {
        Ok(Ok(Libraries { missing, .. })) => {
            missing.map_or(Searched::All, |why| Searched::Some { why })
        }
        Ok(Err(why)) => Searched::None { why },
        Err(why) => Searched::Unknown {
            why: why.to_string(),
        },
    }
}
