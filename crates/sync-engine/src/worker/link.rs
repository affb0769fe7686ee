//! What the worker has from the settings: the clients they lead to, and the circuit of the Plex
//! they name. Exchanged as a whole.

use std::rc::Rc;
use std::time::Duration;

use breaker::{Breaker, FileStore, Rules};
use plex_health::Probe;
use stash::client::Client;

use crate::clients::{self, SetupError, Told};
use crate::core::settings::{Fault, Settings};
use crate::core::time::Time;
use crate::core::words::{next_step, settings as in_words, worker as texts};
use crate::storage::data_dir::DataDir;
use crate::storage::log::WorkerLog;
use crate::sync::Syncer;
use crate::worker::circuit::Circuit;

/// Why nothing can be sent with the settings as they are.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The settings do not say where Plex is.
    #[error("{}", next_step::blocks(.0))]
    Settings(Vec<Fault>),
    /// Turned off by the user.
    #[error("{}", in_words::paused())]
    Disabled,
    /// The breaker's document.
    #[error(transparent)]
    Breaker(#[from] breaker::StoreError),
    /// The clients.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// Settings as Stash has them, and what is wrong with them.
pub type Found = (Settings, Vec<Fault>);

/// Asks Stash for the settings, and Plex whether it needs a token where none is set.
///
/// # Errors
/// Those of Stash.
pub async fn read(stash: &Client) -> Result<Told, stash::client::Error> {
    let mut told = clients::settings(stash).await?;
    let (settings, faults) = &mut told.read;
    if let Some(target) = settings.plex.as_ref().filter(|to| to.token.is_none())
        // One that is away may turn out to need none.
        && clients::needs_no_token(target, settings).await != Some(false)
    {
        faults.retain(|fault| fault.key != "plex_token");
    }
    Ok(told)
}

/// The settings in force, and all that is made of them.
pub struct Link {
    pub settings: Rc<Settings>,
    pub plex: Circuit,
    pub syncer: Rc<Syncer>,
    pub probe: Probe,
}

impl Link {
    /// Follows these settings.
    ///
    /// # Errors
    /// They cannot be followed; the text says why.
    pub fn new(
        (settings, faults): Found,
        stash: &Client,
        dir: &DataDir,
        log: &WorkerLog<'_>,
        time: &impl Time,
    ) -> Result<Self, LinkError> {
        if !settings.enabled {
            return Err(LinkError::Disabled);
        }
        let blocked = faults.iter().any(|fault| fault.blocks);
        let Some(target) = settings.plex.as_ref().filter(|_| !blocked) else {
            return Err(LinkError::Settings(faults));
        };
        for fault in &faults {
            log.warn(fault.to_string());
        }
        log.set_debug(settings.debug_logging);
        if target.token.is_none() {
            log.info(texts::WITHOUT_TOKEN);
        }
        let rules = Rules::default()
            .consecutive_failures(settings.failure_threshold)
            .open_for(settings.recovery_timeout)
            .early_trial_after(Duration::ZERO);
        let store = FileStore::open(dir.breaker())?;
        if let Some(aside) = store.set_aside() {
            log.warn(texts::circuit_damaged(aside));
        }
        let breaker = Breaker::builder(rules).clock(time.clock()).open(store)?;
        let plex = clients::plex(target, &settings, dir)?;
        Ok(Self {
            plex: Circuit::new(breaker),
            syncer: Rc::new(Syncer::new(stash.clone(), plex, &settings)),
            probe: clients::probe(target, &settings, dir)?,
            settings: settings.into(),
        })
    }

    /// Whether Plex may answer otherwise with other settings than with these.
    pub fn leads_elsewhere(&self, new: &Settings) -> bool {
        let old = &self.settings;
        old.plex != new.plex
            || old.libraries != new.libraries
            || old.tls_skip_verify != new.tls_skip_verify
    }
}
