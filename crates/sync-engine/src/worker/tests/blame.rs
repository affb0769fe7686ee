//! One request of one scene is answered oddly for ever, in any of some seventy ways: every other
//! scene is equal in the end, within a bounded number of requests, the scene itself has an end, and
//! the circuit stays closed.
//!
//! An eighth of the worlds is played each time; `BLAME=all cargo test -p stash2plex-plugin --lib
//! blame` plays them all.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use breaker::FakeClock;
use queue::{Clock, ManualClock, NewJob, Options, Queue};
use serde_json::{Value, json};
use simulators::{Fault, PlexOptions, Recorded, Response, Rule, StashOptions};
use tempfile::TempDir;

use crate::core::job::{Job, scene_key};
use crate::core::reconcile::instant;
use crate::core::scheduler::End;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger;
use crate::storage::log::WorkerLog;
use crate::worker::link;
use crate::worker::state::Worker;
use crate::worker::tests::eight_hour_outage::{Place, Virtual};

/// As long as a worker's: longer than the time that passes while a job runs.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// Twelve attempts take two hours at most, and the worker ends ten minutes later.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Two servers, and the plugin's queue on a clock of its own.
struct World {
    world: simulators::World,
    config: TempDir,
    clock: Arc<ManualClock>,
    queue: Queue<Job>,
    lines: RefCell<Vec<String>>,
}

impl World {
    fn new(scenes: usize, settings: Value) -> Self {
        let config = tempfile::tempdir().unwrap();
        let options = StashOptions {
            config_dir: config.path().to_owned(),
            ..StashOptions::default()
        };
        let world = simulators::World::with(scenes, 5, options, PlexOptions::default()).unwrap();
        let mut all = json!({
            "plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": "/data=>/media/scenes",
            "recovery_ramp": false,
        });
        let more = settings.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        world.stash.set_plugin_settings("Stash2Plex", all);
        let dir = DataDir::create(config.path()).unwrap();
        let clock = Arc::new(ManualClock::default());
        let options = Options::consumer().lease(LEASE).clock(clock.clone());
        let queue = Queue::open(dir.database(), options).unwrap();
        ledger::create(queue.sql()).unwrap();
        Self {
            world,
            config,
            clock,
            queue,
            lines: RefCell::default(),
        }
    }

    fn save(&mut self, scene: u64, later: Duration) {
        let job = Job::Scene {
            id: scene,
            force: false,
        };
        let job = NewJob::new(job).key(scene_key(scene)).due_in(later);
        self.queue.enqueue(job).unwrap();
    }

    /// A worker works until nothing is left to do, whatever time that takes; returns how often the
    /// circuit opened.
    async fn work(&mut self, passing: impl FnMut(Duration)) -> usize {
        let began = self.clock.now();
        let breaker = Arc::new(FakeClock::at(instant(began)));
        let lines = &self.lines;
        let mut passing = passing;
        let bounded = |passed| {
            assert!(
                passed < LONGEST,
                "it has no end:\n{}",
                lines.borrow().join("\n")
            );
            passing(passed);
        };
        let time = Virtual {
            queue: self.clock.clone(),
            breaker: breaker.clone(),
            began,
            passing: RefCell::new(Box::new(bounded)),
        };
        let place = Place::new(self.config.path(), &self.world.stash);
        let around = place.around();
        let found = link::read(around.stash()).await.unwrap().read;
        assert_eq!(found.1, []);
        let (db, log) = (Db::new(&mut self.queue), WorkerLog::memory(&self.lines));
        let mut engine = Worker::new(found, (&time, &log), &place.dir, &db, &around).unwrap();
        let end = engine.run().await.unwrap();
        assert_eq!(end, End::Idle, "{}", self.lines.borrow().join("\n"));
        let outages = engine.link.plex.breaker().snapshot().outages;
        outages.outages().count()
    }

    fn story(&self) -> String {
        self.lines.borrow().join("\n")
    }
}

fn run(future: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future);
}

/// The requests of a sync that are about one scene, whose item and file these are; of which server.
fn requests(item: u64, scene: u64) -> [(bool, Rule<()>); 10] {
    use simulators::Requests;
    let on_plex = |method: &str, path: String| (true, Requests::all().method(method).path(&path));
    let of_item = |what: &str| format!("/library/metadata/{item}{what}");
    let with = |(plex, rule): (bool, Rule<()>), query: &str| (plex, rule.query(query));
    let item_is = format!("id={item}&");
    [
        with(on_plex("GET", "/library/sections/".to_owned()), "victim"),
        with(on_plex("GET", of_item("")), "skipRefresh"),
        with(on_plex("PUT", "/library/sections/".to_owned()), &item_is),
        with(on_plex("PUT", "/:/rate".to_owned()), &format!("key={item}")),
        on_plex("GET", of_item("/posters")),
        on_plex("POST", of_item("/posters")),
        on_plex("GET", of_item("/arts")),
        on_plex("POST", of_item("/arts")),
        on_plex("GET", of_item("")),
        (
            false,
            Requests::all().path(&format!("/scene/{scene}/screenshot")),
        ),
    ]
}

const STATUSES: [u16; 46] = [
    201, 202, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406,
    407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 422, 425, 429, 431, 451, 500, 501,
    502, 503, 504, 507, 511, 520, 525, 599,
];

/// Answers that no Plex gives, or not to this.
fn answers() -> Vec<Fault> {
    let bodies: [(&str, &[u8]); 10] = [
        ("text/html", b"<html>\n<head><title>Just a moment...</title></head>\n</html>"),
        ("text/html", b"<!DOCTYPE html><title>Log in</title>"),
        ("text/html", b"<html><head><title>Bad Request</title></head><body><h1>400 Bad Request</h1></body></html>"),
        ("application/json", b"{}"),
        ("application/json", b"{\"MediaContainer\":{\"Metadata\":[{\"ratingKey\":"),
        ("application/json", b"{\"MediaContainer\":{\"Metadata\":[{\"ratingKey\":7,\"Media\":3},null]}}"),
        ("application/json", b"null"),
        ("text/xml", b"<?xml version=\"1.0\"?>\n<MediaContainer size=\"0\"/>"),
        ("text/plain", b"\xff\xfe\x00"),
        ("text/plain", b""),
    ];
    let headers = [
        ("Server", "nginx"),
        ("Retry-After", "7"),
        ("X-Plex-Protocol", "1.0"),
        ("WWW-Authenticate", "Basic realm=\"films\""),
    ];
    let odd = |nth: usize, status: u16| {
        let (kind, body) = bodies[nth % bodies.len()];
        let has_body = !matches!(status, 204 | 304);
        let body = if has_body { body } else { b"" };
        let (name, value) = headers[nth % headers.len()];
        let answer = Response::new(status, kind, body).with_header(name, value);
        Fault::Answer(match status {
            300..400 => answer.with_header("Location", "https://login.example/?from=plex"),
            _ => answer,
        })
    };
    let statuses = STATUSES.into_iter().enumerate();
    let mut answers: Vec<_> = statuses.map(|(nth, status)| odd(nth, status)).collect();
    answers.extend((0..bodies.len()).map(|nth| odd(nth, 200)));
    answers.extend([
        Fault::Close,
        Fault::Reset,
        Fault::Truncated,
        Fault::BrokenDocument,
        Fault::maintenance(),
        Fault::Unavailable,
        Fault::StartingUp,
        Fault::TooManyRequests(Duration::from_secs(100)),
        Fault::GatewayTimeout,
        Fault::HtmlPage,
    ]);
    answers
}

#[test]
fn an_odd_answer_to_one_request_stops_nobody_else() {
    let all = std::env::var("BLAME").is_ok_and(|which| which == "all");
    let count = answers().len();
    let worlds = (0..10).flat_map(|request| (0..count).map(move |answer| (request, answer)));
    let played = |(request, answer): &(usize, usize)| all || (request + answer) % 8 == 0;
    let worlds: Vec<_> = worlds.filter(played).collect();
    let worlds = &worlds;
    thread::scope(|scope| {
        for nth in 0..4 {
            scope.spawn(move || {
                for (request, answer) in worlds.iter().skip(nth).step_by(4) {
                    run(odd_world(*request, *answer));
                }
            });
        }
    });
}

const OTHERS: usize = 3;
/// Some ten a scene, and those of the scene that is tried again and again, twelve times at most.
const MOST_REQUESTS: usize = 200;

async fn odd_world(request: usize, answer: usize) {
    let mut world = World::new(OTHERS, json!({}));
    let (stash, plex) = (world.world.stash.clone(), world.world.plex.clone());
    let scene = stash.add_scene("/data/v/victim.mp4");
    let item = plex.add_file(world.world.section, "/media/scenes/v/victim.mp4");
    let scenes: Vec<_> = stash.scenes().iter().map(|scene| scene.id).collect();
    for id in &scenes {
        stash.edit(*id).rating(60).cover(1);
    }
    stash.edit(scene).title("Victim").tags(&["One"]);
    let (on_plex, requests) = requests(item, scene)[request].clone();
    let fault = answers()[answer].clone();
    let case = format!("request {request}, answered with {fault:?}");
    world.lines.borrow_mut().push(case.clone());
    let rule = requests.failing(fault);
    match on_plex {
        true => plex.fail_when(rule),
        false => stash.fail_when(rule),
    }
    for id in &scenes {
        world.save(*id, Duration::ZERO);
    }
    let outages = world.work(|_| ()).await;
    let comparison = world.world.comparison();
    let unequal = |one: &&simulators::Difference| one.scene != scene;
    let others: Vec<_> = comparison.differences.iter().filter(unequal).collect();
    assert!(others.is_empty(), "{case}: {comparison}\n{}", world.story());
    assert_eq!(outages, 0, "{case}\n{}", world.story());
    let asked = plex.request_count();
    assert!(asked <= MOST_REQUESTS, "{case}: {asked}\n{}", world.story());
    let counts = world.queue.counts().unwrap();
    assert_eq!(counts.live(), 0, "{case}\n{}", world.story());
}

/// Another Plex takes the address over while nothing is to be done: it gets neither the token nor
/// an edit.
#[test]
fn another_server_at_the_address_gets_nothing_after_a_pause() {
    for quiet in [2, 20, 45] {
        run(taken_over(Duration::from_secs(quiet)));
    }
}

async fn taken_over(quiet: Duration) {
    let mut world = World::new(2, json!({}));
    let plex = world.world.plex.clone();
    let [first, second] = world.world.scenes[..] else {
        unreachable!()
    };
    world.save(first, Duration::ZERO);
    world.save(second, quiet);
    let (mut before, mut after) = (Vec::new(), None::<usize>);
    let takes_over = |passed: Duration| {
        if passed >= quiet && after.is_none() {
            before = plex.take_requests();
            after = Some(before.len());
            plex.set(|plex| plex.machine_identifier = "f".repeat(40));
        }
        // A person looks after a while; else it would be asked for ever.
        if passed >= quiet + Duration::from_secs(600) {
            plex.set(|plex| {
                plex.machine_identifier = PlexOptions::default().machine_identifier;
            });
        }
    };
    let identified = |requests: &[Recorded]| {
        let mut requests = requests.iter();
        requests.all(|one| one.path == "/identity" && one.header("X-Plex-Token").is_none())
    };
    let seen = RefCell::new(Vec::new());
    let mut takes_over = takes_over;
    let other = plex.clone();
    world
        .work(|passed| {
            takes_over(passed);
            // What the other server saw so far.
            if passed >= quiet && passed < quiet + Duration::from_secs(600) {
                seen.borrow_mut().extend(other.take_requests());
            }
        })
        .await;
    let seen = seen.into_inner();
    assert!(!seen.is_empty(), "{}", world.story());
    assert!(identified(&seen), "{quiet:?}: {seen:?}");
    assert!(!identified(&before));
    assert!(world.world.comparison().is_equal(), "{}", world.story());
}
