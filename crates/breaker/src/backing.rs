//! Where the state of a breaker lives, and how a change reaches it.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::document::{Document, Moment, Record};
use crate::fast_path::{FastPath, Hint};
use crate::machine::{Circuit, State, Told};
use crate::rules::Rules;
use crate::store::{SharedStore, Store, StoreError};
use crate::time::{Clock, Now, Time};

/// The state, and what decides about it.
pub(crate) struct Backing {
    pub(crate) rules: Rules,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fast_path: FastPath,
    memory: Mutex<Memory>,
    place: Place,
}

/// Where the state lives.
pub(crate) enum Place {
    /// In this process, which counts by its monotonic clock. The outages are kept by that too, so
    /// that a transition need not read the other.
    Memory,
    /// So too, but it is saved, and its outages are kept by the wall clock.
    Owned(Box<dyn Store>),
    /// In a store, whose users count by the wall clock; with so many outages. The memory bridges
    /// the times when it fails.
    Shared(Box<dyn SharedStore>, usize),
}

struct Memory {
    record: Record,
    /// Why the store lacks the last change.
    unsaved: Option<StoreError>,
}

impl Backing {
    pub(crate) fn new(rules: Rules, clock: Arc<dyn Clock>, record: Record, place: Place) -> Self {
        let hint = match place {
            Place::Memory | Place::Owned(_) => Hint::of(&record.state, &rules),
            Place::Shared(..) => Hint::Ask,
        };
        let unsaved = None;
        Self {
            rules,
            clock,
            fast_path: FastPath::new(hint),
            memory: Mutex::new(Memory { record, unsaved }),
            place,
        }
    }

    /// A panic elsewhere leaves the memory whole: each change is made in one piece.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store_error(&self) -> Option<String> {
        self.lock().unsaved.as_ref().map(ToString::to_string)
    }

    /// Lets `decide` change the state. The transition it causes is told to this caller and no
    /// other; [`told_at`](Self::told_at) says when it was.
    #[inline]
    pub(crate) fn change<R>(
        &self,
        told: &mut Told,
        decide: impl Fn(&mut State, &dyn Now, &mut Told) -> R,
    ) -> R {
        let Place::Shared(store, outages) = &self.place else {
            return self.change_own(told, decide);
        };
        let (result, transition) = self.change_shared(&**store, *outages, |record, now| {
            let mut told = None;
            let result = decide(&mut record.state, &now, &mut told);
            if let Some(transition) = &told {
                record.outages.observe(transition);
            }
            (result, told)
        });
        *told = transition;
        result
    }

    /// The time of a transition by the wall clock.
    pub(crate) fn told_at(&self, at: Time) -> Time {
        match self.place {
            Place::Memory => at.rebased(self.clock.monotonic(), self.clock.wall()),
            Place::Owned(_) | Place::Shared(..) => at,
        }
    }

    /// What `look` finds in the state as it is now.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&State, Time) -> R) -> R {
        if let Place::Shared(store, outages) = &self.place {
            let (record, moment) = self.view_shared(&**store, *outages);
            return look(&record.state, moment.now);
        }
        let memory = self.lock();
        look(&memory.record.state, self.clock.monotonic())
    }

    pub(crate) fn count_affected(&self, jobs: u64) {
        if jobs == 0 {
            return;
        }
        if let Place::Shared(store, outages) = &self.place {
            self.change_shared(&**store, *outages, |record, _| record.outages.affect(jobs));
            return;
        }
        let mut memory = self.lock();
        if memory.record.outages.ongoing().is_some() {
            memory.record.outages.affect(jobs);
            self.save(&mut memory);
        }
    }

    /// What the breaker knows, its outages by the wall clock, and when that is.
    pub(crate) fn view(&self) -> (Record, Moment) {
        if let Place::Shared(store, outages) = &self.place {
            return self.view_shared(&**store, *outages);
        }
        let memory = self.lock();
        let mut record = memory.record.clone();
        let moment = Moment::of(&*self.clock);
        if let Place::Memory = self.place {
            record.outages = record.outages.rebased(moment.now, moment.wall);
        }
        (record, moment)
    }

    #[inline]
    fn change_own<R>(
        &self,
        told: &mut Told,
        decide: impl Fn(&mut State, &dyn Now, &mut Told) -> R,
    ) -> R {
        let mut held = Held {
            memory: self.lock(),
            backing: self,
        };
        let memory = &mut *held.memory;
        let now = Monotonic {
            clock: &*self.clock,
            exact: OnceCell::new(),
        };
        let is_saved = matches!(self.place, Place::Owned(_));
        let durable = |state: &State| is_saved.then(|| durable(state));
        let before = durable(&memory.record.state);
        let result = decide(&mut memory.record.state, &now, told);
        if let Some(transition) = told {
            if is_saved {
                transition.at = self.clock.wall();
            }
            memory.record.outages.observe(transition);
        }
        if memory.unsaved.is_some() || before != durable(&memory.record.state) {
            self.save(memory);
        }
        result
    }

    /// Under the lock, so that documents are written in the order of their changes.
    fn save(&self, memory: &mut Memory) {
        if let Place::Owned(store) = &self.place {
            let document = Document::new(&memory.record, Moment::of(&*self.clock));
            memory.unsaved = store.save(&document).err();
        }
    }

    /// Changes the record. It is read without the store's lock first: a decision that changes
    /// nothing is right as of that read. One that changes something is made again on what the lock
    /// protects.
    fn change_shared<R>(
        &self,
        store: &dyn SharedStore,
        outages: usize,
        change: impl Fn(&mut Record, Time) -> R,
    ) -> R {
        let decide = |current: Option<Document>| {
            let moment = Moment::by_wall(&*self.clock);
            let first = || Document::new(&Record::new(moment.wall, outages), moment);
            let current = current.unwrap_or_else(first);
            let mut record = current.clone().into_record(&self.rules, outages, moment);
            let result = change(&mut record, moment.now);
            let next = Document::new(&record, moment);
            ((next != current).then_some(next), record, result)
        };
        if let Ok(current) = store.load()
            && let (None, record, result) = decide(current)
        {
            let unsaved = None;
            *self.lock() = Memory { record, unsaved };
            return result;
        }

        let mut decided = None;
        let updated = store.update(&mut |current| {
            let (next, record, result) = decide(current);
            decided = Some((record, result));
            next
        });
        let mut memory = self.lock();
        memory.unsaved = updated.err();
        match decided {
            Some((record, result)) => {
                memory.record = record;
                result
            }
            None => change(&mut memory.record, self.clock.wall()),
        }
    }

    fn view_shared(&self, store: &dyn SharedStore, outages: usize) -> (Record, Moment) {
        // A change takes this lock after it was stored: who waits, and looks, misses none of this
        // process's.
        drop(self.lock());
        let moment = Moment::by_wall(&*self.clock);
        let record = match store.load() {
            Ok(Some(document)) => document.into_record(&self.rules, outages, moment),
            Ok(None) => Record::new(moment.wall, outages),
            Err(_) => self.lock().record.clone(),
        };
        (record, moment)
    }
}

/// The locked memory. What it holds is published when it is let go, also by a panic of the store,
/// and after it was saved: nobody acts on a change that a crash could undo.
struct Held<'b> {
    memory: MutexGuard<'b, Memory>,
    backing: &'b Backing,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let hint = Hint::of(&self.memory.record.state, &self.backing.rules);
        self.backing.fast_path.publish(hint);
    }
}

/// Read under the lock, so that events are applied in the order of their times.
struct Monotonic<'c> {
    clock: &'c dyn Clock,
    exact: OnceCell<Time>,
}

impl Now for Monotonic<'_> {
    fn exact(&self) -> Time {
        *self.exact.get_or_init(|| self.clock.monotonic())
    }

    fn coarse(&self) -> Time {
        self.clock.coarse()
    }
}

/// The part of a state that is saved when it changes. The window of a rate is not: it is saved
/// along with the rest.
fn durable(state: &State) -> (u64, bool, u64, (u32, usize)) {
    let progress = match state.circuit() {
        Some(Circuit::Closed { failures, .. }) => (*failures, 0),
        Some(Circuit::HalfOpen {
            successes, trials, ..
        }) => (*successes, trials.len()),
        Some(Circuit::Open { .. }) | None => (0, 0),
    };
    (
        state.generation,
        state.is_shadow(),
        state.last_trial,
        progress,
    )
}
