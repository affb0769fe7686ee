//! What a worker says, and when it ends, while the minutes pass. On the story's virtual clock.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use backoff::SplitMix64;
use breaker::FakeClock;
use plex_health::Schedule;
use queue::{Clock, ManualClock, NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{PlexOptions, StashOptions, World};

use crate::core::job::Job;
use crate::core::reconcile::instant;
use crate::core::scheduler::End;
use crate::core::time::Moment;
use crate::core::time::Time;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger;
use crate::storage::log::WorkerLog;
use crate::storage::meta;
use crate::worker::link;
use crate::worker::state::Worker;
use crate::worker::tests::eight_hour_outage::{Place, Virtual};

const MINUTE: Duration = Duration::from_secs(60);

/// What a worker leaves.
struct Life {
    end: End,
    minutes: u64,
    said: String,
    probes: Schedule,
    /// When the end of the gradual restart had been told.
    over: Option<Duration>,
    /// When the first scene was written.
    first: Option<Duration>,
    /// When words about a long absence had been left for Stash's log.
    told_away: Option<Duration>,
    /// What is left for it in the end.
    notices: String,
}

/// What the worker has left for Stash's log.
fn notices(dir: &DataDir) -> String {
    let db = rusqlite::Connection::open(dir.database()).unwrap();
    meta::get(&db, "notices").unwrap().unwrap_or_default()
}

fn scene(id: u64) -> Job {
    Job::Scene { id, force: false }
}

/// A worker with so many jobs, until it ends; `passing` sees the time that has passed.
async fn life(jobs: u64, passing: impl Fn(&World, Duration)) -> Life {
    // A probe a quarter of an hour, so that trials find Plex well first.
    let slow = json!({"probe_interval": 600, "probe_cap": 900});
    life_with(jobs, (slow, 3, scene), passing).await
}

/// The same with these settings and this chance.
async fn life_with(
    jobs: u64,
    (settings, seed, job): (Value, u64, fn(u64) -> Job),
    passing: impl Fn(&World, Duration),
) -> Life {
    let config = tempfile::tempdir().unwrap();
    let options = StashOptions {
        config_dir: config.path().to_owned(),
        ..StashOptions::default()
    };
    let world = World::with(jobs.max(1) as usize, 1, options, PlexOptions::default()).unwrap();
    let mut map = json!({
        "plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": "/data=>/media/scenes",
        "sync_poster": false, "sync_background": false,
    });
    let more = settings.as_object().unwrap().clone();
    map.as_object_mut().unwrap().extend(more);
    world.stash.set_plugin_settings("Stash2Plex", map);
    let place = Place::new(config.path(), &world.stash);
    let clock = Arc::new(ManualClock::default());
    let began = clock.now();
    let breaker_clock = Arc::new(FakeClock::at(instant(began)));
    let options = Options::consumer().clock(clock.clone());
    let mut queue = Queue::<Job>::open(place.dir.database(), options).unwrap();
    ledger::create(queue.sql()).unwrap();
    let scenes = world.scenes.iter().take(jobs as usize);
    let scenes = scenes.map(|&id| NewJob::new(job(id)).key(job(id).key()));
    queue.enqueue_all(scenes).unwrap();
    let lines = RefCell::new(Vec::<String>::new());
    let woken = Cell::new(Duration::ZERO);
    let (over, told_away, first) = (Cell::new(None), Cell::new(None), Cell::new(None));
    let passed = |passed| {
        let told = |line: &String| line.contains("sending at full speed again");
        if over.get().is_none() && lines.borrow().iter().any(told) {
            over.set(Some(woken.get()));
        }
        let wrote = |line: &String| line.contains(": wrote ");
        if first.get().is_none() && lines.borrow().iter().any(wrote) {
            first.set(Some(woken.get()));
        }
        if told_away.get().is_none() && notices(&place.dir).contains("away for ten minutes") {
            told_away.set(Some(woken.get()));
        }
        woken.set(passed);
        passing(&world, passed);
    };
    let time = Virtual {
        queue: clock,
        breaker: breaker_clock.clone(),
        began,
        passing: RefCell::new(Box::new(passed)),
    };
    let around = place.around();
    let found = link::read(around.stash()).await.unwrap().read;
    assert_eq!(found.1, []);
    let (db, log) = (Db::new(&mut queue), WorkerLog::memory(&lines));
    let mut engine = Worker::new(found, (&time, &log), &place.dir, &db, &around).unwrap();
    engine.rng = SplitMix64::new(seed);
    (time.passing.borrow_mut())(Duration::ZERO);
    let end = engine.run().await.unwrap();
    Life {
        end,
        minutes: (time.now() - Moment::START).as_secs() / 60,
        said: lines.borrow().join("\n"),
        probes: engine.probes.clone(),
        over: over.get(),
        first: first.get(),
        told_away: told_away.get(),
        notices: notices(&place.dir),
    }
}

/// A worker with nothing to do, and one that waits for Stash, end in time all the same.
#[tokio::test]
async fn a_new_look_at_the_settings_begins_no_new_wait() {
    let idle = life(0, |_, _| {}).await;
    assert_eq!((idle.end, idle.minutes), (End::Idle, 10));
    let alone = life(1, |world, _| world.stash.down()).await;
    // A minute after its circuit opened at the latest, which is when Stash is found away.
    assert_eq!((alone.end, alone.minutes), (End::StashGone, 15));
}

/// Plex is down for a minute, from the start or a little later: with `fast_recovery` the first
/// scene follows its return soon.
#[tokio::test]
async fn a_fast_recovery_is_fast() {
    let mut waits = Vec::new();
    for seed in 0..12 {
        let fast = json!({"fast_recovery": true, "recovery_ramp": false, "idle_timeout": 5});
        let back = MINUTE + Duration::from_secs(seed);
        let life = life_with(3, (fast, seed, scene), |world, passed| {
            if passed.is_zero() {
                world.plex.fail_with(simulators::Fault::maintenance());
            } else if passed >= back {
                world.plex.clear_faults();
            }
        });
        waits.push(life.await.first.unwrap() - back);
    }
    waits.sort();
    println!("back to the first scene in {waits:?}");
    // A look around may lie between the probe and the moment at which time is told here.
    let longest = Duration::from_secs(15 + 5);
    assert!(waits.iter().all(|wait| *wait <= longest), "{waits:?}");
}

/// The jobs are done long before the sending at full speed again, and nothing else is due at its
/// end.
#[tokio::test]
async fn an_outage_and_its_gradual_end_are_told_once() {
    let life = life(80, |world, passed| {
        if passed.is_zero() {
            world.plex.fail_with(simulators::Fault::maintenance());
        } else if passed >= 20 * MINUTE {
            world.plex.clear_faults();
        }
    })
    .await;
    assert_eq!(life.end, End::Idle, "{}", life.said);
    for words in [
        "Sending to Plex is paused:",
        "sending goes on",
        "sending slowly after the outage: ",
        "sending at full speed again",
    ] {
        let times = life.said.matches(words).count();
        assert_eq!(times, 1, "{words}:\n{}", life.said);
    }
    assert!(
        life.said
            .contains("sending slowly after the outage: 5 changes a second, rising")
    );
    // Plex is back within a minute, and five later all is as before.
    let over = life.over.unwrap();
    assert!(
        (25 * MINUTE..=26 * MINUTE + Duration::from_secs(5)).contains(&over),
        "{over:?}"
    );
    // Probed each quarter of an hour here.
    let told = life.told_away.unwrap();
    assert!((10 * MINUTE..20 * MINUTE).contains(&told), "{told:?}");
    assert_eq!(life.notices, "{}", "it is over");
    // A trial that found Plex well is a probe that passed.
    assert_eq!(life.probes.failures(), 0);
}

/// Stash makes the cover of a new scene after the hook, and tells nobody.
#[tokio::test]
async fn the_cover_of_a_new_scene_arrives_a_minute_after_its_hook() {
    let (made, arrived) = (Cell::new(false), Cell::new(None));
    let scanned = |id| Job::Scanned { id };
    let covers = json!({"sync_poster": true});
    life_with(1, (covers, 1, scanned), |world, passed| {
        if passed >= Duration::from_secs(10) && !made.replace(true) {
            // Whatever the time really is, it is another one than the worker's.
            world.stash.set(|stash| stash.now = Some(1_900_000_000));
            world.stash.generate_cover(world.scenes[0]);
        }
        if made.get() && arrived.get().is_none() && has_cover(world) {
            arrived.set(Some(passed));
        }
    })
    .await;
    let arrived = arrived.get().unwrap();
    // The settings are read and the files looked at every few seconds.
    assert!(arrived <= Duration::from_secs(70), "{arrived:?}");
}

/// Plex shows the cover that Stash has.
fn has_cover(world: &World) -> bool {
    let mapping = simulators::Mapping {
        poster: true,
        ..world.mapping.clone()
    };
    let scene = world.stash.scene(world.scenes[0]).unwrap();
    let item = world.plex.items().remove(0);
    simulators::compare_item(&scene, &item, &world.stash, &mapping).is_empty()
}
