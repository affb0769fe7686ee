//! Eight hours of outage on a virtual clock: the real queue, breaker and clients, simulated servers
//! on real sockets, and no waiting.

use std::cell::RefCell;
use std::future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use breaker::FakeClock;
use queue::{Clock, ManualClock, NewJob, Options, Queue};
use serde_json::json;
use simulators::{Fault, StashOptions, StashServer, World};
use stash::connection::ServerConnection;

use crate::core::job::{Job, scene_key};
use crate::core::reconcile::instant;
use crate::core::scheduler::{End, IN_FLIGHT};
use crate::core::time::Moment;
use crate::core::time::Time;
use crate::daemon::lock::{Role, WorkerLock};
use crate::daemon::program::Program;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger;
use crate::storage::log::WorkerLog;
use crate::worker::link;
use crate::worker::state::Worker;
use crate::worker::surroundings::Surroundings;

const HOUR: Duration = Duration::from_secs(3600);

/// Moves only when the worker sleeps and nothing is under way.
pub(super) struct Virtual<'a> {
    pub(super) queue: Arc<ManualClock>,
    pub(super) breaker: Arc<FakeClock>,
    pub(super) began: SystemTime,
    /// Called with the time passed since the beginning, whenever it passes.
    pub(super) passing: RefCell<Box<dyn FnMut(Duration) + 'a>>,
}

impl Time for Virtual<'_> {
    type Clock = Arc<FakeClock>;

    fn now(&self) -> Moment {
        Moment::START + self.wall().duration_since(self.began).unwrap_or_default()
    }

    fn wall(&self) -> SystemTime {
        self.queue.now()
    }

    fn clock(&self) -> Self::Clock {
        self.breaker.clone()
    }

    async fn sleep(&self, until: Moment, busy: bool, _: impl FnMut() -> bool) {
        if busy {
            return future::pending().await;
        }
        let left = until - self.now();
        self.queue.advance(left);
        self.breaker.advance(left);
        (self.passing.borrow_mut())(self.now() - Moment::START);
    }
}

/// A worker's own part of the data folder, and its connection to a simulated Stash.
pub(super) struct Place {
    pub(super) dir: DataDir,
    lock: WorkerLock,
    program: Program,
    connection: ServerConnection,
}

impl Place {
    pub(super) fn new(config: &Path, stash: &StashServer) -> Self {
        let dir = DataDir::create(config).unwrap();
        let lock = WorkerLock::try_take(&dir.worker_lock(), Role::Worker)
            .unwrap()
            .unwrap();
        let stdin = stash.task_stdin(json!({}));
        Self {
            dir,
            lock,
            program: Program::current(),
            connection: ServerConnection::take_over(stdin.as_bytes()).unwrap(),
        }
    }

    pub(super) fn around(&self) -> Surroundings<'_> {
        let connection = self.connection.clone();
        Surroundings::new(&self.dir, &self.lock, &self.program, connection).unwrap()
    }
}

/// More jobs than the ramp lets through. `STORY_JOBS=10000` tells the whole story with the ramp's
/// own five minutes, best with `--release`.
#[test]
fn eight_hours_of_outage() {
    let jobs = std::env::var("STORY_JOBS").map_or(1_400, |jobs| jobs.parse().unwrap());
    let ramp = if jobs < 4_000 { 100 } else { 300 };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(outage(jobs, 8 * HOUR, ramp));
}

async fn outage(jobs: usize, length: Duration, ramp: u32) {
    let config = tempfile::tempdir().unwrap();
    let options = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(jobs, 1, options, simulators::PlexOptions::default()).unwrap();
    let map = json!({
        "plex_url": world.plex.url(), "plex_token": world.plex.token(),
        "path_map": "/data=>/media/scenes", "sync_poster": false, "sync_background": false,
        "sync_collection": false, "sync_rating": false, "ramp_duration": ramp,
    });
    world.stash.set_plugin_settings("Stash2Plex", map);
    let place = Place::new(config.path(), &world.stash);

    let clock = Arc::new(ManualClock::default());
    let began = clock.now();
    let breaker_clock = Arc::new(FakeClock::at(instant(began)));
    let options = Options::consumer().clock(clock.clone());
    let mut queue = Queue::<Job>::open(place.dir.database(), options).unwrap();
    ledger::create(queue.sql()).unwrap();
    // Due one after the other, so that the order of the drain can be told.
    let due = |n: usize| began - HOUR + Duration::from_millis(n as u64);
    let scenes = world.scenes.iter().enumerate();
    let waiting = scenes.map(|(n, id)| {
        NewJob::new(Job::Scene {
            id: *id,
            force: false,
        })
        .key(scene_key(*id))
        .due_at(due(n))
    });
    queue.enqueue_all(waiting).unwrap();

    let lines = RefCell::new(Vec::new());
    let log = WorkerLog::memory(&lines);
    let (mut read, mut count) = (0, 0);
    let mut wrote = || {
        let lines = lines.borrow();
        count += lines[read..]
            .iter()
            .filter(|line| line.contains(": wrote "))
            .count();
        read = lines.len();
        count
    };
    let (mut seen_down, mut drained) = (0, Vec::new());
    world.plex.fail_with(Fault::maintenance());
    let (seen, curve) = (&mut seen_down, &mut drained);
    let passing = |passed: Duration| {
        if passed >= length && *seen == 0 {
            *seen = world.plex.request_count();
            world.plex.clear_faults();
        }
        if *seen > 0 {
            curve.push((passed, wrote()));
        }
    };
    let time = Virtual {
        queue: clock.clone(),
        breaker: breaker_clock.clone(),
        began,
        passing: RefCell::new(Box::new(passing)),
    };

    let around = place.around();
    let found = link::read(around.stash()).await.unwrap().read;
    assert_eq!(found.1, []);
    let db = Db::new(&mut queue);
    let mut engine = Worker::new(found, (&time, &log), &place.dir, &db, &around).unwrap();
    assert_eq!(engine.run().await.unwrap(), End::Idle);
    let log = engine.link.plex.breaker().snapshot().outages;
    drop(engine);
    drop(time);

    // Nothing lost, nothing dead, no attempt spent, one outage.
    assert!(world.comparison().is_equal(), "{}", world.comparison());
    let counts = queue.counts().unwrap();
    // Scenes that were read within seconds of their making are read once more.
    assert_eq!((counts.live(), counts.dead), (0, 0));
    assert!(counts.done >= jobs as u64, "{counts:?}");
    let outages: Vec<_> = log.outages().collect();
    assert_eq!(outages.len(), 1);
    assert_eq!(outages[0].jobs_affected, jobs as u64);
    assert_eq!(outages[0].reason.as_str(), "starting");
    let lasted = outages[0].ended.unwrap() - outages[0].started;
    assert!(
        lasted >= length && lasted < length + Duration::from_secs(120),
        "{lasted:?}"
    );

    // A probe now and then, a trial a minute: what Plex had to answer while it was down.
    let minutes = length.as_secs() / 60;
    let (least, most) = (minutes as usize, 4 * minutes as usize + 20);
    assert!(
        (least..most).contains(&seen_down),
        "{seen_down} requests in {minutes} minutes"
    );

    let worst_place = check_order(&world);
    let worst_ramp = check_ramp(&drained, f64::from(ramp));
    println!(
        "{jobs} jobs, {minutes} minutes down: Plex saw {seen_down} requests meanwhile; order off by {worst_place} \
         places at most, ramp by {:.1} %",
        worst_ramp * 100.0
    );
    let text = lines.borrow().join("\n");
    assert_eq!(
        text.matches("Sending to Plex is paused:").count(),
        1,
        "said once:\n{text}"
    );
    assert_eq!(text.matches("sending at full speed again").count(), 1);
}

/// In the order of due times, but for those under way together; returns the farthest from its
/// place.
fn check_order(world: &World) -> usize {
    let position = |key: &str| world.items.iter().position(|item| item.to_string() == key);
    let edits = world.plex.requests();
    let order: Vec<usize> = edits
        .iter()
        .filter(|request| request.method == "PUT")
        .filter_map(|request| {
            let id = request
                .query
                .split('&')
                .find_map(|pair| pair.strip_prefix("id="))?;
            position(id)
        })
        .collect();
    assert_eq!(order.len(), world.scenes.len(), "one edit a scene");
    let off = |(n, place): (usize, &usize)| n.abs_diff(*place);
    let worst = order.iter().enumerate().map(off).max().unwrap();
    // Sixteen at once, and what was claimed as they ended.
    assert!(worst <= 2 * IN_FLIGHT, "an edit came {worst} places off");
    worst
}

/// From 5 to 20 a second within D seconds: after t seconds 5·t + 7.5·t²/D jobs, within 5 %; returns
/// the worst deviation.
fn check_ramp(drained: &[(Duration, usize)], duration: f64) -> f64 {
    let start = drained
        .iter()
        .find(|(_, done)| *done > 0)
        .map(|(at, _)| *at)
        .unwrap();
    let mut worst: f64 = 0.0;
    for part in [0.2, 0.4, 0.6, 0.8, 0.99] {
        let seconds = part * duration;
        let at = start + Duration::from_secs_f64(seconds);
        let done = drained
            .iter()
            .take_while(|(passed, _)| *passed <= at)
            .last()
            .unwrap()
            .1 as f64;
        let expected = 5.0 * seconds + 7.5 * seconds * seconds / duration;
        let off = (done - expected).abs() / expected;
        assert!(
            off < 0.05,
            "after {seconds} s: {done} jobs, expected {expected}"
        );
        worst = worst.max(off);
    }
    worst
}
