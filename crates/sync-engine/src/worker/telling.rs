//! What of an outage is worth a line in Stash's own log: a refusal that a person must end, at once;
//! an absence, when it is long. Lost words cost a line, so what the database says to them is not
//! asked.

use std::time::Duration;

use plex_health::Verdict;
use queue::rusqlite::Connection;

use crate::core::reconcile::instant;
use crate::core::time::Time;
use crate::core::words::worker as texts;
use crate::storage::notices::{self, Topic};
use crate::worker::state::Worker;

/// A restart or an update of Plex is over by then.
const LONG: Duration = Duration::from_secs(600);

impl<T: Time> Worker<'_, T> {
    /// The circuit opened over something that does not pass by itself.
    pub(super) fn tell_of_refusal(&self, words: &str) {
        const LASTING: [&str; 3] = ["unauthorized", "wrong_server", "no_library"];
        let outages = self.link.plex.breaker().snapshot().outages;
        if let Some(outage) = outages.ongoing()
            && let why = outage.reason.as_str()
            && LASTING.contains(&why)
        {
            let words = texts::refused(words);
            let settings = self.around.settings();
            let about = (why, words.as_str());
            let _ = self
                .db
                .read(|db| notices::leave(db, Topic::Plex, about, Some(settings)));
        }
    }

    /// Plex did not answer a probe: has it been away for long?
    pub(super) fn tell_of_absence(&self, why: &Verdict) {
        let outages = self.link.plex.breaker().snapshot().outages;
        let now = instant(self.time.wall());
        let outage = outages.ongoing().map(|outage| outage.duration(now));
        if outage.is_none_or(|lasted| lasted < LONG) {
            return;
        }
        let live = self.db.with(|queue| queue.counts());
        let waiting = live.map_or(0, |counts| counts.live());
        let words = texts::long_away(&why.to_string(), waiting);
        let leave = |db: &Connection| notices::leave(db, Topic::Plex, ("away", &words), None);
        let _ = self.db.read(leave);
    }

    /// The circuit is closed again.
    pub(super) fn tell_of_recovery(&self) {
        let _ = self.db.read(|db| notices::clear(db, Topic::Plex));
    }
}
