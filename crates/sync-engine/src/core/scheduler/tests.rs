use proptest::prelude::*;

use super::*;

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

/// What can happen to a worker, each with the time that passes before it.
#[derive(Debug, Clone)]
enum Happens {
    JobsArrive(u64),
    ClockOfAJob(u64),
    PlexGoes,
    PlexComesBack,
    StashGoes,
    StashComesBack,
    RampBegins,
    SettingsChange,
    ServerMoves,
    Suspect,
    Written,
    Wished,
    Scanned,
    StashWorks(bool),
}

fn happens() -> impl Strategy<Value = (u64, Happens)> {
    use Happens::*;
    let what = prop_oneof![
        (1..40u64).prop_map(JobsArrive),
        (0..100u64).prop_map(ClockOfAJob),
        Just(PlexGoes),
        Just(PlexComesBack),
        Just(StashGoes),
        Just(StashComesBack),
        Just(RampBegins),
        Just(SettingsChange),
        Just(ServerMoves),
        Just(Suspect),
        Just(Written),
        Just(Wished),
        Just(Scanned),
        any::<bool>().prop_map(StashWorks),
    ];
    (0..20u64, what)
}

/// The world around a scheduler: servers, a queue of numbers, and calls under way that all come
/// back.
struct World {
    now: u64,
    scheduler: Scheduler,
    plex: bool,
    stash: bool,
    /// The earliest job of a ramp.
    ramp: Option<u64>,
    due: u64,
    later: Option<u64>,
    in_flight: u64,
    settings_differ: bool,
    reading: bool,
    probing: bool,
    suspect: bool,
    looking: bool,
    stash_works: bool,
    looks: u64,
    claims: u64,
}

impl World {
    fn situation(&self) -> Situation {
        let shut = |up: bool| match up {
            true => Gate::Open,
            false => Gate::Shut {
                until: Some(at(self.now + 30)),
            },
        };
        Situation {
            plex: shut(self.plex),
            stash: shut(self.stash),
            probe_at: (!self.plex).then(|| at(self.now / 5 * 5)),
            ramp_at: self.ramp.map(|ramp| at(ramp.max(self.now))),
            ready: self.due,
            running: self.in_flight,
            live: self.due + u64::from(self.later.is_some()) + self.in_flight,
            next_due: match self.due {
                0 => self.later.map(at),
                _ => Some(at(self.now)),
            },
            home: true,
            ..quiet(self.now)
        }
    }

    /// One step of the worker; false when it waits or has ended.
    fn step(&mut self) -> bool {
        let now = at(self.now);
        let (s, in_flight) = (self.situation(), self.in_flight);
        match self.scheduler.next(&s) {
            Next::LookAround => self.scheduler.looked(true, now),
            Next::ReadSettings => {
                assert!(!self.reading, "asked twice");
                self.scheduler.reading_settings();
                self.reading = true;
            }
            Next::Exchange => {
                assert!(in_flight == 0 && !self.probing, "under a job's feet");
                self.scheduler.exchanged(Duration::from_secs(600));
            }
            Next::Probe => {
                assert!(!self.probing && !self.plex);
                self.scheduler.probing();
                self.probing = true;
            }
            Next::CatchUp => {
                assert!(self.stash && !self.looking);
                self.scheduler.looking(now);
                self.looking = true;
                self.looks += 1;
            }
            Next::Claim(most) => {
                assert!(self.plex && self.stash, "{s:?}");
                assert!(most > 0 && in_flight as usize + most <= IN_FLIGHT, "{s:?}");
                assert!(!self.reading, "with settings in doubt");
                let taken = self.due.min(most as u64);
                self.due -= taken;
                self.in_flight += taken;
                self.claims += taken;
                self.ramp = self.ramp.map(|_| self.now + 1);
                let suspect = std::mem::take(&mut self.suspect);
                self.scheduler.claimed(taken as usize, suspect, now);
            }
            Next::Wait(until) => {
                assert!(until > now, "a wait of no time: {s:?}");
                assert!(until <= now + LOOK_AROUND, "asleep for long: {s:?}");
                return false;
            }
            Next::End(End::Idle) => {
                assert!(s.live == 0 && in_flight == 0 && !self.looking, "{s:?}");
                return false;
            }
            Next::End(_) => return false,
        }
        true
    }

    /// All that is under way comes back.
    fn answers(&mut self) {
        let now = at(self.now);
        for _ in 0..std::mem::take(&mut self.in_flight) {
            self.scheduler.settled(now);
        }
        if std::mem::take(&mut self.probing) {
            self.scheduler.probed();
        }
        if std::mem::take(&mut self.looking) {
            self.scheduler.has_looked(self.stash_works, false, now);
        }
        if std::mem::take(&mut self.reading) {
            self.scheduler.kept_settings(now);
            if std::mem::take(&mut self.settings_differ) {
                self.scheduler.changed_settings();
            }
        }
    }

    /// Steps until it waits; a worker that never waits spins.
    fn steps(&mut self) {
        if self.later.is_some_and(|later| later <= self.now) {
            self.later = None;
            self.due += 1;
        }
        let most = 100;
        assert!((0..most).any(|_| !self.step()), "it never waits");
    }
}

proptest! {
    /// Whatever has happened: with both servers well, jobs that are due are taken within seconds,
    /// unless the worker has ended for a reason that its process acts on.
    #[test]
    fn due_jobs_are_always_taken(story in prop::collection::vec(happens(), 0..60)) {
        let mut world = World {
            now: 0, scheduler: started(), plex: true, stash: true, ramp: None, due: 0, later: None, in_flight: 0,
            settings_differ: false, reading: false, probing: false, suspect: false, looking: false, stash_works: false, looks: 0,
            claims: 0,
        };
        for (passes, what) in story {
            world.now += passes;
            match what {
                Happens::JobsArrive(jobs) => world.due += jobs,
                Happens::ClockOfAJob(ahead) => world.later = Some(world.now + ahead),
                Happens::PlexGoes => world.plex = false,
                Happens::PlexComesBack => world.plex = true,
                Happens::StashGoes => world.stash = false,
                Happens::StashComesBack => world.stash = true,
                Happens::RampBegins => world.ramp = Some(world.now + 2),
                Happens::SettingsChange => {
                    world.settings_differ = true;
                    world.scheduler.doubt_settings();
                }
                Happens::ServerMoves => world.scheduler.changed_settings(),
                Happens::Suspect => world.suspect = true,
                Happens::Written => world.scheduler.woken(at(world.now)),
                Happens::Wished => world.scheduler.wish_look(at(world.now)),
                Happens::Scanned => world.scheduler.scanned(at(world.now)),
                Happens::StashWorks(works) => world.stash_works = works,
            }
            world.steps();
            if passes % 2 == 0 {
                world.answers();
            }
        }
        let stranded = matches!(world.scheduler.next(&world.situation()), Next::End(End::StashGone));
        prop_assume!(!stranded);
        (world.plex, world.stash, world.ramp) = (true, true, None);
        world.due += 1;
        let before = world.claims;
        for _ in 0..20 {
            world.steps();
            world.answers();
            world.now += 1;
        }
        prop_assert!(world.claims > before && world.due == 0, "{:?}", world.scheduler);
        // A wish is granted, unless the last look took long.
        let before = world.looks;
        world.now += 1_000_000;
        world.later = Some(world.now + 1_000_000);
        world.scheduler.wish_look(at(world.now));
        for _ in 0..20 {
            world.steps();
            world.answers();
            world.now += 1;
        }
        prop_assert!(world.looks > before, "{:?}", world.scheduler);
    }
}
