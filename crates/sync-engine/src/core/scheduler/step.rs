//! What the worker sees, and what it may do next.

use crate::core::time::Moment;

/// Whether jobs may be sent to a server now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// As many as wanted.
    Open,
    /// One, and only while none is under way.
    Trial,
    /// None before this time.
    Shut {
        /// The earliest time at which asking again is useful; `None` means not before something
        /// changes.
        until: Option<Moment>,
    },
}

impl Gate {
    /// The earliest time at which asking again is useful.
    pub(super) fn opens(self) -> Option<Moment> {
        match self {
            Self::Shut { until } => until,
            Self::Open | Self::Trial => None,
        }
    }

    /// What both allow.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Shut { until }, _) | (_, Self::Shut { until }) => Self::Shut { until },
            (Self::Trial, _) | (_, Self::Trial) => Self::Trial,
            (Self::Open, Self::Open) => Self::Open,
        }
    }
}

/// What the worker sees when it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// The time.
    pub now: Moment,
    /// What the Plex breaker allows.
    pub plex: Gate,
    /// What the Stash breaker allows.
    pub stash: Gate,
    /// When the next health probe is due; `None` while none is wanted.
    pub probe_at: Option<Moment>,
    /// When the recovery ramp has a job to spend.
    pub ramp_at: Option<Moment>,
    /// When the recovery ramp ends.
    pub ramp_ends: Option<Moment>,
    /// Jobs that could be claimed now.
    pub ready: u64,
    /// Jobs that somebody has claimed.
    pub running: u64,
    /// When the earliest waiting job is due.
    pub next_due: Option<Moment>,
    /// Jobs that are not done, whenever they are due.
    pub live: u64,
    /// It is known what Plex is written to, so that what is on record of it can be compared.
    pub home: bool,
}

/// Why the worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing left to do, or to wait for.
    Idle,
    /// It was asked to stop.
    Stopped,
    /// Stash refuses the session, and no newer one is known; the next hook brings one.
    SessionRefused,
    /// Stash has been away for long; the next hook starts another worker.
    StashGone,
    /// Another version of the program stands in its place.
    Replaced,
    /// The data folder was removed, or its files were: what is done here, nobody would see.
    Removed,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Look at the files around: settings, program, data folder, connection.
    LookAround,
    /// Ask Stash for the settings.
    ReadSettings,
    /// Go on with the settings, or the server, that were found.
    Exchange,
    /// Probe Plex.
    Probe,
    /// Look at what has changed in Stash.
    CatchUp,
    /// Take up to this many jobs, at least one.
    Claim(usize),
    /// Nothing until this time, or until something happens.
    Wait(Moment),
    /// End.
    End(End),
}
