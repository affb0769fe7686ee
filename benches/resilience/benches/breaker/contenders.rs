//! Who is measured.

use super::*;

/// Ours counts failures in a row, as failsafe does here; the rows named "count window" and "time
/// window" set it beside recloser and seatbelt on their own ground.
pub fn contenders(open_for: Duration) -> Vec<Contender> {
    let rules = || Rules::default().open_for(open_for);
    let threshold = if open_for.is_zero() { 1 } else { 5 };
    let in_a_row = move || rules().consecutive_failures(threshold);
    let window = threshold.max(1) * 20;
    vec![
        ours("breaker", in_a_row()),
        ours(
            "breaker, count window",
            rules()
                .no_consecutive_limit()
                .rate(Rate::over_calls(window).min_calls(threshold)),
        ),
        ours(
            "breaker, time window",
            rules()
                .no_consecutive_limit()
                .rate(Rate::over_time(Duration::from_secs(30)).min_calls(threshold)),
        ),
        ours_async("breaker, call_async", in_a_row()),
        failsafe(threshold, open_for),
        recloser(if open_for.is_zero() { 1 } else { 100 }, open_for),
        seatbelt(threshold, open_for),
        tower_resilience(threshold, open_for),
        Contender {
            name: "(the harness alone)",
            handles: Box::new(bare),
        },
    ]
}

pub fn bare(threads: usize) -> Vec<Call> {
    each(threads, || Box::new(|ok| dependency(ok).is_ok()))
}

pub fn ours(name: &'static str, rules: Rules) -> Contender {
    let handles = move |threads| {
        let breaker = Arc::new(Breaker::new(rules.clone()));
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(breaker::CallError::Rejected(_))
                )
            })
        })
    };
    Contender {
        name,
        handles: Box::new(handles),
    }
}

/// Ours in a file; none of the others has one. The file is where temporary files are: mind what
/// disk that is.
pub fn persisted() -> Vec<Contender> {
    let rules = || Rules::default().consecutive_failures(u32::MAX);
    let owned = move |_| {
        let folder = tempfile::tempdir().unwrap();
        let store = breaker::FileStore::open(folder.path().join("breaker.json")).unwrap();
        let breaker = Breaker::builder(rules()).open(store).unwrap();
        vec![in_file(breaker, folder)]
    };
    let shared = move |_| {
        let folder = tempfile::tempdir().unwrap();
        let store = breaker::SharedFileStore::open(folder.path().join("breaker.json")).unwrap();
        let breaker = Breaker::builder(rules()).open_shared(store).unwrap();
        breaker.reset(); // makes the file
        vec![in_file(breaker, folder)]
    };
    let harness = |_| each(1, || Box::new(|ok| dependency(ok).is_ok() == ok));
    vec![
        Contender {
            name: "breaker, owned file",
            handles: Box::new(owned),
        },
        Contender {
            name: "breaker, shared file",
            handles: Box::new(shared),
        },
        Contender {
            name: "(the harness alone)",
            handles: Box::new(harness),
        },
    ]
}

pub fn in_file(breaker: Breaker, folder: tempfile::TempDir) -> Call {
    Box::new(move |ok| {
        let _kept = &folder;
        !matches!(
            breaker.call(|| dependency(ok)),
            Err(breaker::CallError::Rejected(_))
        )
    })
}

pub fn ours_async(name: &'static str, rules: Rules) -> Contender {
    let handles = move |threads| {
        let breaker = Arc::new(Breaker::new(rules.clone()));
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                let call = breaker.call_async(async || dependency(ok));
                !matches!(complete(call), Err(breaker::CallError::Rejected(_)))
            })
        })
    };
    Contender {
        name,
        handles: Box::new(handles),
    }
}

pub fn failsafe(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let policy = failsafe::failure_policy::consecutive_failures(
            threshold,
            failsafe::backoff::constant(open_for),
        );
        let breaker = failsafe::Config::new().failure_policy(policy).build();
        each(threads, || {
            let breaker = breaker.clone();
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(failsafe::Error::Rejected)
                )
            })
        })
    };
    Contender {
        name: "failsafe",
        handles: Box::new(handles),
    }
}

pub fn recloser(window: usize, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let recloser = recloser::Recloser::custom()
            .error_rate(0.5)
            .closed_len(window)
            .half_open_len(1)
            .open_wait(open_for)
            .build();
        let breaker = Arc::new(recloser);
        each(threads, || {
            let breaker = Arc::clone(&breaker);
            Box::new(move |ok| {
                !matches!(
                    breaker.call(|| dependency(ok)),
                    Err(recloser::Error::Rejected)
                )
            })
        })
    };
    Contender {
        name: "recloser",
        handles: Box::new(handles),
    }
}

pub fn seatbelt(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _entered = runtime.enter();
        let context = seatbelt::ResilienceContext::new(tick::Clock::new_tokio());
        let layer = seatbelt::breaker::Breaker::layer("bench", &context)
            .recovery_with(|result: &Result<bool, bool>, _| match result {
                Ok(_) => seatbelt::RecoveryInfo::never(),
                Err(_) => seatbelt::RecoveryInfo::retry(),
            })
            .rejected_input(|_, _| Ok(false))
            .min_throughput(threshold)
            .break_duration(open_for.max(Duration::from_nanos(1)));
        let service = Arc::new(
            (
                layer,
                layered::Execute::new(async |ok: bool| dependency(ok)),
            )
                .into_service(),
        );
        each(threads, || {
            let service = Arc::clone(&service);
            Box::new(move |ok| complete(service.execute(ok)) != Ok(false))
        })
    };
    Contender {
        name: "seatbelt",
        handles: Box::new(handles),
    }
}

pub fn tower_resilience(threshold: u32, open_for: Duration) -> Contender {
    let handles = move |threads| {
        let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
            .consecutive_failures(threshold as usize)
            .wait_duration_in_open(open_for)
            .permitted_calls_in_half_open(1)
            .build()
            .unwrap();
        let service = layer.layer(tower::service_fn(async |ok: bool| dependency(ok)));
        each(threads, || {
            let mut service = service.clone();
            Box::new(move |ok| {
                let _ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
                let result = complete(service.call(ok));
                !matches!(
                    result,
                    Err(tower_resilience_circuitbreaker::CircuitBreakerError::OpenCircuit)
                )
            })
        })
    };
    Contender {
        name: "tower-resilience-circuitbreaker",
        handles: Box::new(handles),
    }
}

pub fn each(threads: usize, mut handle: impl FnMut() -> Call) -> Vec<Call> {
    (0..threads).map(|_| handle()).collect()
}

#[inline(never)]
pub fn dependency(ok: bool) -> Result<bool, bool> {
    if black_box(ok) { Ok(true) } else { Err(true) }
}

/// Polls until ready: only tower-resilience ever waits, for its own lock when two threads want it.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
        std::hint::spin_loop();
    }
}
