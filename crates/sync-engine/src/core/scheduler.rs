//! What the worker does next: a pure function of what it has done, what it sees, and the time.

mod looks;
mod step;

use std::time::Duration;

use crate::core::time::Moment;
use looks::Looks;

pub use step::{End, Gate, Next, Situation};

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
    /// A job under way may be what killed the worker before: until all have ended, no other is
    /// taken.
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
        if self.wants_settings(s.now) {
            return Next::ReadSettings;
        }
        // What is begun now would keep what was decided from happening.
        let holds = self.leaving.is_some() || self.exchange;
        if !holds && !self.probing && s.probe_at.is_some_and(|due| due <= s.now) {
            return Next::Probe;
        }
        let can_look = s.home && s.stash == Gate::Open && self.looks.began.is_none();
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
        // A time that has come but led to no step above waits for something else.
        let times = [
            s.probe_at,
            s.plex.opens(),
            s.stash.opens(),
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

    fn wants_settings(&self, now: Moment) -> bool {
        match self.settings {
            Settings::Stale => true,
            Settings::Read(at) => !self.watched && now >= at + REFRESH,
            Settings::Asked => false,
        }
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
        let allowed = match s.plex.and(s.stash) {
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
        self.claimed == 0 && !self.checking && !self.probing && self.looks.began.is_none()
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

    /// Another process wrote to the database. Where the settings' file cannot be watched, that is
    /// the time to look whether they have changed.
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

#[cfg(test)]
mod tests;
