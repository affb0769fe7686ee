//! Faults of rivals that types rule out: programs that must be refused.

/// The result of a builder method was dropped, so jitter was never applied. kube-rs/kube#1896.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// backoff::Policy::default().with_jitter(backoff::Jitter::Equal);
/// ```
struct Kube1896BuilderResultIsDropped;

/// A call was prepared and never run.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// backoff::Retry::default().call(|| Err::<(), _>("refused"));
/// ```
struct CallIsNeverRun;

/// Two clients shared, or did not share, a bucket by accident of copying a configuration.
/// hashicorp/aws-sdk-go-base#915, awslabs/aws-sdk-rust#1234. A second budget takes a second
/// constructor.
///
/// ```compile_fail
/// let budget = backoff::Budget::token_bucket(500);
/// let second = budget.clone();
/// ```
struct AwsSdkGoBase915BudgetIsCopied;

/// The outcome of one call was paid back twice.
///
/// ```compile_fail
/// let budget = backoff::Budget::token_bucket(500);
/// let call = budget.call();
/// call.succeeded();
/// call.succeeded();
/// ```
struct CallSucceedsTwice;

/// A blocking call was given a time limit that nothing could enforce.
///
/// ```compile_fail
/// let call = backoff::Retry::default().call(|| Err::<(), _>("refused"));
/// let _ = call.time_limit(std::time::Duration::from_secs(1), |_| "too slow");
/// ```
struct BlockingCallHasATimeLimit;
