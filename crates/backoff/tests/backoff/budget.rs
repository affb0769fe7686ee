//! Budgets bound retries, in one thread against a model and in many by what must hold for any
//! order.
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use backoff::{Budget, Hint};
use proptest::prelude::*;

/// What one call does: the retries it asks for (`true` after a timeout) and whether it succeeds.
type Story = (Vec<bool>, bool);

fn stories() -> impl Strategy<Value = Vec<Story>> {
    proptest::collection::vec(
        (
            proptest::collection::vec(any::<bool>(), 0..4),
            any::<bool>(),
        ),
        0..200,
    )
}

const fn hint(timeout: bool) -> Hint {
    if timeout {
        Hint::Timeout
    } else {
        Hint::Transient
    }
}

proptest! {
    #[test]
    fn a_token_bucket_follows_its_model(capacity in 0..60_u32, stories in stories()) {
        let budget = Budget::token_bucket(capacity);
        let mut tokens = capacity;
        for (retries, success) in stories {
            let mut call = budget.call();
            let mut paid = None;
            for timeout in retries {
                let price = if timeout { 10 } else { 5 };
                prop_assert_eq!(call.may_retry(hint(timeout)), tokens >= price);
                if tokens >= price {
                    tokens -= price;
                    paid = Some(price);
                }
            }
            if success {
                call.succeeded();
                tokens = capacity.min(tokens + paid.unwrap_or(1));
            }
            prop_assert_eq!(budget.tokens(), tokens);
        }
    }

    #[test]
    fn a_ratio_is_never_exceeded(percent in 0..300_u32, reserve in 0..20_u32, stories in stories()) {
        let budget = Budget::ratio(percent, reserve);
        let (mut calls, mut granted) = (0_u32, 0_u32);
        for (retries, success) in stories {
            let mut call = budget.call();
            calls += 1;
            granted += retries.into_iter().map(|timeout| u32::from(call.may_retry(hint(timeout)))).sum::<u32>();
            if success { call.succeeded(); }
            prop_assert!(100 * granted <= 100 * reserve + percent * calls);
        }
    }
}

#[test]
fn a_ratio_is_reached_when_everything_fails() {
    for (percent, reserve, expected) in [
        (20, 0, 200),
        (20, 5, 205),
        (100, 0, 1000),
        (250, 0, 2500),
        (0, 7, 7),
    ] {
        let budget = Budget::ratio(percent, reserve);
        let mut retries = 0;
        for _ in 0..1000 {
            let mut call = budget.call();
            retries += (0..10)
                .take_while(|_| call.may_retry(Hint::Transient))
                .count();
        }
        assert_eq!(retries, expected, "{percent} % and {reserve}");
    }
}

#[test]
fn quiet_times_save_up_little_more_than_the_reserve() {
    let budget = Budget::ratio(20, 3);
    for _ in 0..10_000 {
        budget.call().succeeded();
    }
    assert_eq!(budget.tokens(), 300 + 20 + 100);
}

#[test]
fn costs_can_be_changed() {
    let budget = Budget::token_bucket(30).with_costs(14, 16);
    let mut call = budget.call();
    assert!(call.may_retry(Hint::Timeout));
    assert!(call.may_retry(Hint::Transient));
    assert!(!call.may_retry(Hint::Transient));
    call.succeeded();
    assert_eq!(
        budget.tokens(),
        14,
        "the price of the last retry comes back"
    );
}

#[test]
fn extreme_terms_neither_overflow_nor_grant_too_much() {
    let budget = Budget::ratio(u32::MAX, u32::MAX);
    assert!(budget.call().may_retry(Hint::Transient));
    assert!(
        !Budget::token_bucket(u32::MAX - 1)
            .with_costs(u32::MAX, u32::MAX)
            .call()
            .may_retry(Hint::Timeout)
    );
    assert!(!Budget::token_bucket(0).call().may_retry(Hint::Transient));
    assert!(
        Budget::token_bucket(0)
            .with_costs(0, 0)
            .call()
            .may_retry(Hint::Transient)
    );
}

/// Eight threads, all calls failing: exactly capacity / price retries are granted, none twice.
#[test]
fn threads_together_spend_exactly_what_is_there() {
    static BUDGET: Budget = Budget::token_bucket(5 * 1234 + 4);
    let granted = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    granted.fetch_add(u64::from(BUDGET.call().may_retry(Hint::Transient)), Relaxed);
                }
            });
        }
    });
    assert_eq!((granted.into_inner(), BUDGET.tokens()), (1234, 4));
}

/// Eight threads that pay and are refunded: nothing is lost or made.
#[test]
fn threads_together_get_back_exactly_what_they_paid() {
    let budget = Budget::token_bucket(200);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for turn in 0..5000 {
                    let mut call = budget.call();
                    assert!(
                        call.may_retry(hint(turn % 2 == 0)),
                        "eight at once need at most 80"
                    );
                    call.succeeded();
                }
            });
        }
    });
    assert_eq!(budget.tokens(), 200);
}
