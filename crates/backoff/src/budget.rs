//! How many retries may there be in all, when everything fails at once?

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::Hint;

/// Tokens that retries must pay for, so that retries stay a bounded addition to the load when
/// everything fails at once.
///
/// First tries are never refused. Lock-free, `const` to make, and shared by reference: put one per
/// *dependency* in a `static` or an `Arc`. It is deliberately not `Clone`, since a copy would be a
/// second budget.
///
/// ```
/// use backoff::{Budget, Hint};
///
/// static MAIL_SERVER: Budget = Budget::token_bucket(500);
///
/// let mut call = MAIL_SERVER.call();
/// if call.may_retry(Hint::Timeout) {
///     assert_eq!(MAIL_SERVER.tokens(), 490);
///     call.succeeded(); // the price of the retry comes back
/// }
/// assert_eq!(MAIL_SERVER.tokens(), 500);
/// ```
#[derive(Debug)]
pub struct Budget {
    tokens: AtomicU32,
    terms: Terms,
}

#[derive(Clone, Copy, Debug)]
struct Terms {
    capacity: u32,
    retry: u32,
    timeout: u32,
    /// Paid in when a call starts.
    per_call: u32,
    /// Paid in when a call succeeds at its first try.
    per_success: u32,
    refund: bool,
}

/// One call, with all its tries, charged to a [`Budget`]. Made by [`Budget::call`]; dropped without
/// [`succeeded`](Self::succeeded), what it paid is lost.
#[derive(Debug)]
#[must_use = "only a call that is told of its outcome can pay back"]
pub struct BudgetedCall<'b> {
    budget: &'b Budget,
    paid: Option<u32>,
}

impl Budget {
    /// A bucket of `capacity` tokens, full at first: a retry costs 5, after a timeout 10; a success
    /// at the first try adds 1, a success after retries returns the price of the last. The standard
    /// mode of the AWS SDKs, whose capacity is 500.
    ///
    /// Fewer than 5 tokens of capacity allow no retry at all.
    #[must_use]
    pub const fn token_bucket(capacity: u32) -> Self {
        let terms = Terms {
            capacity,
            retry: 5,
            timeout: 10,
            per_call: 0,
            per_success: 1,
            refund: true,
        };
        Self::new(capacity, terms)
    }

    const fn new(tokens: u32, terms: Terms) -> Self {
        let tokens = AtomicU32::new(tokens);
        Self { tokens, terms }
    }

    /// The same budget at other prices. A price above the capacity is never paid: such a retry
    /// never happens.
    #[must_use]
    pub const fn with_costs(mut self, retry: u32, after_timeout: u32) -> Self {
        self.terms.retry = retry;
        self.terms.timeout = after_timeout;
        self
    }

    /// At most `percent` retries for each 100 calls, and `reserve` besides: over any history,
    /// retries ≤ reserve + calls · percent / 100.
    ///
    /// A retry costs 100 tokens, a call pays in `percent`; quiet times save up no more than the
    /// reserve, one call's share and one retry. Timeouts cost as much as other failures, and
    /// success returns nothing.
    #[must_use]
    pub const fn ratio(percent: u32, reserve: u32) -> Self {
        let tokens = reserve.saturating_mul(100);
        let terms = Terms {
            capacity: tokens.saturating_add(percent).saturating_add(100),
            retry: 100,
            timeout: 100,
            per_call: percent,
            per_success: 0,
            refund: false,
        };
        Self::new(tokens, terms)
    }

    /// Begins a call: its first try is free.
    pub fn call(&self) -> BudgetedCall<'_> {
        self.deposit(self.terms.per_call);
        BudgetedCall {
            budget: self,
            paid: None,
        }
    }

    /// The tokens left.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.tokens.load(Relaxed)
    }

    fn deposit(&self, tokens: u32) {
        // A full bucket, the common case, is only read: writing would take its cache line from the
        // other threads.
        let _ = self.tokens.try_update(Relaxed, Relaxed, |now| {
            let then = now.saturating_add(tokens).min(self.terms.capacity);
            (then != now).then_some(then)
        });
    }

    fn withdraw(&self, tokens: u32) -> bool {
        self.tokens
            .try_update(Relaxed, Relaxed, |now| now.checked_sub(tokens))
            .is_ok()
    }
}

impl BudgetedCall<'_> {
    /// Pays for one retry after a failure of this kind, or says that it cannot; then do not retry.
    #[must_use]
    pub fn may_retry(&mut self, after: Hint) -> bool {
        let terms = self.budget.terms;
        let price = match after {
            Hint::Timeout => terms.timeout,
            _ => terms.retry,
        };
        let granted = self.budget.withdraw(price);
        self.paid = granted.then_some(price).or(self.paid);
        granted
    }

    /// The call succeeded: pays in what the budget's terms say.
    pub fn succeeded(self) {
        let terms = self.budget.terms;
        self.budget.deposit(match self.paid {
            None => terms.per_success,
            Some(price) if terms.refund => price,
            Some(_) => 0,
        });
    }
}
