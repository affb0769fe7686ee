//! A plan in words.

use std::fmt;

use crate::{EditPlan, FieldEdit, RatingEdit, TagEdit};

/// Longest value shown, in characters.
const SHOWN: usize = 60;

impl fmt::Display for EditPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to change")?;
        }
        self.fields
            .iter()
            .try_for_each(|edit| writeln!(f, "{edit}"))?;
        self.tags.iter().try_for_each(|edit| write!(f, "{edit}"))?;
        if let Some(edit) = &self.rating {
            writeln!(f, "{edit}")?;
        }
        if self.poster {
            writeln!(f, "make the cover the poster, unless it is")?;
        }
        if self.background {
            writeln!(f, "make the cover the background, unless it is")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

impl fmt::Display for FieldEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, from, to) = (self.field, short(&self.from), short(&self.to));
        match (self.from.is_empty(), self.to.is_empty()) {
            (_, true) => write!(f, "clear {field} (was {from})"),
            (true, _) => write!(f, "set {field} to {to} (was empty)"),
            _ => write!(f, "set {field} to {to} (was {from})"),
        }
    }
}

/// A line for each tag.
impl fmt::Display for TagEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.add {
            writeln!(f, "add {} {}", self.kind, short(name))?;
        }
        for name in &self.remove {
            writeln!(f, "remove {} {}", self.kind, short(name))?;
        }
        Ok(())
    }
}

impl fmt::Display for RatingEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "rate it {to} of 10 (was {from})"),
            (None, Some(to)) => write!(f, "rate it {to} of 10 (was unrated)"),
            (Some(from), None) => write!(f, "remove the rating (was {from})"),
            (None, None) => write!(f, "leave it unrated"),
        }
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}", format!("{}…", text.get(..end).unwrap_or(text))),
        None => format!("{text:?}"),
    }
}
