//! The shell around the [machine](crate::machine): clock, lock, store and observers.

use std::borrow::Borrow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::backing::{Backing, Place};
use crate::counts::{Count, Counters, Counts};
use crate::document::{Document, Moment, Record, unix_seconds};
use crate::explain::Explanation;
use crate::fast_path::Hint;
use crate::machine::{
    Event, Kind, Outcome, Rejection, Reply, Role, State, Ticket, Told, Transition, Why,
};
use crate::outage::OutageLog;
use crate::permit::Permit;
use crate::reason::Reason;
use crate::rules::Rules;
use crate::store::{SharedStore, Store, StoreError};
use crate::time::{COARSE_ERROR, Clock, Now, SystemClock, Time};
use crate::waiters::Waiters;

/// Decides whether calls to one dependency may run, from how earlier ones ended.
///
/// ```
/// use breaker::{Breaker, Rules};
///
/// let breaker = Breaker::new(Rules::default().consecutive_failures(2));
/// for _ in 0..2 {
///     breaker.try_acquire().unwrap().failure();
/// }
/// let rejection = breaker.try_acquire().unwrap_err();
/// assert_eq!(rejection.retry_after().unwrap().as_secs_f64().round(), 60.0);
/// ```
pub struct Breaker {
    backing: Backing,
    counters: Counters,
    observers: Vec<Observer>,
    waiters: Waiters,
}

type Observer = Box<dyn Fn(&Transition) + Send + Sync>;

/// Makes a [`Breaker`].
#[must_use]
pub struct Builder {
    rules: Rules,
    clock: Arc<dyn Clock>,
    outages: usize,
    observers: Vec<Observer>,
}

/// A breaker at one moment. Serialised, wall-clock times are Unix seconds; those of the explanation
/// stay exact, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// Where the circuit stands, and what that means for a call.
    pub explanation: Explanation,
    /// When the last outage ended, by the wall clock, while the circuit is closed: where a recovery
    /// [ramp](crate::ramp) starts.
    #[serde(with = "unix_seconds::option")]
    pub recovered_at: Option<Time>,
    /// The last outages.
    pub outages: OutageLog,
    /// How calls ended in this process.
    pub counts: Counts,
    /// Why the last change could not be persisted, if it could not.
    pub store_error: Option<String>,
}

impl Builder {
    /// The clock to count by, the system's unless given.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many outages the log keeps, [`OutageLog::DEFAULT_CAPACITY`] unless given.
    pub fn outage_capacity(mut self, outages: usize) -> Self {
        self.outages = outages;
        self
    }

    /// Calls `observer` once for each transition this breaker makes, outside the lock, on the
    /// thread that made it. Two threads may call it at once; [`Transition::generation`] tells which
    /// came first. Times are wall-clock times. A panic in it ends there: the decision stands, and
    /// other observers are told.
    pub fn on_transition(mut self, observer: impl Fn(&Transition) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// A breaker that lives and dies with this process.
    #[must_use]
    pub fn build(self) -> Breaker {
        let record = Record::new(self.clock.monotonic(), self.outages);
        self.finish(record, Place::Memory)
    }

    /// A breaker that goes on where the one before it stopped, however that ended. Of its trials,
    /// none can still be out.
    ///
    /// # Errors
    /// Those of [`Store::load`].
    pub fn open(self, store: impl Store + 'static) -> Result<Breaker, StoreError> {
        let moment = Moment::of(&*self.clock);
        let mut record = match store.load()? {
            Some(document) => document.into_record(&self.rules, self.outages, moment),
            None => Record::new(moment.wall, self.outages),
        };
        record.state.forget_trials();
        Ok(self.finish(record, Place::Owned(Box::new(store))))
    }

    /// A breaker that shares its state with those of other processes. Its time is the wall clock's,
    /// the only one they have in common.
    ///
    /// # Errors
    /// Those of [`SharedStore::load`], but a corrupted document, which is replaced at the first
    /// change.
    pub fn open_shared(self, store: impl SharedStore + 'static) -> Result<Breaker, StoreError> {
        let moment = Moment::by_wall(&*self.clock);
        let record = match store.load() {
            Ok(Some(document)) => document.into_record(&self.rules, self.outages, moment),
            Ok(None) | Err(StoreError::Corrupted { .. }) => Record::new(moment.wall, self.outages),
            Err(error) => return Err(error),
        };
        let place = Place::Shared(Box::new(store), self.outages);
        Ok(self.finish(record, place))
    }

    fn finish(self, record: Record, place: Place) -> Breaker {
        Breaker {
            backing: Backing::new(self.rules, self.clock, record, place),
            counters: Counters::default(),
            observers: self.observers,
            waiters: Waiters::default(),
        }
    }
}

impl Breaker {
    /// A breaker in memory, by the system's clock.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::builder(rules).build()
    }

    /// Chooses clock, store and observers first.
    pub fn builder(rules: Rules) -> Builder {
        Builder {
            rules,
            clock: Arc::new(SystemClock::new()),
            outages: OutageLog::DEFAULT_CAPACITY,
            observers: Vec::new(),
        }
    }

    /// Asks whether a call may run.
    ///
    /// # Errors
    /// A [`Rejection`] when it may not.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<&Self>, Rejection> {
        self.admit(self)
    }

    /// [`try_acquire`](Breaker::try_acquire) with a permit that can go to another thread or task.
    ///
    /// # Errors
    /// A [`Rejection`] when the call may not run.
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<Permit<Arc<Self>>, Rejection> {
        self.admit(Arc::clone(self))
    }

    #[inline]
    fn admit<B: Borrow<Self>>(&self, breaker: B) -> Result<Permit<B>, Rejection> {
        let call = |generation| Ticket {
            generation,
            role: Role::Call,
        };
        let ticket = match self.backing.fast_path.hint() {
            // Nothing is measured where only failures count.
            Hint::Quiet(generation) => return Ok(Permit::new(breaker, call(generation), None)),
            Hint::Counting(generation) => call(generation),
            Hint::Open(until) => self.acquire_open(until)?,
            Hint::Ask => self.acquire(None)?,
        };
        Ok(Permit::new(breaker, ticket, self.start()))
    }

    /// When the call starts, if the rules ask how long it takes.
    #[inline]
    fn start(&self) -> Option<Time> {
        self.backing
            .rules
            .slow_after()
            .map(|_| self.backing.clock.monotonic())
    }

    /// Most rejections need no better clock than the coarse one.
    #[inline(never)]
    fn acquire_open(&self, until: Time) -> Result<Ticket, Rejection> {
        let now = self.backing.clock.coarse();
        if now + COARSE_ERROR < until {
            self.counters.add(Count::Rejected);
            return Err(Rejection {
                why: Why::Open,
                at: now,
                retry_at: Some(until),
            });
        }
        self.acquire(Some(now))
    }

    #[inline(never)]
    fn acquire(&self, coarse: Option<Time>) -> Result<Ticket, Rejection> {
        self.change(|state, now, told| state.acquire(&self.backing.rules, coarse, now, told))
            .inspect_err(|_| self.counters.add(Count::Rejected))
    }

    #[inline]
    pub(crate) fn finish(&self, ticket: Ticket, outcome: &Outcome, started: Option<Time>) {
        self.counters.add(Count::of(outcome));
        let undecided = matches!(
            outcome,
            Outcome::Success | Outcome::Ignored | Outcome::Cancelled
        );
        if !undecided || self.backing.fast_path.hint() != Hint::Quiet(ticket.generation) {
            self.decide(ticket, outcome, started);
        }
    }

    #[inline(never)]
    fn decide(&self, ticket: Ticket, outcome: &Outcome, started: Option<Time>) {
        let took = started.map_or(Duration::ZERO, |started| {
            self.backing.clock.monotonic() - started
        });
        let reply = self.change(|state, now, told| {
            state.finish(&self.backing.rules, ticket, outcome, took, now, told)
        });
        if reply == Reply::Stale {
            self.counters.add(Count::Stale);
        }
    }

    fn apply(&self, event: Event) -> Reply {
        self.change(|state, now, told| state.apply(&self.backing.rules, event, now, told))
    }

    #[inline]
    fn change<R>(&self, decide: impl Fn(&mut State, &dyn Now, &mut Told) -> R) -> R {
        let mut told = None;
        let result = self.backing.change(&mut told, decide);
        if let (Some(transition), false) = (&mut told, self.observers.is_empty()) {
            transition.at = self.backing.told_at(transition.at);
            self.tell(transition);
        }
        self.waiters.wake();
        result
    }

    pub(crate) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn tell(&self, transition: &Transition) {
        for observer in &self.observers {
            // A panic, of which the panic hook has told, must neither keep the transition from the
            // others nor cost the caller its permit.
            let _ = catch_unwind(AssertUnwindSafe(|| observer(transition)));
        }
    }

    /// What [`try_acquire`](Breaker::try_acquire) would say now, without taking a permit or
    /// changing anything.
    ///
    /// # Errors
    /// The [`Rejection`] a call would get.
    pub fn check(&self) -> Result<(), Rejection> {
        if let Hint::Quiet(_) | Hint::Counting(_) = self.backing.fast_path.hint() {
            return Ok(());
        }
        let rejection = |state: &State, now| state.rejection(&self.backing.rules, now);
        let found = self.backing.look(rejection);
        found.map_or(Ok(()), Err)
    }

    /// Tells the breaker that the dependency seems to be back, and asks for a trial before the open
    /// interval is over. The breaker decides: [`Rules::early_trial_after`] says how soon it agrees;
    /// without that, never before time.
    ///
    /// # Errors
    /// Why no trial may run yet, and when this breaker would agree to one.
    pub fn suggest_trial(&self) -> Result<(), Rejection> {
        match self.apply(Event::SuggestTrial) {
            Reply::Rejected(rejection) => Err(rejection),
            _ => Ok(()),
        }
    }

    /// Opens the circuit until [`reset`](Breaker::reset) or [`disable`](Breaker::disable); no timer
    /// ends that.
    pub fn force_open(&self, reason: impl Into<Reason>) {
        self.apply(Event::ForceOpen(reason.into()));
    }

    /// Lets every call run from now on. The circuit goes on watching, as if it decided: a shadow.
    pub fn disable(&self) {
        self.apply(Event::Disable);
    }

    /// Lets the circuit decide again, from where its shadow stands.
    pub fn enable(&self) {
        self.apply(Event::Enable);
    }

    /// Closes the circuit, clears its counts and lets it decide.
    pub fn reset(&self) {
        self.apply(Event::Reset);
    }

    /// Counts jobs that the running outage keeps waiting; without an outage, nothing.
    pub fn count_affected(&self, jobs: u64) {
        self.backing.count_affected(jobs);
    }

    /// Where the circuit stands. An open one whose interval is over is half-open, though no call
    /// came yet.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if let Hint::Quiet(_) | Hint::Counting(_) = self.backing.fast_path.hint() {
            return Kind::Closed;
        }
        let kind = |state: &State, now| state.kind_at(now);
        self.backing.look(kind)
    }

    /// How long until a call may run: zero when one may now, `None` when only a person can change
    /// that.
    #[must_use]
    pub fn ready_in(&self) -> Option<Duration> {
        match self.check() {
            Ok(()) => Some(Duration::ZERO),
            Err(rejection) => rejection.retry_after(),
        }
    }

    /// Why a call would be admitted or rejected now.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let explain =
            |state: &State, now| Explanation::new(&self.backing.rules, state.clone(), now);
        self.backing.look(explain)
    }

    /// How calls ended in this process.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.sum()
    }

    /// Everything about the breaker at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (record, moment) = self.backing.view();
        let document = Document::new(&record, moment);
        Snapshot {
            explanation: Explanation::new(&self.backing.rules, record.state, moment.now),
            recovered_at: document.recovered_at,
            outages: record.outages,
            counts: self.counts(),
            store_error: self.backing.store_error(),
        }
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breaker")
            .field("kind", &self.kind())
            .field("rules", &self.backing.rules)
            .finish_non_exhaustive()
    }
}
