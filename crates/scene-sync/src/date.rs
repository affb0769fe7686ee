//! Which date of a scene does Plex take?

use crate::PartialDates;

/// A date Plex takes, `YYYY-MM-DD`, or why there is none.
pub(crate) fn full(text: &str, partial: PartialDates) -> Result<String, DateFault> {
    let mut parts = text.trim().split('-');
    let year = part(parts.next(), 4).ok_or(DateFault::Unknown)?;
    let month = parts
        .next()
        .map(|month| part(Some(month), 2).ok_or(DateFault::Unknown));
    let day = parts
        .next()
        .map(|day| part(Some(day), 2).ok_or(DateFault::Unknown));
    if parts.next().is_some() {
        return Err(DateFault::Unknown);
    }
    let partial_given = month.is_none() || day.is_none();
    let month = month.transpose()?.unwrap_or(1);
    let day = day.transpose()?.unwrap_or(1);
    if year == 0 || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return Err(DateFault::Unknown);
    }
    if partial_given && partial == PartialDates::Skip {
        return Err(DateFault::Partial);
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateFault {
    /// Only a year or a month, and the policy skips those.
    Partial,
    /// No date of the calendar.
    Unknown,
}

fn part(text: Option<&str>, digits: usize) -> Option<u32> {
    let text = text?;
    let sound = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
