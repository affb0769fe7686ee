//! Reconciliation: what differs between Stash and what was written, found by content. Pure.
//!
//! A run is one job that goes through Stash a page at a time: each page's gaps are queued together
//! with the rest of the run, in one transaction. So a run needs the memory of one page, and a
//! restart resumes it where it was.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scene_sync::drift::Drift;
use serde::{Deserialize, Serialize};

use crate::core::settings::{Interval, Scope};
use crate::core::words::format::count;

/// What a run looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Every scene.
    All,
    /// The scenes created or changed in the last 24 hours.
    Day,
    /// The scenes created or changed in the last 7 days.
    Week,
    /// Every scene, and what Plex shows of it.
    Metadata,
}

impl Reach {
    /// The task's name in Stash.
    pub fn task(self) -> &'static str {
        match self {
            Self::All => "Reconcile All Scenes",
            Self::Day => "Reconcile Recent Scenes",
            Self::Week => "Reconcile Scenes of 7 Days",
            Self::Metadata => "Reconcile Missing Metadata",
        }
    }

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "all scenes",
            Self::Day => "scenes of the last 24 hours",
            Self::Week => "scenes of the last 7 days",
            Self::Metadata => "all scenes and what Plex shows of them",
        }
    }

    /// Which scenes.
    pub fn scope(self) -> Scope {
        match self {
            Self::All | Self::Metadata => Scope::All,
            Self::Day => Scope::Day,
            Self::Week => Scope::Week,
        }
    }
}

impl From<Scope> for Reach {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Day => Self::Day,
            Scope::Week => Self::Week,
        }
    }
}

/// A run, as far as it has come: what its job carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What it looks at.
    pub reach: Reach,
    /// The timetable started it, and no person.
    #[serde(default)]
    pub by_itself: bool,
    /// When it began, in Unix seconds; none before its first page.
    #[serde(default)]
    pub began: Option<i64>,
    /// The scene up to which it has come.
    #[serde(default)]
    pub last: u64,
    /// What they brought.
    #[serde(default)]
    pub report: Report,
}

impl Run {
    /// One that a person starts.
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            by_itself: false,
            began: None,
            last: 0,
            report: Report::default(),
        }
    }
}

/// What a run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Scenes looked at.
    pub checked: u64,
    /// Those that differ.
    pub gaps: Drifts,
    /// Scenes queued for that.
    pub queued: u64,
    /// Scenes that were never synced, and that nobody asked for.
    pub left_alone: u64,
    /// Items of Plex could not be read, and may be some that it seemed not to have.
    pub unread: bool,
}

/// Scenes that differ, by how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Drifts {
    pub changed_in_stash: u64,
    pub never_synced: u64,
    pub not_in_plex: u64,
    pub changed_in_plex: u64,
    pub deleted_in_stash: u64,
}

impl Drifts {
    /// Counts one.
    pub fn add(&mut self, gap: &Drift) {
        match gap {
            Drift::NotInPlex => self.not_in_plex += 1,
            Drift::NeverSynced => self.never_synced += 1,
            Drift::ChangedInStash => self.changed_in_stash += 1,
            _ => self.changed_in_plex += 1,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_type().iter().map(|(_, n)| n).sum()
    }

    fn by_type(&self) -> [(&'static str, u64); 5] {
        [
            ("changed in Stash or the settings", self.changed_in_stash),
            ("not on record as synced", self.never_synced),
            ("not in Plex", self.not_in_plex),
            ("changed in Plex", self.changed_in_plex),
            ("deleted in Stash", self.deleted_in_stash),
        ]
    }
}

impl Report {
    /// `40 scenes compared with what was last written, 3 differ (2 changed in Stash or the settings, 1
    /// not on record as synced), 3 queued`.
    pub fn words(&self) -> String {
        let checked = count(self.checked, "scene", "scenes");
        let checked = format!("{checked} compared with what was last written");
        let kinds = self.gaps.by_type().into_iter().filter(|(_, n)| *n > 0);
        let kinds: Vec<_> = kinds.map(|(kind, n)| format!("{n} {kind}")).collect();
        let alone = match self.left_alone {
            0 => String::new(),
            n => format!(
                "; {n} not synced yet and left alone until Sync All or Reconcile All Scenes is run"
            ),
        };
        if kinds.is_empty() {
            return format!("{checked}, none differs{alone}");
        }
        let differ = count(self.gaps.total(), "differs", "differ");
        let queued = self.queued;
        let named = match (self.gaps.not_in_plex, self.unread) {
            (0, _) => "",
            (_, false) => ". Compare Only names what is not in Plex",
            (_, true) => {
                ". What is not in Plex may be there, in an item that cannot be read: Compare Only names both"
            }
        };
        format!(
            "{checked}, {differ} ({}), {queued} queued{alone}{named}",
            kinds.join(", ")
        )
    }
}

/// A run that has ended, as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// What it looked at.
    pub reach: Reach,
    /// When it began, in Unix seconds.
    pub began: i64,
    /// When it ended.
    pub ended: i64,
    /// What it found.
    #[serde(flatten)]
    pub report: Report,
    /// The number of its last job, which tells it from another within the same second.
    #[serde(default)]
    pub job: i64,
}

/// A bulk job that has queued its scenes, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Which scenes.
    pub scope: Scope,
    /// How many.
    pub queued: u64,
    /// The number of the job, which tells it from another that queued as many.
    #[serde(default)]
    pub job: i64,
}

/// What follows a page, or the whole list of a bulk job.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The rest of the run.
    Next(Run),
    /// Nothing: that was the last page.
    Ended(Ended),
    /// Nothing: all are queued.
    Listed(Listed),
}

/// When a run is due that was last started at `last`; none when it never is. A clock that was set
/// back makes it due: nobody can tell how long ago the last one was.
pub fn due_at(interval: Interval, last: Option<SystemTime>, now: SystemTime) -> Option<SystemTime> {
    let period = interval.period()?;
    Some(match last {
        Some(last) if last <= now => last + period,
        _ => now,
    })
}

/// Unix seconds.
pub fn unix(time: SystemTime) -> i64 {
    unix_millis(time) / 1000
}

/// A wall-clock time as the breaker stores it.
pub fn instant(time: SystemTime) -> breaker::Time {
    breaker::Time::from_unix_micros(unix_millis(time).unsigned_abs().saturating_mul(1000))
}

/// Milliseconds since 1970.
pub fn unix_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time of Unix seconds.
pub fn time(unix: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn due_when_the_interval_has_passed() {
        let now = UNIX_EPOCH + 1_000_000 * HOUR;
        let moment = Duration::from_secs(1);
        for (interval, hours) in [
            (Interval::Hourly, 1),
            (Interval::Daily, 24),
            (Interval::Weekly, 168),
        ] {
            let period = hours * HOUR;
            let due = |last| due_at(interval, last, now);
            assert_eq!(due(None), Some(now), "never run");
            assert_eq!(due(Some(now - period)), Some(now));
            assert_eq!(due(Some(now - period - HOUR)), Some(now - HOUR));
            assert_eq!(due(Some(now - period + moment)), Some(now + moment));
            assert_eq!(due(Some(now)), Some(now + period));
            assert_eq!(due(Some(now + moment)), Some(now), "clock set back");
        }
        assert_eq!(due_at(Interval::Never, None, now), None);
        assert_eq!(due_at(Interval::Never, Some(UNIX_EPOCH), now), None);
    }

    #[test]
    fn a_report_names_what_there_is() {
        let mut report = Report {
            checked: 1,
            ..Report::default()
        };
        assert_eq!(
            report.words(),
            "1 scene compared with what was last written, none differs"
        );
        report.checked = 40;
        for drift in [
            Drift::ChangedInStash,
            Drift::ChangedInStash,
            Drift::ChangedInPlex(vec!["title".into()]),
        ] {
            report.gaps.add(&drift);
        }
        report.queued = 3;
        assert_eq!(
            report.words(),
            "40 scenes compared with what was last written, 3 differ (2 changed in Stash or the settings, 1 changed in Plex), 3 queued"
        );
    }
}
