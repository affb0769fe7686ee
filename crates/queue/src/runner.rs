//! A worker that needs nothing but handlers: it claims, renews leases, retries and stops by itself.

mod end;
mod keeper;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

pub use self::end::{Failure, Then};
use self::keeper::{Keeper, Message};
use crate::error::Result;
use crate::job::{Claim, NewJob};
use crate::periodic::Periodic;
use crate::queue::Queue;

/// What a handler leaves behind.
pub(crate) type End<T> = Result<Then<T>, Failure>;
pub(crate) type Work<T> =
    Arc<dyn Fn(Delivery<T>) -> Pin<Box<dyn Future<Output = End<T>> + Send>> + Send + Sync>;

/// A job as its handler gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery<T> {
    /// What to do.
    pub payload: T,
    /// The key it was enqueued with.
    pub key: Option<String>,
    /// The job's id.
    pub job: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How often it was deferred.
    pub deferred: u32,
    /// When this payload was enqueued.
    pub enqueued: SystemTime,
}

impl<T: Clone> From<&Claim<T>> for Delivery<T> {
    fn from(claim: &Claim<T>) -> Self {
        Self {
            payload: claim.payload().clone(),
            key: claim.key().map(str::to_owned),
            job: claim.job(),
            attempt: claim.attempt(),
            deferred: claim.deferred(),
            enqueued: claim.enqueued(),
        }
    }
}

/// How [`Runner::run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Jobs whose handlers were cut off at the deadline. They are ready again, and the attempt does
    /// not count.
    pub cut_off: usize,
}

/// Runs the jobs of a queue with a handler, on tokio.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> queue::Result<()> {
/// # let path = queue::InMemory::new()?;
/// use queue::{Delivery, Failure, Options, Queue, Runner};
/// use tokio::time::{Duration, sleep};
///
/// async fn greet(job: Delivery<String>) -> Result<(), Failure> {
///     println!("hello, {}", job.payload);
///     Ok(())
/// }
///
/// let mut queue: Queue<String> = Queue::open(&path, Options::consumer())?;
/// queue.enqueue("Ann".to_owned())?;
/// let stop = sleep(Duration::from_millis(100)); // in a program tokio::signal::ctrl_c()
/// Runner::new(queue).concurrency(4).run(stop, greet).await?;
/// # Ok(())
/// # }
/// ```
///
/// - A thread of its own renews the leases, so a handler may block its thread, or the whole
///   runtime, for as long as it likes. One that hangs for ever keeps its job for ever: put a
///   timeout around what can hang.
/// - A handler that panics has failed, like one that returns an error. [`Failure`] says what is to
///   come of the job; where it leaves that open, [`retry`](Self::retry) decides. [`Then`] ends the
///   job and writes to your own tables in one step.
/// - A job that was lost before, and may be what killed its worker, runs alone.
/// - A handler whose job is cancelled, or whose lease is lost all the same (the machine slept), is
///   aborted at its next `await`.
/// - To enqueue meanwhile, open the file once more. Any number of runners may work on one file.
/// - The payload is cloned once for each delivery: the runner keeps what it needs to settle it.
///
/// | setting | default |
/// |---|---|
/// | [`concurrency`](Self::concurrency) | 1 |
/// | [`retry`](Self::retry) | after 1 s, 2 s, 4 s, … an hour at most; a dead letter after 12 attempts |
/// | [`gate`](Self::gate) | open |
/// | [`grace`](Self::grace) | 30 s |
#[must_use = "a runner does nothing until it is run"]
pub struct Runner<T> {
    queue: Queue<T>,
    settings: Settings<T>,
}

pub(crate) struct Settings<T> {
    pub(crate) concurrency: usize,
    pub(crate) grace: Duration,
    pub(crate) retry: Box<dyn Fn(u32) -> Option<Duration> + Send>,
    pub(crate) gate: Box<dyn Fn() -> Option<Duration> + Send>,
    pub(crate) periodic: Vec<Periodic<T>>,
}

impl<T: Serialize + DeserializeOwned + Clone + Send + 'static> Runner<T> {
    /// A runner of this queue, which should be opened as a [consumer](crate::Options::consumer).
    pub fn new(queue: Queue<T>) -> Self {
        Self {
            queue,
            settings: Settings {
                concurrency: 1,
                grace: Duration::from_secs(30),
                retry: Box::new(end::doubling),
                gate: Box::new(|| Some(Duration::ZERO)),
                periodic: Vec::new(),
            },
        }
    }

    /// How many jobs run at a time; at least one.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.settings.concurrency = jobs.max(1);
        self
    }

    /// After which failed attempt (from 1) to try again, and how long later; `None` makes the job a
    /// dead letter. With the crate `backoff`: `|attempt| (attempt < 12).then(||
    /// policy.delay(attempt - 1, &mut Unseeded))`.
    pub fn retry(mut self, policy: impl Fn(u32) -> Option<Duration> + Send + 'static) -> Self {
        self.settings.retry = Box::new(policy);
        self
    }

    /// In how long jobs may be claimed: zero is now, and `None` that nobody knows (it is asked
    /// again within a second). Asked before each claim. With the crate `breaker`: `move ||
    /// breaker.ready_in()`.
    pub fn gate(mut self, ready_in: impl Fn() -> Option<Duration> + Send + 'static) -> Self {
        self.settings.gate = Box::new(ready_in);
        self
    }

    /// Enqueues this job each time it is due, once among all runners: see [`Periodic`].
    pub fn periodic(mut self, periodic: Periodic<T>) -> Self {
        self.settings.periodic.push(periodic);
        self
    }

    /// A [`Periodic::every`].
    pub fn every<J: Into<NewJob<T>>>(
        self,
        name: impl Into<String>,
        interval: Duration,
        make: impl Fn() -> J + Send + 'static,
    ) -> Self {
        self.periodic(Periodic::every(name, interval, make))
    }

    /// How long handlers may go on after the stop; then they are aborted at their next `await`, and
    /// their jobs released.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Works until `stop` is ready, then claims no more and waits for what runs, up to the
    /// [`grace`](Self::grace). When the future is dropped, that is without any grace.
    ///
    /// # Errors
    /// When the database fails, other than being [busy](crate::Error::Busy). Handlers are then
    /// aborted and their jobs released, or lost: they are delivered again.
    ///
    /// # Panics
    /// When the closure of [`retry`](Self::retry) or [`gate`](Self::gate) does, or outside a tokio
    /// runtime.
    pub async fn run<S, H, F, D, E>(self, stop: S, handler: H) -> Result<Ended>
    where
        S: Future,
        H: Fn(Delivery<T>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<D, E>> + Send + 'static,
        D: Into<Then<T>>,
        E: Into<Failure>,
    {
        let handler = Arc::new(handler);
        let work: Work<T> = Arc::new(move |delivery| {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let end = handler(delivery).await;
                end.map(Into::into).map_err(Into::into)
            })
        });
        let (sender, inbox) = mpsc::channel();
        let on_drop = AbandonOnDrop(sender.clone());
        let keeper = Keeper::new(self.queue, self.settings, work, inbox, sender);
        let mut keeper = Handle::current().spawn_blocking(move || keeper.run());
        let mut stop = pin!(stop);
        let mut stopping = false;
        let ended = poll_fn(|context| {
            if !stopping && stop.as_mut().poll(context).is_ready() {
                stopping = true;
                on_drop.send(Message::Stop);
            }
            Pin::new(&mut keeper).poll(context)
        })
        .await;
        match ended {
            Ok(ended) => ended,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Nobody waits any more for what runs.
struct AbandonOnDrop<T>(mpsc::Sender<Message<T>>);

impl<T> AbandonOnDrop<T> {
    fn send(&self, message: Message<T>) {
        // It ended already.
        let _ = self.0.send(message);
    }
}

impl<T> Drop for AbandonOnDrop<T> {
    fn drop(&mut self) {
        self.send(Message::Abandon);
    }
}

/// A future whose panic is a failure.
pub(crate) async fn caught<T>(future: impl Future<Output = End<T>>) -> End<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let poll = std::panic::AssertUnwindSafe(|| future.as_mut().poll(context));
        std::panic::catch_unwind(poll)
            .unwrap_or_else(|panic| Poll::Ready(Err(Failure::panicked(&*panic))))
    })
    .await
}
