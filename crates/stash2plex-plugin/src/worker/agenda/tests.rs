use super::*;

const NOW: u64 = 1_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

/// Nothing queued, both servers up, idle since now.
fn quiet() -> Situation {
    Situation {
        now: at(0),
        plex: Gate::Open,
        stash: Gate::Open,
        probe_at: None,
        ramp_at: None,
        ready: 0,
        next_due: None,
        in_flight: 0,
        limit: 8,
        drain: false,
        pending: false,
        idle_since: at(0),
        idle_timeout: Duration::from_secs(600),
    }
}

#[test]
fn takes_what_is_ready_up_to_the_limit() {
    let s = Situation {
        ready: 100,
        in_flight: 3,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Claim(5));
    assert_eq!(next(&Situation { in_flight: 8, ..s }), Next::Wait(at(60)));
}

#[test]
fn a_backlog_is_taken_a_few_at_a_time_and_the_last_jobs_at_once() {
    let s = Situation {
        ready: 100,
        in_flight: 5,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Wait(at(60)));
    assert_eq!(next(&Situation { in_flight: 4, ..s }), Next::Claim(4));
    assert_eq!(next(&Situation { ready: 3, ..s }), Next::Claim(3));
    let small = Situation {
        limit: 2,
        in_flight: 0,
        ..s
    };
    assert_eq!(next(&small), Next::Claim(2));
}

#[test]
fn an_open_breaker_claims_nothing_and_sleeps_until_the_probe_or_the_trial() {
    let s = Situation {
        plex: Gate::Shut {
            until: Some(at(50)),
        },
        probe_at: Some(at(7)),
        ready: 10_000,
        pending: true,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Wait(at(7)));
    assert_eq!(next(&Situation { now: at(7), ..s }), Next::Probe);
    assert_eq!(
        next(&Situation {
            probe_at: Some(at(70)),
            ..s
        }),
        Next::Wait(at(50))
    );
}

#[test]
fn a_trial_is_one_job_and_waits_for_those_in_flight() {
    let s = Situation {
        plex: Gate::Trial,
        ready: 9,
        pending: true,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Claim(1));
    assert!(matches!(
        next(&Situation { in_flight: 1, ..s }),
        Next::Wait(_)
    ));
}

#[test]
fn an_absent_stash_holds_plex_jobs_too() {
    let s = Situation {
        stash: Gate::Shut {
            until: Some(at(30)),
        },
        ready: 5,
        pending: true,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Wait(at(30)));
}

#[test]
fn the_ramp_lets_one_job_go_at_a_time() {
    let s = Situation {
        ramp_at: Some(at(0)),
        ready: 5,
        pending: true,
        ..quiet()
    };
    assert_eq!(next(&s), Next::Claim(1));
    assert_eq!(
        next(&Situation {
            ramp_at: Some(at(1)),
            ..s
        }),
        Next::Wait(at(1))
    );
}

#[test]
fn ends_only_when_idle_long_enough_with_nothing_pending() {
    assert_eq!(next(&quiet()), Next::Wait(at(600)));
    assert_eq!(
        next(&Situation {
            now: at(600),
            ..quiet()
        }),
        Next::End
    );
    let waiting = Situation {
        now: at(600),
        pending: true,
        next_due: Some(at(700)),
        ..quiet()
    };
    assert_eq!(next(&waiting), Next::Wait(at(700)));
}

#[test]
fn draining_ends_as_soon_as_nothing_can_be_done_now() {
    let s = Situation {
        drain: true,
        pending: true,
        next_due: Some(at(30)),
        ..quiet()
    };
    assert_eq!(next(&s), Next::End);
    assert_eq!(next(&Situation { ready: 2, ..s }), Next::Claim(8));
    assert!(matches!(
        next(&Situation { in_flight: 1, ..s }),
        Next::Wait(_)
    ));
    let shut = Gate::Shut {
        until: Some(at(50)),
    };
    assert_eq!(
        next(&Situation {
            ready: 2,
            plex: shut,
            ..s
        }),
        Next::End
    );
}

/// Whatever the situation: a wait ends in the future, a claim breaks no limit, and ready work behind open gates is slept on
/// only while work under way is to make more room for it.
#[test]
fn exhaustively_no_step_spins_or_starves() {
    let gates = [
        Gate::Open,
        Gate::Trial,
        Gate::Shut { until: None },
        Gate::Shut { until: Some(at(0)) },
        Gate::Shut { until: Some(at(9)) },
    ];
    let times = [None, Some(at(0)), Some(at(5))];
    let mut seen = 0;
    for plex in gates {
        for stash in gates {
            for (probe_at, ramp_at) in times.iter().flat_map(|p| times.map(|r| (*p, r))) {
                for next_due in times {
                    for ready in [0, 1, 100] {
                        for in_flight in [0, 1, 5, 8] {
                            for pending in [false, true] {
                                check(&Situation {
                                    now: at(3),
                                    plex,
                                    stash,
                                    probe_at,
                                    ramp_at,
                                    ready,
                                    next_due,
                                    in_flight,
                                    pending,
                                    idle_timeout: Duration::from_secs(2),
                                    ..quiet()
                                });
                                seen += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 5 * 5 * 9 * 3 * 3 * 4 * 2);
}

fn check(s: &Situation) {
    let shut = |gate| matches!(gate, Gate::Shut { .. });
    match next(s) {
        Next::Probe => assert!(s.probe_at.is_some_and(|at| at <= s.now)),
        Next::Claim(n) => {
            assert!(n > 0 && s.in_flight + n <= s.limit && s.ready > 0, "{s:?}");
            assert!(!shut(s.plex) && !shut(s.stash), "{s:?}");
            if s.plex == Gate::Trial || s.stash == Gate::Trial {
                assert!(n == 1 && s.in_flight == 0, "{s:?}");
            }
        }
        Next::Wait(until) => {
            assert!(until > s.now, "{s:?}");
            let free = s.in_flight < s.limit && s.ramp_at.is_none_or(|at| at <= s.now);
            if s.plex == Gate::Open && s.stash == Gate::Open && free {
                let room = (s.limit - s.in_flight) as u64;
                assert!(
                    s.ready == 0 || s.in_flight > 0 && room < s.ready.min(4),
                    "{s:?}"
                );
            }
        }
        Next::End => assert!(!s.pending && s.ready == 0 && s.in_flight == 0, "{s:?}"),
    }
}
