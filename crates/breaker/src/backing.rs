//! Where the state of a breaker lives, and how a change reaches it.

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::document::{Document, Moment, Record};
use crate::fast_path::{FastPath, Hint};
use crate::machine::{Circuit, State, Told};
use crate::rules::Rules;
use crate::store::{SharedStore, Store, StoreError};
use crate::time::{Clock, Now, Time};

/// Where the state lives.
pub(crate) enum Backing {
    Local(Local),
    Shared(Shared),
}

/// In this process, which counts by its monotonic clock. Saved, where there is a store; without one
/// the outages are kept by the monotonic clock too, so that a transition need not read the other.
pub(crate) struct Local {
    memory: Mutex<Memory>,
    store: Option<Box<dyn Store>>,
}

/// In a store, whose users count by the wall clock. The memory bridges the times when it fails.
pub(crate) struct Shared {
    memory: Mutex<Memory>,
    store: Box<dyn SharedStore>,
    outages: usize,
}

struct Memory {
    record: Record,
    /// Why the store lacks the last change.
    unsaved: Option<StoreError>,
}

impl Memory {
    fn new(record: Record) -> Mutex<Self> {
        let unsaved = None;
        Mutex::new(Self { record, unsaved })
    }
}

/// A panic elsewhere leaves the memory whole: each change is made in one piece.
fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backing {
    pub(crate) fn local(record: Record, store: Option<Box<dyn Store>>) -> Self {
        let memory = Memory::new(record);
        Self::Local(Local { memory, store })
    }

    pub(crate) fn shared(record: Record, store: Box<dyn SharedStore>, outages: usize) -> Self {
        Self::Shared(Shared {
            memory: Memory::new(record),
            store,
            outages,
        })
    }

    pub(crate) fn hint(&self, rules: &Rules) -> Hint {
        match self {
            Self::Local(local) => Hint::of(&lock(&local.memory).record.state, rules),
            Self::Shared(_) => Hint::Ask,
        }
    }

    pub(crate) fn store_error(&self) -> Option<String> {
        let memory = match self {
            Self::Local(local) => &local.memory,
            Self::Shared(shared) => &shared.memory,
        };
        lock(memory).unsaved.as_ref().map(ToString::to_string)
    }

    /// Lets `decide` change the state. The transition it causes is told to this caller and no
    /// other; [`told_at`](Self::told_at) says when it was.
    #[inline]
    pub(crate) fn change<R>(
        &self,
        rules: &Rules,
        clock: &dyn Clock,
        fast_path: &FastPath,
        told: &mut Told,
        decide: impl Fn(&mut State, &dyn Now, &mut Told) -> R,
    ) -> R {
        match self {
            Self::Local(local) => local.change(rules, clock, fast_path, told, decide),
            Self::Shared(shared) => {
                let (result, transition) = shared.change(rules, clock, |record, now| {
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
        }
    }

    /// The time of a transition by the wall clock.
    pub(crate) fn told_at(&self, clock: &dyn Clock, at: Time) -> Time {
        match self {
            Self::Local(Local { store: None, .. }) => at.rebased(clock.monotonic(), clock.wall()),
            _ => at,
        }
    }

    /// What `look` finds in the state as it is now.
    pub(crate) fn look<R>(
        &self,
        rules: &Rules,
        clock: &dyn Clock,
        look: impl FnOnce(&State, Time) -> R,
    ) -> R {
        match self {
            Self::Local(local) => {
                let memory = lock(&local.memory);
                look(&memory.record.state, clock.monotonic())
            }
            Self::Shared(shared) => {
                let (record, moment) = shared.view(rules, clock);
                look(&record.state, moment.now)
            }
        }
    }

    pub(crate) fn count_affected(&self, rules: &Rules, clock: &dyn Clock, jobs: u64) {
        match self {
            _ if jobs == 0 => {}
            Self::Local(local) => local.count_affected(clock, jobs),
            Self::Shared(shared) => {
                shared.change(rules, clock, |record, _| record.outages.affect(jobs))
            }
        }
    }

    /// What the breaker knows, its outages by the wall clock, and when that is.
    pub(crate) fn view(&self, rules: &Rules, clock: &dyn Clock) -> (Record, Moment) {
        match self {
            Self::Local(local) => {
                let memory = lock(&local.memory);
                let mut record = memory.record.clone();
                let moment = Moment::of(clock);
                if local.store.is_none() {
                    record.outages = record.outages.rebased(moment.now, moment.wall);
                }
                (record, moment)
            }
            Self::Shared(shared) => shared.view(rules, clock),
        }
    }
}

/// The locked memory. What it holds is published when it is let go, also by a panic of the store, and after it was saved:
/// nobody acts on a change that a crash could undo.
struct Held<'a> {
    memory: MutexGuard<'a, Memory>,
    rules: &'a Rules,
    fast_path: &'a FastPath,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.fast_path
            .publish(Hint::of(&self.memory.record.state, self.rules));
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

impl Local {
    #[inline]
    fn change<R>(
        &self,
        rules: &Rules,
        clock: &dyn Clock,
        fast_path: &FastPath,
        told: &mut Told,
        decide: impl Fn(&mut State, &dyn Now, &mut Told) -> R,
    ) -> R {
        let memory = lock(&self.memory);
        let mut held = Held {
            memory,
            rules,
            fast_path,
        };
        let memory = &mut *held.memory;
        let exact = OnceCell::new();
        let now = Monotonic { clock, exact };
        let durable = |state: &State| self.store.as_ref().map(|_| durable(state));
        let before = durable(&memory.record.state);
        let result = decide(&mut memory.record.state, &now, told);
        if let Some(transition) = told {
            if self.store.is_some() {
                transition.at = clock.wall();
            }
            memory.record.outages.observe(transition);
        }
        if memory.unsaved.is_some() || before != durable(&memory.record.state) {
            self.save(memory, clock);
        }
        result
    }

    fn count_affected(&self, clock: &dyn Clock, jobs: u64) {
        let mut memory = lock(&self.memory);
        if memory.record.outages.ongoing().is_some() {
            memory.record.outages.affect(jobs);
            self.save(&mut memory, clock);
        }
    }

    /// Under the lock, so that documents are written in the order of their changes.
    fn save(&self, memory: &mut Memory, clock: &dyn Clock) {
        if let Some(store) = &self.store {
            let moment = Moment::of(clock);
            memory.unsaved = store.save(&Document::new(&memory.record, moment)).err();
        }
    }
}

impl Shared {
    /// Changes the record. It is read without the store's lock first: a decision that changes nothing is right as of that
    /// read. One that changes something is made again on what the lock protects.
    fn change<R>(
        &self,
        rules: &Rules,
        clock: &dyn Clock,
        change: impl Fn(&mut Record, Time) -> R,
    ) -> R {
        let decide = |current: Option<Document>| {
            let moment = Moment::by_wall(clock);
            let first = || Document::new(&Record::new(moment.wall, self.outages), moment);
            let current = current.unwrap_or_else(first);
            let mut record = current.clone().into_record(rules, self.outages, moment);
            let result = change(&mut record, moment.now);
            let next = Document::new(&record, moment);
            ((next != current).then_some(next), record, result)
        };
        if let Ok(current) = self.store.load()
            && let (None, record, result) = decide(current)
        {
            let unsaved = None;
            *lock(&self.memory) = Memory { record, unsaved };
            return result;
        }

        let mut decided = None;
        let updated = self.store.update(&mut |current| {
            let (next, record, result) = decide(current);
            decided = Some((record, result));
            next
        });
        let mut memory = lock(&self.memory);
        memory.unsaved = updated.err();
        match decided {
            Some((record, result)) => {
                memory.record = record;
                result
            }
            None => change(&mut memory.record, clock.wall()),
        }
    }

    fn view(&self, rules: &Rules, clock: &dyn Clock) -> (Record, Moment) {
        // A change takes this lock after it was stored: who waits, and looks, misses none of this
        // process's.
        drop(lock(&self.memory));
        let moment = Moment::by_wall(clock);
        let record = match self.store.load() {
            Ok(Some(document)) => document.into_record(rules, self.outages, moment),
            Ok(None) => Record::new(moment.wall, self.outages),
            Err(_) => lock(&self.memory).record.clone(),
        };
        (record, moment)
    }
}

/// The part of a state that is saved when it changes. The window of a rate is not: it is saved along with the rest.
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
