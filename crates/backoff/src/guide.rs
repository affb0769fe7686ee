//! Defaults, choices, and what not to do.
//!
//! # A decision, step by step
//!
//! ```text
//!  a try ends  ──► what is said of its result? Final ───────────────────────► Ok, or give up: Final
//!                       │                    Cancelled ─────────────────────► give up: Cancelled
//!                       ▼
//!                  tries left? ── no ───────────────────────────────────────► give up: Tries
//!                       │
//!                       ▼
//!                  delay = the policy's, above the bounded Retry-After
//!                       │
//!                       ▼
//!                  does it end by the deadline? ── no ──────────────────────► give up: Deadline
//!                       │
//!                       ▼
//!                  does the budget pay? (runners only) ── no ───────────────► give up: Budget
//!                       │
//!                       ▼
//!                  notify, sleep ── interrupted ────────────────────────────► give up: Cancelled
//!                       │
//!                       └──► next try
//! ```
//!
//! All but the last two steps are [`Retry::decide`](crate::Retry::decide), a pure function; the
//! runners differ only in how they wait.
//!
//! # Defaults
//!
//! | setting | default | change it with |
//! |---|---|---|
//! | base, cap | none for `exponential`; 1 s, 20 s for `Policy::default()` | [`Policy::exponential`](crate::Policy::exponential) |
//! | jitter | full | [`Policy::with_jitter`](crate::Policy::with_jitter) |
//! | growth | 2, fixed | |
//! | tries, the first included | 3 | [`Retry::max_tries`](crate::Retry::max_tries), [`unlimited_tries`](crate::Retry::unlimited_tries) |
//! | deadline, from the first try | none | [`Retry::deadline`](crate::Retry::deadline) |
//! | longest `Retry-After` obeyed | 1 h | [`Retry::retry_after_max`](crate::Retry::retry_after_max) |
//! | which results are retried | each `Err`, no `Ok` | [`Call::when`](crate::Call::when), [`Call::hint`](crate::Call::hint) |
//! | time limit of a try, async | none | [`Call::time_limit`](crate::Call::time_limit) |
//! | budget | none | [`Call::budget`](crate::Call::budget) |
//! | price of a retry, after a timeout | 5, 10 tokens | [`Budget::with_costs`](crate::Budget::with_costs) |
//! | clock, sleep, randomness | `Instant`, `thread::sleep`, [`Unseeded`](crate::Unseeded) | [`Env`](crate::Env) |
//!
//! # Which jitter?
//!
//! Full, unless there is a reason. The figures of the AWS simulator (base 5 ms, cap 2 s, 100
//! clients contending for one row, mean of 100 runs) say why: jitter halves the calls, and full
//! jitter needs the least time of those that make few.
//!
//! | | time until all are done | calls made |
//! |---|---|---|
//! | no backoff | 2.0 s | 2423 |
//! | exponential, [`None`](crate::Jitter::None) | 63.2 s | 1851 |
//! | [`Equal`](crate::Jitter::Equal) | 6.7 s | 812 |
//! | [`Full`](crate::Jitter::Full) | 4.9 s | 796 |
//! | decorrelated, as AWS has it | 4.6 s | 1005 |
//!
//! * `Equal` when a delay near zero would be useless, such as after a crash that takes seconds to
//!   heal.
//! * `Decorrelated` when growth should follow luck rather than count. Asked for an attempt by
//!   number, it walks its chain from the start (at most 1024 steps); the iterator remembers where
//!   it is.
//! * `None` for a single client, and in tests.
//!
//! Every jitter keeps its spread at the cap, where clients meet after a long outage.
//!
//! # Limits
//!
//! Tries and deadline hold together; whichever is met first ends the call. The deadline counts from
//! the start of the first try and counts all: work, sleep, and the delay ahead. A try already
//! running is not cut short: give it a [time limit](crate::Call::time_limit); a blocking operation
//! needs a timeout of its own, and a [`Hint::Timeout`](crate::Hint::Timeout) for that failure.
//!
//! # A persisted queue
//!
//! Store with the job when it was first tried and how often; ask
//! [`Retry::decide`](crate::Retry::decide) when it fails, and store the time it answers. Nothing
//! else needs to survive a restart. With [`Policy::delay_seeded`](crate::Policy::delay_seeded) and
//! the job's number as the seed not even that time needs storing.
//!
//! Times are `Duration`s since an epoch of your choice: Unix time for what outlives the process, a
//! monotonic clock otherwise. A wall clock set back makes the elapsed time too short by as much,
//! never negative.
//!
//! # Budgets
//!
//! Backoff spreads retries; it does not make them fewer. If all clients try three times, an
//! overloaded server sees up to three times the load. A budget bounds that, for all callers of one
//! dependency together:
//!
//! * [`Budget::token_bucket`](crate::Budget::token_bucket): successes pay for retries. In an outage
//!   retries stop until calls succeed again; first tries go on.
//! * [`Budget::ratio`](crate::Budget::ratio): calls pay for retries. In an outage the share stays,
//!   so some calls still get a second try.
//!
//! # Testing
//!
//! Time and randomness are fields of [`Env`](crate::Env): put a `Cell<Duration>` behind `clock` and
//! `sleep` and a seeded [`SplitMix64`](crate::SplitMix64) in `rng`, and hours pass at once, the
//! same way each run. [`Jitter::None`](crate::Jitter::None) makes delays plain. Under tokio,
//! `Env::tokio` follows `tokio::time::pause`.
//!
//! # Anti-patterns
//!
//! | instead of | do | because |
//! |---|---|---|
//! | retrying every error | `when` / `hint` | a bad request stays bad; its retries are load without hope |
//! | retries at every layer | one layer, the one that knows the operation | three layers of three tries are 27 calls |
//! | `Jitter::None` with many clients | `Full` | clients that failed together return together, and fail again |
//! | a deadline as sum of delays | [`Retry::deadline`](crate::Retry::deadline) | slow failures do not sleep, yet take time |
//! | obeying any `Retry-After` | the bound, and the deadline | `inf` or a date in a year hangs the caller |
//! | one budget per call, or one for all servers | a `static` or `Arc` per dependency | a budget nobody shares limits nothing; one too wide lets one server's outage starve another |
//! | constant seeds in production | [`Unseeded`](crate::Unseeded), or the job's number | equal seeds are no jitter at all |
//! | counting a cancelled call as failed | [`Hint::Cancelled`](crate::Hint::Cancelled), [`Slept::Cancelled`](crate::Slept::Cancelled), or dropping the future | nobody waits for the answer |
//! | retrying what is not idempotent | a key that makes it so | the first try may have succeeded before its answer was lost |
//! | backoff against a server known to be down | a circuit breaker | each caller would find out by itself |
