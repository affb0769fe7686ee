//! Durations and times as people say them. Pure.

/// Two units at most: `3m 12s`, `2h 5m`, `4d 1h`; below a second `0s`. `seconds` below zero (a
/// clock that was set back) or no number at all counts as none.
///
/// ```
/// use sync_engine::core::words::format::span;
/// assert_eq!(span(192.4), "3m 12s");
/// assert_eq!(span(7500.0), "2h 5m");
/// ```
pub fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |big: u64, unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit} {small}{small_unit}")
        }
    };
    match () {
        () if days > 0 => two(days, "d", hours % 24, "h"),
        () if hours > 0 => two(hours, "h", minutes % 60, "m"),
        () if minutes > 0 => two(minutes, "m", seconds % 60, "s"),
        () => format!("{seconds}s"),
    }
}

/// A point in time in UTC, to the second.
pub fn date(unix_seconds: f64) -> String {
    /// The end of the year 9999, the last that can be written so.
    const LAST: f64 = 253_402_300_799.0;
    let date = stash::timestamp::format(unix_seconds.clamp(0.0, LAST) as i64);
    date.replace('T', " ").replace('Z', " UTC")
}

/// `1 job waits`, `2 jobs wait`: number, noun, and what it does.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What to do about a circuit that opened for this word.
pub fn remedy(word: &str) -> String {
    use crate::core::settings::names;
    let correct = match word {
        "unauthorized" => format!(
            "Enter the token of the server's owner in {}",
            names::of("plex_token")
        ),
        "wrong_server" => format!(
            "Correct {}, or run Clear Match Cache if it is your new server",
            names::of("plex_url")
        ),
        "no_library" => format!(
            "Correct {}; Health Check names the libraries that Plex has",
            names::of("plex_library")
        ),
        "starting" => {
            return "You need do nothing: what waits is sent by itself once Plex is ready"
                .to_owned();
        }
        _ => {
            return "What waits is sent by itself once that is over or corrected; Health Check says what to do"
                .to_owned();
        }
    };
    format!("{correct}. What waits is then sent by itself")
}

/// Whether this word for an opening says only that Plex failed.
pub fn names_no_cause(word: &str) -> bool {
    matches!(word, "consecutive_failures" | "trial_failed")
}

/// Why a circuit opened, for the word in its file; a word from elsewhere is shown as it is.
pub fn reason(word: &str) -> &str {
    match word {
        "consecutive_failures" => "requests to Plex failed several times in a row",
        "trial_failed" => "the last try failed too",
        "unauthorized" => "Plex refuses the token",
        "wrong_server" => "another Plex server answers",
        "no_library" => "Plex has none of the libraries that are set",
        "starting" => "Plex is starting or in maintenance",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_dates_of_any_number() {
        let cases = [
            (f64::NAN, "0s"),
            (-5.0, "0s"),
            (0.9, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (3599.0, "59m 59s"),
            (3600.0, "1h"),
            (90_000.0, "1d 1h"),
        ];
        for (seconds, words) in cases {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(date(1_764_000_000.5), "2025-11-24 16:00:00 UTC");
        assert_eq!(date(f64::INFINITY), "9999-12-31 23:59:59 UTC");
        assert_eq!(date(f64::NAN), "1970-01-01 00:00:00 UTC");
    }
}
