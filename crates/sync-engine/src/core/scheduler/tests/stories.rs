//! Whatever happens, in whatever order: due jobs are taken.

use proptest::prelude::*;

use super::*;

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
