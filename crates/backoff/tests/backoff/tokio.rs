//! The async runner under tokio, its clock paused: an hour passes at once, and exactly.
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use ::tokio::time::{Instant, sleep, timeout};
use backoff::{Env, GiveUp, Jitter, Policy, Retry};

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

#[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_future_can_move_between_threads() {
    let call = Retry::default()
        .call_async(Env::tokio(), async || {
            ::tokio::task::yield_now().await;
            Ok::<_, String>(())
        })
        .when(|error| error == "busy")
        .notify(|_, _| ());
    assert_eq!(::tokio::spawn(call.run_async()).await.unwrap(), Ok(()));
}
