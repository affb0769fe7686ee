//! The thread that owns the queue and the claims: it claims, renews and settles, while handlers run
//! on the runtime.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::end::{Failure, Verdict};
use super::{Delivery, End, Ended, Settings, Work, caught};
use crate::clock::Clock;
use crate::connection::Durability;
use crate::error::{Error, Result};
use crate::fencing_token::FencingToken;
use crate::job::Claim;
use crate::queue::Queue;
use crate::wake::LOOK;

/// How often a gate that nobody knows the end of is asked again.
const ASK: Duration = Duration::from_secs(1);

/// The shortest rest.
const PAUSE: Duration = Duration::from_millis(1);

/// Periodic jobs are looked at this often at least: the wall clock, which they go by, may be set.
const LOOK_AT_PERIODIC: Duration = Duration::from_secs(60);

/// What the keeper hears of.
pub(super) enum Message<T> {
    Finished(Id, End<T>),
    /// Claim no more, and end when all is done.
    Stop,
    /// End now.
    Abandon,
}

/// One delivery of a job.
type Id = (i64, FencingToken);

fn id<T>(claim: &Claim<T>) -> Id {
    (claim.id, claim.no)
}

pub(super) struct Keeper<T> {
    queue: Queue<T>,
    settings: Settings<T>,
    work: Work<T>,
    runtime: Handle,
    running: HashMap<Id, Running<T>>,
    /// A job that was lost before waits here until nothing else runs.
    alone: Option<Claim<T>>,
    /// Handlers that ended, and whose jobs are to be settled.
    ended: Vec<(Claim<T>, End<T>)>,
    inbox: Inbox<T>,
    sender: mpsc::Sender<Message<T>>,
    /// When handlers are aborted, once the runner stops; on the monotonic clock.
    deadline: Option<Duration>,
    /// When to look at periodic jobs, on the monotonic clock.
    periodic: Option<Duration>,
}

struct Running<T> {
    claim: Claim<T>,
    _task: Task,
}

/// Aborted when it is dropped, which does nothing to one that has ended.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How long to rest, until a message comes: none is until the queue changes, too.
type Rest = Option<Duration>;

impl<T: Serialize + DeserializeOwned + Clone + Send + 'static> Keeper<T> {
    pub(super) fn new(
        queue: Queue<T>,
        settings: Settings<T>,
        work: Work<T>,
        messages: mpsc::Receiver<Message<T>>,
        sender: mpsc::Sender<Message<T>>,
    ) -> Self {
        Self {
            inbox: Inbox {
                messages,
                received: Vec::new(),
                clock: Arc::clone(&queue.options.clock),
            },
            queue,
            settings,
            work,
            runtime: Handle::current(),
            running: HashMap::new(),
            alone: None,
            ended: Vec::new(),
            sender,
            deadline: None,
            periodic: None,
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) -> Result<Ended> {
        loop {
            self.hear();
            self.settle_ended()?;
            self.renew()?;
            if let Some(ended) = self.end()? {
                return Ok(ended);
            }
            self.enqueue_periodic()?;
            let rest = self.fill()?;
            self.rest(rest)?;
        }
    }

    fn hear(&mut self) {
        for message in self.inbox.take() {
            let now = self.inbox.clock.monotonic();
            match message {
                // One whose lease was lost is not there any more.
                Message::Finished(id, end) => {
                    self.ended
                        .extend(self.running.remove(&id).map(|running| (running.claim, end)));
                }
                Message::Stop => {
                    let deadline = now.saturating_add(self.settings.grace);
                    self.deadline.get_or_insert(deadline);
                }
                Message::Abandon => self.deadline = Some(now),
            }
        }
    }

    fn settle_ended(&mut self) -> Result<()> {
        for (claim, end) in std::mem::take(&mut self.ended) {
            if let Some(unsettled) = self.settle(&claim, end)? {
                self.ended.push((claim, unsettled));
            }
        }
        Ok(())
    }

    /// What is still to be settled, when that is not over yet.
    fn settle(&mut self, claim: &Claim<T>, end: End<T>) -> Result<Option<End<T>>> {
        let (settled, end) = match end {
            Ok(then) => {
                let mut write = then.0;
                let durability = match write {
                    Some(_) => Durability::Power,
                    None => Durability::Process,
                };
                let mut refused = None;
                let settled = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    self.queue.write(durability, |tx| {
                        tx.done(claim)?;
                        write.take().map_or(Ok(()), |write| {
                            write(tx).inspect_err(|error| {
                                refused = Some(Failure::retry("Write", error));
                            })
                        })
                    })
                }));
                match (settled, refused) {
                    (Err(panic), _) => return Ok(Some(Err(Failure::panicked(&*panic)))),
                    (_, Some(refused)) => return Ok(Some(Err(refused))),
                    (Ok(settled), None) => (settled, Ok(super::Then(write))),
                }
            }
            Err(failure) => (self.settle_failed(claim, &failure), Err(failure)),
        };
        match settled {
            Ok(()) | Err(Error::LeaseLost { .. } | Error::Replaced { .. }) => Ok(None),
            // It did not even begin.
            Err(Error::Busy(_)) => Ok(Some(end)),
            Err(error) => Err(error),
        }
    }

    fn settle_failed(&mut self, claim: &Claim<T>, failure: &Failure) -> Result<()> {
        let now = self.queue.options.clock.now();
        // As far as the calendar goes.
        let after = |delay| now.checked_add(delay).unwrap_or(now);
        let (error_type, message) = (failure.error_type(), failure.message());
        let verdict = failure.verdict(claim.attempt(), &self.settings.retry);
        let durability = match verdict {
            Verdict::Dead => Durability::Power,
            Verdict::Retry { .. } | Verdict::Defer { .. } => Durability::Process,
        };
        self.queue.write(durability, |tx| match verdict {
            Verdict::Retry { after: delay } => {
                tx.retry_at(claim, after(delay), error_type, message)
            }
            Verdict::Defer { by } => tx.defer(claim, after(by), message),
            Verdict::Dead => tx.dead(claim, error_type, message),
        })
    }

    /// Extends leases of which half is over. The handler of one that is lost is aborted.
    fn renew(&mut self) -> Result<()> {
        let lease = self.queue.options.lease;
        let soon = self.inbox.clock.monotonic().saturating_add(lease / 2);
        let mut lost = Vec::new();
        let running = self.running.values_mut().map(|running| &mut running.claim);
        let ended = self.ended.iter_mut().map(|(claim, _)| claim);
        for claim in running.chain(&mut self.alone).chain(ended) {
            if claim.expires > soon {
                continue;
            }
            match self.queue.extend(claim, lease) {
                Ok(()) | Err(Error::Busy(_)) => {}
                Err(Error::LeaseLost { .. } | Error::Replaced { .. }) => lost.push(id(claim)),
                Err(error) => return Err(error),
            }
        }
        self.running.retain(|id, _| !lost.contains(id));
        self.alone.take_if(|claim| lost.contains(&id(claim)));
        Ok(())
    }

    /// How all ended, when it has.
    fn end(&mut self) -> Result<Option<Ended>> {
        let Some(deadline) = self.deadline else {
            return Ok(None);
        };
        let at_work = !self.running.is_empty() || !self.ended.is_empty();
        if at_work && self.inbox.clock.monotonic() < deadline {
            return Ok(None);
        }
        let cut_off = self.running.len();
        self.running.clear();
        match self.queue.release_held() {
            // They come back all the same, when the owner's lock is gone.
            Ok(_) | Err(Error::Busy(_)) => Ok(Some(Ended { cut_off })),
            Err(error) => Err(error),
        }
    }

    fn enqueue_periodic(&mut self) -> Result<()> {
        let now = self.inbox.clock.monotonic();
        let is_due = self.periodic.is_none_or(|due| due <= now) && self.deadline.is_none();
        if self.settings.periodic.is_empty() || !is_due {
            return Ok(());
        }
        let next_in = match self.queue.enqueue_due(&self.settings.periodic) {
            // Replaced: it is another file by now, and will have it.
            Err(Error::Busy(_) | Error::Replaced { .. }) => LOOK,
            next => {
                let left = next?.map(|next| next.duration_since(self.inbox.clock.now()));
                left.and_then(std::result::Result::ok).unwrap_or_default()
            }
        };
        self.periodic = Some(now.saturating_add(next_in.min(LOOK_AT_PERIODIC)));
        Ok(())
    }

    /// Claims as many jobs as there is room for.
    fn fill(&mut self) -> Result<Rest> {
        let may_start = self.running.is_empty() && self.deadline.is_none();
        if let Some(claim) = self.alone.take_if(|_| may_start) {
            self.start(claim);
        }
        let room = self.room();
        if room == 0 {
            return Ok(Some(ASK));
        }
        match (self.settings.gate)() {
            Some(Duration::ZERO) => {}
            closed => return Ok(Some(closed.unwrap_or(ASK).min(ASK))),
        }
        let claims = match self.queue.claim(room) {
            Err(Error::Busy(_)) => return Ok(Some(LOOK)),
            claims => claims?,
        };
        for claim in claims {
            if claim.lost() > 0 && !self.running.is_empty() {
                self.alone = Some(claim);
            } else {
                self.start(claim);
            }
        }
        Ok((self.room() == 0).then_some(ASK))
    }

    /// A job that was lost before, and may kill this worker too, has no company that would be lost
    /// with it.
    fn room(&self) -> usize {
        let mut running = self.running.values();
        let lost = self.alone.is_some() || running.any(|running| running.claim.lost() > 0);
        if lost || self.deadline.is_some() {
            return 0;
        }
        let held = self.running.len() + self.ended.len();
        self.settings.concurrency.saturating_sub(held)
    }

    fn start(&mut self, claim: Claim<T>) {
        let id = id(&claim);
        let (delivery, work) = (Delivery::from(&claim), Arc::clone(&self.work));
        let sender = self.sender.clone();
        let task = self.runtime.spawn(async move {
            // In the future, so that a panic before the first `await` is caught too.
            let end = caught(async move { work(delivery).await }).await;
            // The runner is gone: nobody settles this.
            let _ = sender.send(Message::Finished(id, end));
        });
        let _task = Task(task.abort_handle());
        self.running.insert(id, Running { claim, _task });
    }

    fn rest(&mut self, rest: Rest) -> Result<()> {
        if !self.ended.is_empty() {
            self.inbox.nap(LOOK);
            return Ok(());
        }
        let alarm = self.alarm();
        let inbox = &mut self.inbox;
        let mut nap = |nap: Duration| {
            let left =
                |inbox: &Inbox<T>| alarm.map(|alarm| alarm.saturating_sub(inbox.clock.monotonic()));
            // What is overdue, and was tried in vain, is not tried without a pause.
            inbox.nap(left(inbox).map_or(nap, |left| left.max(PAUSE).min(nap)));
            inbox.received.is_empty() && left(inbox) != Some(Duration::ZERO)
        };
        let Some(at_most) = rest else {
            return self.queue.wait_napping(Duration::MAX, nap).map(drop);
        };
        let started = Instant::now();
        while let Some(left) = at_most.checked_sub(started.elapsed())
            && nap(left.min(LOOK))
        {}
        Ok(())
    }

    /// When to look at leases, the deadline or periodic jobs, on the monotonic clock.
    fn alarm(&self) -> Option<Duration> {
        let lease = self.queue.options.lease;
        let running = self.running.values().map(|running| &running.claim);
        let expires = running.chain(&self.alone).map(|claim| claim.expires).min();
        let renew = expires.map(|expires| expires.saturating_sub(lease / 2));
        let periodic = self.periodic.filter(|_| self.deadline.is_none());
        renew.into_iter().chain(self.deadline).chain(periodic).min()
    }
}

/// Where messages come in.
struct Inbox<T> {
    messages: mpsc::Receiver<Message<T>>,
    received: Vec<Message<T>>,
    clock: Arc<dyn Clock>,
}

impl<T> Inbox<T> {
    /// Sleeps so long, or until a message comes.
    fn nap(&mut self, at_most: Duration) {
        self.received.extend(self.messages.recv_timeout(at_most));
    }

    fn take(&mut self) -> Vec<Message<T>> {
        self.received.extend(self.messages.try_iter());
        std::mem::take(&mut self.received)
    }
}
