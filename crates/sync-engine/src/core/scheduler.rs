//! What the worker does next: a pure function of what it has done, what it sees, and the time.

mod looks;

use std::time::Duration;

use crate::core::time::Moment;
use looks::Looks;

/// Whether jobs may be sent to a server now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// As many as wanted.
    Open,
    /// One, and only while none is under way.
    Trial,
    /// None before this time.
    Shut {
        /// The earliest time at which asking again is useful; `None` means not before something changes.
        until: Option<Moment>,
    },
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

/// How the settings stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settings {
    /// Read at this time.
    Read(Moment),
    /// Somebody may have changed them.
    Stale,
    /// Stash is asked.
    Asked,
}

/// Most jobs claimed at once and not settled; enough to keep Plex's one writer busy.
pub const IN_FLIGHT: usize = 16;
/// Jobs claimed together share one question to Stash, so a long backlog is not taken one by one.
const BATCH: u64 = 4;
/// Files around are looked at this often.
pub const LOOK_AROUND: Duration = Duration::from_secs(5);
/// Settings whose file cannot be watched are read again this often.
const REFRESH: Duration = Duration::from_secs(60);
/// A worker without Stash waits so long for it.
const STASH_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What the worker remembers of what it does. Each change of it is one of the methods below.
#[derive(Debug, Clone)]
pub struct Scheduler {
    /// Jobs claimed and not settled.
    claimed: usize,
    /// A job under way may be what killed the worker before: until all have ended, no other is taken.
    suspect: bool,
    /// What a worker that died had claimed was asked for.
    took_back: bool,
    probing: bool,
    checking: bool,
    settings: Settings,
    /// Other settings, or another server, are to be used once nothing is under way.
    exchange: bool,
    /// The settings' file can be watched.
    watched: bool,
    looked: Moment,
    looks: Looks,
    /// Since when nothing was in flight, ready or claimed.
    idle: Moment,
    idle_timeout: Duration,
    /// Since when Stash has been away.
    stash_down: Option<Moment>,
    /// It ends once nothing is under way.
    leaving: Option<End>,
    /// It ends now.
    end: Option<End>,
}

impl Scheduler {
    /// Of a worker that starts now, and has read the settings.
    pub fn start(now: Moment, idle_timeout: Duration) -> Self {
        Self {
            claimed: 0,
            suspect: false,
            took_back: false,
            probing: false,
            checking: false,
            settings: Settings::Read(now),
            exchange: false,
            watched: false,
            // First of all.
            looked: now - LOOK_AROUND,
            looks: Looks::start(now),
            idle: now,
            idle_timeout,
            stash_down: None,
            leaving: None,
            end: None,
        }
    }

    /// Decides the next step.
    pub fn next(&mut self, s: &Situation) -> Next {
        self.watch_stash(s);
        if let Some(end) = self.end {
            return Next::End(end);
        }
        if s.now >= self.looked + LOOK_AROUND {
            return Next::LookAround;
        }
        let under_way = !self.is_quiet();
        if let Some(end) = self.leaving.filter(|_| !under_way) {
            return Next::End(end);
        }
        if self.exchange && !under_way {
            return Next::Exchange;
        }
        match self.settings {
            Settings::Stale => return Next::ReadSettings,
            Settings::Read(at) if !self.watched && s.now >= at + REFRESH => {
                return Next::ReadSettings;
            }
            _ => {}
        }
        // What is begun now would keep what was decided from happening.
        let holds = self.leaving.is_some() || self.exchange;
        if !holds && !self.probing && s.probe_at.is_some_and(|due| due <= s.now) {
            return Next::Probe;
        }
        let can_look = s.home && s.stash == Gate::Open && !self.looks.is_under_way();
        let is_free = s.ready == 0 && self.claimed == 0;
        let look_from = match is_free {
            true => self.looks.at(),
            false => self.looks.by(),
        };
        if !holds && can_look && look_from <= s.now {
            return Next::CatchUp;
        }
        let ready = if holds { 0 } else { self.ready(s) };
        if let Some(most) = self.room(s, ready) {
            return Next::Claim(most);
        }
        let idle_end = self.idle + self.idle_timeout;
        let idle = !under_way && s.live == 0 && !self.looks.is_stash_busy();
        if idle && idle_end <= s.now {
            // What waited for a moment without work begins then.
            return match self.looked < self.idle {
                true => Next::LookAround,
                false => Next::End(End::Idle),
            };
        }
        let gates = [s.plex, s.stash].map(|gate| match gate {
            Gate::Shut { until } => until,
            Gate::Open | Gate::Trial => None,
        });
        // A time that has come but led to no step above waits for something else.
        let times = [
            s.probe_at,
            gates[0],
            gates[1],
            s.next_due,
            s.ramp_at,
            s.ramp_ends,
            can_look.then_some(look_from),
            idle.then_some(idle_end),
        ];
        let earliest = times.into_iter().flatten().filter(|at| *at > s.now).min();
        let look = self.looked + LOOK_AROUND;
        Next::Wait(earliest.unwrap_or(look).min(look))
    }

    fn watch_stash(&mut self, s: &Situation) {
        if s.stash == Gate::Open {
            self.stash_down = None;
            return;
        }
        let since = *self.stash_down.get_or_insert(s.now);
        if s.now - since >= STASH_PATIENCE {
            self.end.get_or_insert(End::StashGone);
        }
    }

    /// Jobs that may be taken.
    fn ready(&self, s: &Situation) -> u64 {
        let asked = self.settings == Settings::Asked;
        if asked || self.checking || self.suspect {
            return 0;
        }
        // A job that a dead worker had claimed is due no more, and comes back with a claim.
        let orphaned = !self.took_back && s.running > self.claimed as u64;
        match orphaned || s.next_due.is_some_and(|at| at <= s.now) {
            true => s.ready.max(1),
            false => 0,
        }
    }

    /// How many of the jobs that are ready to take, when some are.
    fn room(&self, s: &Situation, ready: u64) -> Option<usize> {
        let in_flight = self.claimed + usize::from(self.checking);
        let free = IN_FLIGHT.saturating_sub(in_flight);
        let allowed = match narrower(s.plex, s.stash) {
            Gate::Open => free,
            Gate::Trial if in_flight == 0 => 1,
            Gate::Trial | Gate::Shut { .. } => 0,
        };
        let is_due = s.ramp_at.is_none_or(|at| at <= s.now);
        if ready == 0 || allowed == 0 || !is_due {
            return None;
        }
        match s.ramp_at {
            Some(_) => Some(1),
            None if in_flight == 0 || allowed as u64 >= ready.min(BATCH) => Some(allowed),
            // More places come free.
            None => None,
        }
    }

    /// A probe has begun.
    pub fn probing(&mut self) {
        self.probing = true;
    }

    /// A probe has ended.
    pub fn probed(&mut self) {
        self.probing = false;
    }

    /// Plex is asked who it is, before jobs are taken.
    pub fn checking(&mut self, now: Moment) {
        self.checking = true;
        self.idle = now;
    }

    /// It has answered, or not.
    pub fn checked(&mut self) {
        self.checking = false;
    }

    /// So many jobs were claimed; one of them may be what killed the worker before.
    pub fn claimed(&mut self, jobs: usize, suspect: bool, now: Moment) {
        self.took_back = true;
        self.claimed += jobs;
        if jobs > 0 {
            self.looks.work(now);
        }
        self.suspect |= suspect;
        self.idle = now;
    }

    /// A job has ended, or was given back.
    pub fn settled(&mut self, now: Moment) {
        self.claimed = self.claimed.saturating_sub(1);
        self.suspect &= self.claimed > 0;
        self.idle = now;
    }

    /// Jobs claimed and not settled.
    pub fn in_flight(&self) -> usize {
        self.claimed
    }

    /// Whether nothing at all is under way.
    pub fn is_quiet(&self) -> bool {
        self.claimed == 0 && !self.checking && !self.probing && !self.looks.is_under_way()
    }

    /// Stash is asked what has changed.
    pub fn looking(&mut self, now: Moment) {
        self.looks.begin(now);
    }

    /// It has answered, or not; it is at work itself, or something is to be looked at again soon.
    pub fn has_looked(&mut self, is_stash_busy: bool, again: bool, now: Moment) {
        self.looks.end(is_stash_busy, again, now);
    }

    /// A scan told of a file, whose cover comes later.
    pub fn scanned(&mut self, now: Moment) {
        self.looks.scanned(now);
    }

    /// Somebody wishes for a look at what has changed.
    pub fn wish_look(&mut self, now: Moment) {
        self.looks.wish(now);
    }

    /// The files around were looked at. The settings' file can be seen, or not.
    pub fn looked(&mut self, watched: bool, now: Moment) {
        self.looked = now;
        self.watched = watched;
    }

    /// The settings may have changed.
    pub fn doubt_settings(&mut self) {
        if let Settings::Read(_) = self.settings {
            self.settings = Settings::Stale;
        }
    }

    /// Another process wrote to the database. Where the settings' file cannot be watched, that is the time to look whether they
    /// have changed.
    pub fn woken(&mut self, now: Moment) {
        let stale =
            matches!(self.settings, Settings::Read(at) if !self.watched && now - at >= LOOK_AROUND);
        if stale {
            self.settings = Settings::Stale;
        }
    }

    /// When the settings in force were read; `None` while that is unknown.
    pub fn settings_read(&self) -> Option<Moment> {
        match self.settings {
            Settings::Read(at) => Some(at),
            _ => None,
        }
    }

    /// Stash is asked for the settings.
    pub fn reading_settings(&mut self) {
        self.settings = Settings::Asked;
    }

    /// The settings are as they were when Stash was asked, as far as anybody can tell.
    pub fn kept_settings(&mut self, asked: Moment) {
        self.settings = Settings::Read(asked);
    }

    /// Others are to be used as soon as nothing is under way.
    pub fn changed_settings(&mut self) {
        self.exchange = true;
    }

    /// Others are in force.
    pub fn exchanged(&mut self, idle_timeout: Duration) {
        self.exchange = false;
        self.idle_timeout = idle_timeout;
    }

    /// It ends as soon as nothing is under way.
    pub fn leave(&mut self, why: End) {
        self.leaving.get_or_insert(why);
    }

    /// It ends; what is under way is given back.
    pub fn end(&mut self, why: End) {
        self.end.get_or_insert(why);
    }
}

fn narrower(a: Gate, b: Gate) -> Gate {
    match (a, b) {
        (Gate::Shut { until }, _) | (_, Gate::Shut { until }) => Gate::Shut { until },
        (Gate::Trial, _) | (_, Gate::Trial) => Gate::Trial,
        (Gate::Open, Gate::Open) => Gate::Open,
    }
}

#[cfg(test)]
mod tests;
