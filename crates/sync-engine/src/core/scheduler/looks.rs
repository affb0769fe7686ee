//! When the worker looks at what has changed in Stash.

use std::time::Duration;

use crate::core::time::Moment;

/// While there is work, and after a scan: the cover of a new scene is made after its hook.
const OFTEN: Duration = Duration::from_secs(60);
/// While there is none.
const SELDOM: Duration = Duration::from_secs(600);
/// At most this share of the time is spent on looks.
const SHARE: u32 = 100;

/// When looks are due, and whether one is under way.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    due: Moment,
    /// The last one took long: not before.
    floor: Moment,
    interval: Duration,
    /// One must begin then or later, since a scan told of a file.
    after_scan: Option<Moment>,
    /// Since when one is under way.
    pub(super) began: Option<Moment>,
    is_busy: bool,
}

impl Looks {
    /// Of a worker that starts now: somebody may have changed something while there was none.
    pub(super) fn start(now: Moment) -> Self {
        Self {
            due: now,
            floor: now,
            interval: OFTEN,
            after_scan: None,
            began: None,
            is_busy: false,
        }
    }

    /// When the next one may begin.
    pub(super) fn at(&self) -> Moment {
        let due = self.after_scan.map_or(self.due, |at| at.min(self.due));
        due.max(self.floor)
    }

    /// Until then it waits for a moment in which nothing else is to be done: what people asked for
    /// goes first, and may be just what it would find.
    pub(super) fn by(&self) -> Moment {
        self.at() + OFTEN
    }

    /// Whether Stash was at work itself at the last look.
    pub(super) fn is_stash_busy(&self) -> bool {
        self.is_busy
    }

    pub(super) fn begin(&mut self, now: Moment) {
        self.began = Some(now);
        self.after_scan = self.after_scan.filter(|at| *at > now);
    }

    /// A look has ended; Stash is at work itself, or something is to be looked at again.
    pub(super) fn end(&mut self, is_busy: bool, again: bool, now: Moment) {
        let began = self.began.take().unwrap_or(now);
        self.is_busy = is_busy;
        self.floor = began + (now - began) * SHARE;
        let soon = is_busy || again;
        self.due = began + if soon { OFTEN } else { self.interval };
        self.interval = (self.interval * 2).min(SELDOM);
    }

    /// There is work.
    pub(super) fn work(&mut self, now: Moment) {
        self.interval = OFTEN;
        self.due = self.due.min(now + OFTEN);
    }

    /// A scan told of a file.
    pub(super) fn scanned(&mut self, now: Moment) {
        self.after_scan = Some(now + OFTEN);
    }

    /// Somebody wishes for a look.
    pub(super) fn wish(&mut self, now: Moment) {
        self.due = self.due.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    #[test]
    fn looks_thin_out_while_there_is_nothing_to_do() {
        let mut looks = Looks::start(at(0));
        let mut began = Vec::new();
        for second in 0..2000 {
            let now = at(second);
            if looks.at() <= now {
                began.push(second);
                looks.begin(now);
                looks.end(false, false, now);
            }
        }
        assert_eq!(began, [0, 60, 180, 420, 900, 1500]);
    }

    #[test]
    fn work_a_wish_and_a_busy_stash_bring_the_next_one_forward() {
        let idle = || {
            let mut looks = Looks::start(at(0));
            for second in [0, 60, 180, 420] {
                looks.begin(at(second));
                looks.end(false, false, at(second));
            }
            looks
        };
        assert_eq!(idle().at(), at(900));
        let mut looks = idle();
        looks.work(at(500));
        assert_eq!(looks.at(), at(560));
        let mut looks = idle();
        looks.wish(at(500));
        assert_eq!(looks.at(), at(500));
        let mut looks = idle();
        looks.begin(at(900));
        looks.end(true, false, at(900));
        assert_eq!(looks.at(), at(960));
        assert!(looks.is_stash_busy());
        let mut looks = idle();
        looks.begin(at(900));
        looks.end(false, true, at(900));
        assert_eq!(looks.at(), at(960));
        assert!(!looks.is_stash_busy());
    }

    #[test]
    fn a_look_begins_a_minute_after_a_scan_whatever_came_before() {
        let mut looks = Looks::start(at(0));
        looks.scanned(at(0));
        looks.begin(at(0));
        looks.end(false, false, at(0));
        for second in [30, 59] {
            looks.wish(at(second));
            looks.begin(at(second));
            looks.end(false, false, at(second));
        }
        assert_eq!(looks.at(), at(60));
        looks.begin(at(60));
        looks.end(false, false, at(60));
        assert!(looks.at() > at(60));
    }

    #[test]
    fn a_long_look_is_a_small_share_of_the_time() {
        let mut looks = Looks::start(at(0));
        looks.begin(at(0));
        looks.end(true, false, at(20));
        looks.scanned(at(20));
        looks.wish(at(21));
        assert_eq!(looks.at(), at(2000));
    }
}
