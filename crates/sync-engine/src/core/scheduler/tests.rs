use super::*;

mod stories;

fn at(seconds: u64) -> Moment {
    Moment::START + Duration::from_secs(seconds)
}

/// Nothing queued, both servers well.
fn quiet(now: u64) -> Situation {
    Situation {
        now: at(now),
        plex: Gate::Open,
        stash: Gate::Open,
        probe_at: None,
        ramp_at: None,
        ramp_ends: None,
        ready: 0,
        running: 0,
        next_due: None,
        live: 0,
        home: false,
    }
}

/// So many jobs are due.
fn due(jobs: u64, now: u64) -> Situation {
    Situation {
        ready: jobs,
        live: jobs,
        next_due: Some(at(now)),
        ..quiet(now)
    }
}

fn started() -> Scheduler {
    let mut scheduler = Scheduler::start(at(0), Duration::from_secs(600));
    assert_eq!(scheduler.next(&quiet(0)), Next::LookAround);
    scheduler.looked(false, at(0));
    scheduler
}

/// One that has so many jobs under way.
fn busy(jobs: usize) -> Scheduler {
    let mut scheduler = started();
    scheduler.claimed(jobs, false, at(0));
    scheduler
}

#[test]
fn takes_what_is_ready_a_few_at_a_time_and_the_last_jobs_at_once() {
    assert_eq!(started().next(&due(100, 1)), Next::Claim(16));
    assert_eq!(busy(12).next(&due(100, 1)), Next::Claim(4));
    assert_eq!(busy(13).next(&due(100, 1)), Next::Wait(at(5)));
    assert_eq!(busy(13).next(&due(3, 1)), Next::Claim(3));
    assert_eq!(busy(16).next(&due(1, 1)), Next::Wait(at(5)));
}

#[test]
fn an_open_breaker_claims_nothing_and_sleeps_until_the_probe_or_the_trial() {
    let until = Some(at(4));
    let s = Situation {
        plex: Gate::Shut { until },
        probe_at: Some(at(2)),
        ..due(10_000, 1)
    };
    assert_eq!(started().next(&s), Next::Wait(at(2)));
    assert_eq!(started().next(&Situation { now: at(2), ..s }), Next::Probe);
    let later = Situation {
        probe_at: Some(at(9)),
        ..s
    };
    assert_eq!(started().next(&later), Next::Wait(at(4)));
    let stash = Situation {
        stash: Gate::Shut { until },
        ..due(5, 1)
    };
    assert_eq!(started().next(&stash), Next::Wait(at(4)));
}

#[test]
fn a_trial_is_one_job_and_waits_for_those_in_flight() {
    let s = Situation {
        plex: Gate::Trial,
        ..due(9, 1)
    };
    assert_eq!(started().next(&s), Next::Claim(1));
    assert_eq!(busy(1).next(&s), Next::Wait(at(5)));
}

#[test]
fn the_ramp_lets_one_job_go_at_a_time() {
    let ramp = |ramp_at| Situation {
        ramp_at: Some(ramp_at),
        ..due(5, 1)
    };
    assert_eq!(started().next(&ramp(at(1))), Next::Claim(1));
    assert_eq!(started().next(&ramp(at(2))), Next::Wait(at(2)));
}

#[test]
fn ends_only_when_idle_long_enough_with_nothing_waiting() {
    let mut scheduler = started();
    scheduler.looked(true, at(598));
    assert_eq!(scheduler.next(&quiet(598)), Next::Wait(at(600)));
    assert_eq!(scheduler.next(&quiet(600)), Next::End(End::Idle));
    let waiting = Situation {
        live: 1,
        next_due: Some(at(700)),
        ..quiet(600)
    };
    assert_eq!(scheduler.next(&waiting), Next::Wait(at(603)));
}

#[test]
fn what_a_dead_worker_had_is_asked_for_once() {
    let orphans = Situation {
        running: 3,
        live: 3,
        ..quiet(1)
    };
    let mut scheduler = started();
    assert_eq!(scheduler.next(&orphans), Next::Claim(16));
    scheduler.claimed(1, true, at(1));
    assert_eq!(
        scheduler.next(&due(9, 1)),
        Next::Wait(at(5)),
        "a suspect runs alone"
    );
    scheduler.settled(at(1));
    assert_eq!(scheduler.next(&due(9, 1)), Next::Claim(16));
}

#[test]
fn settings_are_read_when_they_may_have_changed() {
    let mut scheduler = started();
    scheduler.looked(false, at(60));
    assert_eq!(
        scheduler.next(&quiet(60)),
        Next::ReadSettings,
        "nobody watches them"
    );
    scheduler.looked(true, at(60));
    assert_eq!(scheduler.next(&quiet(60)), Next::Wait(at(65)));
    scheduler.woken(at(60));
    assert_eq!(scheduler.next(&quiet(60)), Next::Wait(at(65)));
    scheduler.looked(false, at(61));
    scheduler.kept_settings(at(60));
    scheduler.woken(at(64));
    assert_eq!(scheduler.next(&quiet(64)), Next::Wait(at(66)), "just read");
    scheduler.woken(at(65));
    assert_eq!(scheduler.next(&quiet(65)), Next::ReadSettings);
}

/// Between the doubt and the answer no job is taken, and what is found waits for those under way.
#[test]
fn no_job_runs_with_settings_that_were_changed_before() {
    let mut scheduler = busy(2);
    scheduler.doubt_settings();
    assert_eq!(scheduler.next(&due(9, 1)), Next::ReadSettings);
    scheduler.reading_settings();
    assert_eq!(scheduler.next(&due(9, 1)), Next::Wait(at(5)));
    scheduler.kept_settings(at(1));
    scheduler.changed_settings();
    assert_eq!(scheduler.next(&due(9, 1)), Next::Wait(at(5)));
    scheduler.settled(at(2));
    scheduler.settled(at(2));
    assert_eq!(scheduler.next(&due(9, 2)), Next::Exchange);
    scheduler.exchanged(Duration::from_secs(600));
    assert_eq!(scheduler.next(&due(9, 2)), Next::Claim(16));
}

#[test]
fn an_end_that_can_wait_lets_the_jobs_under_way_finish() {
    let mut scheduler = busy(1);
    scheduler.leave(End::Replaced);
    assert_eq!(scheduler.next(&due(9, 1)), Next::Wait(at(5)));
    scheduler.settled(at(1));
    assert_eq!(scheduler.next(&due(9, 1)), Next::End(End::Replaced));
    let mut scheduler = busy(1);
    scheduler.end(End::Removed);
    assert_eq!(scheduler.next(&due(9, 1)), Next::End(End::Removed));
}

#[test]
fn a_worker_without_stash_gives_up_after_a_quarter_of_an_hour() {
    let without = |now| Situation {
        stash: Gate::Shut { until: None },
        ..due(1, now)
    };
    let mut scheduler = started();
    scheduler.next(&without(1));
    scheduler.looked(true, at(900));
    assert_eq!(scheduler.next(&without(900)), Next::Wait(at(905)));
    scheduler.next(&due(1, 900));
    assert!(
        !matches!(scheduler.next(&without(901)), Next::End(_)),
        "it was back in between"
    );
    scheduler.looked(true, at(1801));
    assert_eq!(scheduler.next(&without(1801)), Next::End(End::StashGone));
}
