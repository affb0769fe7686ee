use std::fmt;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use zip::DateTime;

use crate::Error;

/// When a release was made, in UTC: what decides whether Stash offers an update. As exact as a zip
/// keeps it, to two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub(crate) DateTime);

impl Date {
    /// So many seconds after 1970.
    ///
    /// # Errors
    /// A zip cannot have it: it knows the years 1980 to 2107.
    pub fn from_unix(seconds: u64) -> Result<Self, Error> {
        let refused = || Error::Date(format!("a zip cannot have {seconds}"));
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds & !1));
        // 2026-11-29T18:58:28Z
        let text = humantime::format_rfc3339_seconds(time.ok_or_else(refused)?).to_string();
        let mut parts = text.split(|c: char| !c.is_ascii_digit());
        let mut next = || parts.next()?.parse::<u16>().ok();
        let year = next().ok_or_else(refused)?;
        let mut small = || {
            next()
                .and_then(|it| u8::try_from(it).ok())
                .ok_or_else(refused)
        };
        let (month, day) = (small()?, small()?);
        let (hour, minute, second) = (small()?, small()?, small()?);
        DateTime::from_date_and_time(year, month, day, hour, minute, second)
            .map(Self)
            .map_err(|_| refused())
    }

    /// Of this release: `SOURCE_DATE_EPOCH`, or else the last commit's.
    ///
    /// # Errors
    /// Neither is there.
    pub fn of_release() -> Result<Self, Error> {
        let text = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(set) => set,
            Err(_) => {
                let git = Command::new("git")
                    .args(["log", "-1", "--format=%ct"])
                    .output();
                let said = git.map_err(|why| Error::Date(format!("git: {why}")))?;
                String::from_utf8_lossy(&said.stdout).into_owned()
            }
        };
        let seconds = text.trim().parse();
        Self::from_unix(
            seconds.map_err(|_| Error::Date(format!("{text:?} is no number of seconds")))?,
        )
    }
}

/// As Stash reads it.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = self.0;
        write!(f, "{:04}-{:02}-{:02} ", it.year(), it.month(), it.day())?;
        write!(f, "{:02}:{:02}:{:02}", it.hour(), it.minute(), it.second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_as_stash_reads_it() {
        let date = |seconds| Date::from_unix(seconds).map(|it| it.to_string());
        assert_eq!(date(1_795_978_709).unwrap(), "2026-11-29 18:58:28");
        assert!(date(0).is_err() && date(u64::MAX).is_err());
    }
}
