//! The trials that are out.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// A trial that is out: a lease, not a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trial {
    /// The number on its ticket.
    pub id: u64,
    /// When its place is free again and its result no longer counts.
    pub expires_at: Time,
}

/// The trials that are out. The first, in most circuits the only one, is kept without allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Trial>", into = "Vec<Trial>")]
pub struct Trials {
    first: Option<Trial>,
    /// None without a first.
    others: Vec<Trial>,
}

impl Trials {
    /// The trials.
    pub fn iter(&self) -> impl Iterator<Item = &Trial> {
        self.first.iter().chain(&self.others)
    }

    /// The trials, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Trial> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// How many are out.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// Whether none is out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn push(&mut self, trial: Trial) {
        match self.first {
            None => self.first = Some(trial),
            Some(_) => self.others.push(trial),
        }
    }

    /// Forgets those whose lease is over.
    pub(super) fn expire(&mut self, now: Time) {
        self.others.retain(|trial| trial.expires_at > now);
        if self.first.is_some_and(|trial| trial.expires_at <= now) {
            self.first = self.others.pop();
        }
    }

    /// Gives the place of this trial free; when its lease ends, if it had one.
    pub(super) fn remove(&mut self, id: u64) -> Option<Time> {
        if let Some(trial) = self.first.take_if(|trial| trial.id == id) {
            self.first = self.others.pop();
            return Some(trial.expires_at);
        }
        let place = self.others.iter().position(|trial| trial.id == id)?;
        Some(self.others.swap_remove(place).expires_at)
    }
}

impl FromIterator<Trial> for Trials {
    fn from_iter<I: IntoIterator<Item = Trial>>(trials: I) -> Self {
        let mut trials = trials.into_iter();
        Self {
            first: trials.next(),
            others: trials.collect(),
        }
    }
}

impl From<Vec<Trial>> for Trials {
    fn from(trials: Vec<Trial>) -> Self {
        trials.into_iter().collect()
    }
}

impl From<Trials> for Vec<Trial> {
    fn from(trials: Trials) -> Self {
        trials.iter().copied().collect()
    }
}
