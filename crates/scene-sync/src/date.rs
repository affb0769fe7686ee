//! Which date of a scene does Plex take?

use crate::{Note, PartialDates};

/// A date Plex takes, `YYYY-MM-DD`, or why there is none.
pub(crate) fn full(text: &str, partial: PartialDates) -> Result<String, Note> {
    let mut parts = text.split('-');
    let mut next = |digits| parts.next().map(|part| number(part, digits));
    let (year, month, day) = (next(4), next(2), next(2));
    let is_partial = day.is_none();
    let (month, day) = (month.unwrap_or(Some(1)), day.unwrap_or(Some(1)));
    let (Some(Some(year)), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
        return Err(Note::UnknownDate);
    };
    if year == 0 || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return Err(Note::UnknownDate);
    }
    if is_partial && partial == PartialDates::Skip {
        return Err(Note::PartialDate(text.to_owned()));
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let sound = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
