//! The async runner under tokio, its clock paused: an hour passes at once, and exactly.
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use ::tokio::time::{Instant, sleep, timeout};
use backoff::{Budget, Env, GaveUp, GiveUp, Jitter, Policy, Retry, Slept};

const HOUR: Duration = Duration::from_secs(3600);
const RETRY: Retry = Retry::new(Policy::exponential(HOUR, HOUR).with_jitter(Jitter::None));

#[::tokio::test(start_paused = true)]
async fn sleeps_by_tokios_clock() {
    let start = Instant::now();
    let gave_up = RETRY
        .call_async(Env::tokio(), async || Err::<(), _>("refused"))
        .run_async()
        .await
        .unwrap_err();
    assert_eq!((gave_up.tries, start.elapsed()), (3, 2 * HOUR));
}

#[::tokio::test(start_paused = true)]
async fn measures_the_deadline_by_tokios_clock() {
    let work = async || {
        sleep(HOUR).await;
        Err::<(), _>("refused")
    };
    // An hour of work, one of sleep, one of work; an hour's sleep just fits four.
    let gave_up = RETRY
        .unlimited_tries()
        .deadline(4 * HOUR)
        .call_async(Env::tokio(), work)
        .run_async()
        .await
        .unwrap_err();
    assert_eq!(
        (gave_up.tries, gave_up.why),
        (
            3,
            GiveUp::Deadline {
                deadline: 4 * HOUR,
                next: 6 * HOUR
            }
        )
    );
}

#[::tokio::test(start_paused = true)]
async fn a_timeout_around_it_stops_it() {
    let tries = AtomicU32::new(0);
    let call = RETRY.call_async(Env::tokio(), async || {
        Err::<(), _>(tries.fetch_add(1, Relaxed))
    });
    assert!(timeout(HOUR / 2, call.run_async()).await.is_err());
    sleep(10 * HOUR).await;
    assert_eq!(tries.into_inner(), 1);
}

/// What a program spawns: a method that borrows itself and its argument, in each of the forms that
/// a retry crate's users write.
struct Client {
    failures: AtomicU32,
}

impl Client {
    async fn once(&self, path: &str) -> Result<usize, String> {
        ::tokio::task::yield_now().await;
        let left = |left: u32| left.checked_sub(1);
        match self.failures.try_update(Relaxed, Relaxed, left) {
            Ok(_) => Err("busy".to_owned()),
            Err(_) => Ok(path.len()),
        }
    }

    async fn by_closure(&self, path: &str) -> Result<usize, GaveUp<String>> {
        RETRY
            .call_async(Env::tokio(), || self.once(path))
            .when(|result| matches!(result, Err(error) if error == "busy"))
            .notify(|retrying| assert!(retrying.to_string().contains("busy")))
            .time_limit(HOUR, |limit| format!("{limit:?} is too long"))
            .run_async()
            .await
    }

    async fn by_async_block(&self, path: &str) -> Result<usize, GaveUp<String>> {
        let call = RETRY.call_async(Env::tokio(), || async { self.once(path).await });
        call.run_async().await
    }

    async fn by_async_closure(&self, path: &str) -> Result<usize, GaveUp<String>> {
        let call = RETRY.call_async(Env::tokio(), async || self.once(path).await);
        call.run_async().await
    }

    async fn with_budget(&self, path: &str, budget: &Budget) -> Result<usize, GaveUp<String>> {
        let call = RETRY.call_async(Env::tokio(), || self.once(path));
        call.budget(budget).run_async().await
    }

    async fn by_mutable_reference(&mut self, path: &str) -> Result<usize, GaveUp<String>> {
        let call = RETRY.call_async(Env::tokio(), || self.once(path));
        call.run_async().await
    }

    async fn once_changing(&mut self, path: &str) -> Result<usize, String> {
        self.once(path).await
    }

    async fn by_passing(&mut self, path: &str) -> Result<usize, GaveUp<String>> {
        let call = RETRY.call_passing(Env::tokio(), |client: &mut Self| async {
            let result = client.once_changing(path).await;
            (client, result)
        });
        call.run_async(self).await.1
    }
}

fn client() -> Client {
    Client {
        failures: AtomicU32::new(2),
    }
}

async fn by_function() -> Result<usize, String> {
    client().once("by_function").await.or(Ok(0))
}

#[::tokio::test(start_paused = true)]
async fn a_method_that_borrows_can_be_spawned() {
    let answer = |outcome| assert_eq!(outcome, Ok("/path".len()));
    let spawn = ::tokio::spawn(async { client().by_closure("/path").await });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(async { client().by_async_block("/path").await });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(async { client().by_async_closure("/path").await });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(async {
        let budget = Budget::token_bucket(500);
        client().with_budget("/path", &budget).await
    });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(async { client().by_mutable_reference("/path").await });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(async { client().by_passing("/path").await });
    answer(spawn.await.unwrap());
    let spawn = ::tokio::spawn(RETRY.call_async(Env::tokio(), by_function).run_async());
    assert_eq!(spawn.await.unwrap(), Ok(0));
}

#[::tokio::test(start_paused = true)]
async fn a_lending_closure_keeps_its_own_state_between_tries() {
    let mut seen = Vec::new();
    let call = RETRY.call_lending(Env::tokio(), async || {
        seen.push(Instant::now());
        ::tokio::task::yield_now().await;
        if seen.len() < 3 { Err("busy") } else { Ok(()) }
    });
    assert_eq!(call.run_async().await, Ok(()));
    assert_eq!(seen.len(), 3);
}

#[::tokio::test(start_paused = true)]
async fn a_try_over_its_time_limit_is_dropped_and_counts_as_a_timeout() {
    let (start, tries, budget) = (Instant::now(), AtomicU32::new(0), Budget::token_bucket(500));
    let outcome = RETRY
        .call_async(Env::tokio(), || async {
            match tries.fetch_add(1, Relaxed) {
                0 => std::future::pending().await,
                1 => sleep(2 * HOUR).await,
                _ => sleep(HOUR / 4).await,
            }
            Ok::<_, Duration>(budget.tokens())
        })
        .time_limit(HOUR / 2, |limit| limit)
        .budget(&budget)
        .run_async()
        .await;
    assert_eq!(outcome, Ok(480), "each retry after a timeout costs 10");
    assert_eq!(
        start.elapsed(),
        HOUR / 2 + HOUR + HOUR / 2 + HOUR + HOUR / 4
    );

    let call = RETRY
        .max_tries(1)
        .call_lending(Env::tokio(), std::future::pending::<Result<(), Duration>>)
        .time_limit(HOUR, |limit| limit);
    let gave_up = call.run_async().await.unwrap_err();
    assert_eq!(
        (gave_up.error, gave_up.why),
        (HOUR, GiveUp::Tries { max: 1 })
    );
}

#[::tokio::test(start_paused = true)]
async fn a_time_limit_that_is_cancelled_ends_the_call() {
    let env = Env {
        sleep: async |_| Slept::Cancelled,
        clock: || Duration::ZERO,
        rng: backoff::SplitMix64::new(0),
    };
    let call = RETRY
        .call_async(env, std::future::pending::<Result<(), Duration>>)
        .time_limit(HOUR, |limit| limit);
    let gave_up = call.run_async().await.unwrap_err();
    assert_eq!((gave_up.why, gave_up.tries), (GiveUp::Cancelled, 1));
}
