//! Values as Stash stores them, read tolerantly: each fault is noted and a default used.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::core::settings::names;
use crate::core::words::settings as texts;

/// One setting that could not be used as it is, and what was done instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", names::of(key))]
pub struct Fault {
    /// The setting's key.
    pub key: &'static str,
    /// What is wrong and what is used instead, in words that do not repeat a secret.
    pub problem: String,
    /// Nothing can be sent to Plex because of it.
    pub blocks: bool,
}

/// As its text.
impl serde::Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a map and keeps the faults.
pub struct Reader<'a> {
    map: &'a Map<String, Value>,
    pub faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub fn new(map: &'a Map<String, Value>) -> Self {
        Self {
            map,
            faults: Vec::new(),
        }
    }

    /// The value as text; a cleared text field, which Stash stores as "", counts as unset.
    pub fn text(&self, key: &str) -> Option<String> {
        let text = match self.map.get(key)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Null => return None,
            other => other.to_string(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// Notes what was done instead of what is set.
    pub fn fault(&mut self, key: &'static str, problem: String) {
        self.note(key, problem, false);
    }

    /// Notes why nothing can be sent, and has nothing.
    pub fn obstacle<T>(&mut self, key: &'static str, problem: String) -> Option<T> {
        self.note(key, problem, true);
        None
    }

    fn note(&mut self, key: &'static str, problem: String, blocks: bool) {
        self.faults.push(Fault {
            key,
            problem,
            blocks,
        });
    }

    pub fn bool(&mut self, key: &'static str, default: bool) -> bool {
        let Some(text) = self.text(key) else {
            return default;
        };
        switch(&text).unwrap_or_else(|| {
            self.fault(key, texts::no_switch(&text, default));
            default
        })
    }

    pub fn number(&mut self, key: &'static str, default: f64, range: RangeInclusive<f64>) -> f64 {
        let Some(text) = self.text(key) else {
            return default;
        };
        match text.parse::<f64>() {
            Ok(n) if range.contains(&n) => n,
            Ok(n) if n.is_finite() => {
                let (least, most) = range.into_inner();
                let used = n.clamp(least, most);
                self.fault(key, texts::outside(&text, (least, most), used));
                used
            }
            _ => {
                self.fault(key, texts::no_number(&text, default));
                default
            }
        }
    }

    /// A whole number; 3.5 counts as 3, and is said.
    pub fn whole(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let range = f64::from(*range.start())..=f64::from(*range.end());
        let number = self.number(key, default.into(), range);
        if number.fract() != 0.0 {
            let used = number.trunc();
            self.fault(key, texts::not_whole(number, used));
        }
        number as u32
    }

    pub fn seconds(
        &mut self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Duration {
        Duration::from_secs_f64(self.number(key, default, range))
    }

    pub fn word<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        default: T,
        words: &[(&str, T)],
    ) -> T {
        let Some(text) = self.text(key) else {
            return default;
        };
        let is_it = |(word, _): &&(&str, T)| text.eq_ignore_ascii_case(word);
        if let Some((_, value)) = words.iter().find(is_it) {
            return *value;
        }
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let used = words.iter().find(|(_, value)| *value == default);
        let used = used.map_or("the default", |(word, _)| word);
        self.fault(key, texts::no_such_word(&text, &known, used));
        default
    }

    /// The parts between commas. A comma behind a backslash is part of the text.
    pub fn list(&self, key: &str) -> Vec<String> {
        let (mut parts, mut part) = (Vec::new(), String::new());
        for c in self.text(key).unwrap_or_default().chars() {
            match c {
                ',' if part.ends_with('\\') => {
                    part.pop();
                    part.push(c);
                }
                ',' => parts.push(std::mem::take(&mut part)),
                c => part.push(c),
            }
        }
        parts.push(part);
        let parts = parts.iter().map(|part| part.trim());
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }

    pub fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let text = self.text(key).unwrap_or_default();
        let hidden = self.text("obfuscate_paths").and_then(|it| switch(&it)) == Some(true);
        let mut pairs = Vec::new();
        for (n, entry) in (1..).zip(entries(&text)) {
            match pair(entry) {
                Some((from, to)) => pairs.push((from.to_owned(), to.to_owned())),
                None => self.fault(key, texts::no_pair(n, (!hidden).then_some(entry))),
            }
        }
        pairs
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// The entries of a map.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let entries = text.split(';').map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

fn pair(entry: &str) -> Option<(&str, &str)> {
    let (from, to) = entry.split_once("=>")?;
    let (from, to) = (from.trim(), to.trim());
    (!from.is_empty() && !to.is_empty()).then_some((from, to))
}

/// A pair as it is entered; none where it would be read as something else, since there is no way to
/// write `;` in a folder's name, `=>` in that of Stash, or a blank at an end.
///
/// ```
/// use sync_engine::core::settings::path_map_entry;
/// assert_eq!(path_map_entry("/data", r"D:\New").as_deref(), Some(r"/data=>D:\New"));
/// assert_eq!(path_map_entry("/data; old", "/media"), None);
/// ```
pub fn path_map_entry(from: &str, to: &str) -> Option<String> {
    let entry = format!("{from}=>{to}");
    let read: Vec<_> = entries(&entry).map(pair).collect();
    (read == [Some((from, to))]).then_some(entry)
}
