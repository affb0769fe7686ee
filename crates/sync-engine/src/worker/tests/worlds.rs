//! Random worlds: files of the same names in several folders, which are moved, merged, split,
//! thrown away and scanned again on both sides, in any order and told of or not, under a path map
//! that is right, wrong or missing. No write goes to an item that holds no file of its scene; and
//! in the end one reconciliation brings every item to show its scene.
//!
//! `RIGHT_ITEM_SEEDS=500 cargo test -p stash2plex-plugin --lib worlds -- --nocapture` plays more of
//! them; `RIGHT_ITEM_SEED=17` only that one, with its story.

mod actions;
mod judge;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use backoff::SplitMix64;
use breaker::FakeClock;
use queue::{Clock, ManualClock, NewJob, Options, Queue};
use rand_core::Rng;
use serde_json::{Value, json};
use simulators::{
    FileFilter, PlexOptions, PlexServer, Recorded, SectionKind, StashOptions, StashServer, TagMode,
};
use tempfile::TempDir;

use crate::core::job::Job;
use crate::core::reconcile::{Reach, Run, instant};
use crate::core::scheduler::End;
use crate::core::settings::Scope;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use crate::storage::ledger;
use crate::storage::log::WorkerLog;
use crate::sync::Syncer;
use crate::worker::link;
use crate::worker::state::Worker;
use crate::worker::tests::eight_hour_outage::{Place, Virtual};
use judge::Judge;

const DEEDS: usize = 40;
const HOUR: Duration = Duration::from_secs(3600);
/// The rule that is right in every world.
const RIGHT: &str = "/data=>/media";

#[test]
fn no_scene_is_ever_written_to_another_ones_item() {
    let of = |name: &str| std::env::var(name).ok()?.parse().ok();
    let seeds: Vec<u64> = match of("RIGHT_ITEM_SEED") {
        Some(seed) => vec![seed],
        None => (0..of("RIGHT_ITEM_SEEDS").unwrap_or(8)).collect(),
    };
    let play = |seeds: &[u64]| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        for seed in seeds {
            runtime.block_on(World::new(*seed).play());
        }
    };
    thread::scope(|scope| {
        for some in seeds.chunks(seeds.len().div_ceil(4)) {
            scope.spawn(move || play(some));
        }
    });
}

/// The plugin's queue, and a worker on a clock of its own.
struct World {
    sim: Sim,
    config: TempDir,
    queue: Queue<Job>,
    /// What a worker keeps while it lives.
    syncer: Option<Rc<Syncer>>,
}

/// Two servers and the people at them.
struct Sim {
    seed: u64,
    random: SplitMix64,
    stash: StashServer,
    plex: PlexServer,
    /// Plex's libraries: their numbers and folders.
    libraries: Vec<(u32, Vec<String>)>,
    /// Files of one name are alike in size and duration too.
    twins: bool,
    /// What lies on the disk and Plex has not scanned.
    unscanned: Vec<String>,
    /// Numbers for values of their own.
    version: u32,
    settings: Value,
    clock: Arc<ManualClock>,
    /// Where hooks put their jobs.
    hooks: Queue<Job>,
    lines: Rc<RefCell<Vec<String>>>,
    judge: Judge,
}

/// What follows a action.
#[derive(Debug, PartialEq)]
enum Then {
    GoOn,
    Work,
    AnotherWorker,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut below = |n: u64| random.next_u64() % n;
        let config = tempfile::tempdir().unwrap();
        let options = StashOptions {
            config_dir: config.path().to_owned(),
            ..StashOptions::default()
        };
        let stash = StashServer::start_with(options).unwrap();
        let filters = [
            FileFilter::Substring,
            FileFilter::Folded,
            FileFilter::BaseName,
            FileFilter::CommaIsOr,
            FileFilter::Ignored,
        ];
        let plex = PlexServer::start_with(PlexOptions {
            file_filter: filters[below(5) as usize],
            moves_keep_keys: below(3) == 0,
            tag_mode: [TagMode::Add, TagMode::Replace][below(2) as usize],
            one_removal_per_edit: below(2) == 0,
            ..PlexOptions::default()
        })
        .unwrap();
        let folders: &[&[&str]] = match below(4) {
            0 => &[&["/media"]],
            1 => &[&["/media/a"], &["/media/b", "/media/d"]],
            2 => &[&["/media"], &["/media/a"]],
            _ => &[&["/media/a", "/media/c"], &["/media"]],
        };
        let libraries = folders.iter().enumerate().map(|(n, folders)| {
            let kind = [SectionKind::Movie, SectionKind::Show][n * below(2) as usize];
            let folders: Vec<_> = folders.iter().map(|folder| (*folder).to_owned()).collect();
            let locations: Vec<_> = folders.iter().map(String::as_str).collect();
            (
                plex.add_section(&format!("Library {n}"), kind, &locations),
                folders,
            )
        });
        let libraries: Vec<_> = libraries.collect();
        let map = [
            RIGHT,
            RIGHT,
            RIGHT,
            "",
            "/data=>/elsewhere",
            "/data=>/media/a",
        ][below(6) as usize];
        let settings = json!({
            "plex_url": plex.url(), "plex_token": plex.token(), "path_map": map,
            "sync_poster": false, "sync_background": false, "sync_collection": below(2) == 0, "sync_rating": below(2) == 0,
            "preserve_plex_edits": below(2) == 0, "strict_matching": below(4) > 0, "skip_not_found": below(3) == 0,
            "recovery_ramp": false,
        });
        let twins = below(3) == 0;
        let dir = DataDir::create(config.path()).unwrap();
        let clock = Arc::new(ManualClock::default());
        // As a worker's: longer than the time that passes while a job runs.
        let options = Options::consumer().lease(24 * HOUR).clock(clock.clone());
        let queue = Queue::open(dir.database(), options).unwrap();
        ledger::create(queue.sql()).unwrap();
        let options = Options::producer().clock(clock.clone());
        let hooks = Queue::open(dir.database(), options).unwrap();
        let judge = Judge::watch(&stash, &plex, &libraries);
        judge.set_map(map);
        let sim = Sim {
            seed,
            random,
            stash,
            plex,
            libraries,
            twins,
            unscanned: Vec::new(),
            version: 0,
            settings,
            clock,
            hooks,
            lines: Rc::default(),
            judge,
        };
        Self {
            sim,
            config,
            queue,
            syncer: None,
        }
    }

    async fn play(mut self) {
        for _ in 0..6 {
            self.sim.newcomer();
        }
        self.sim.enqueue(Job::Bulk { scope: Scope::All });
        self.work(0).await;
        // In every other world things also happen while the worker is at it.
        let most = 6 * (self.sim.seed % 2) as usize;
        for _ in 0..DEEDS {
            match self.sim.action() {
                Then::GoOn => {}
                Then::AnotherWorker => self.syncer = None,
                Then::Work => {
                    let meanwhile = self.sim.below(most + 1);
                    self.work(meanwhile).await;
                }
            }
        }
        // The last word of a person who reads the guide: the path map is right, and all is compared
        // once.
        let sim = &mut self.sim;
        sim.say("the end");
        if sim.settings["path_map"] != RIGHT {
            sim.settings["path_map"] = json!(RIGHT);
            sim.judge.set_map(RIGHT);
            self.syncer = None;
        }
        match sim.below(2) {
            0 => self.syncer = None,
            _ => sim.clock.advance(HOUR),
        }
        self.sim.enqueue(Job::Reconcile(Run::new(Reach::All)));
        self.work(0).await;
        let (wrong, story) = (self.sim.judge.unequal(), self.sim.story());
        assert!(wrong.is_empty(), "{}\n{story}", wrong.join("\n"));
        // And nothing is left to do.
        for scene in self.sim.stash.scenes() {
            let (id, force) = (scene.id, false);
            self.sim.enqueue(Job::Scene { id, force });
        }
        self.sim.enqueue(Job::Reconcile(Run::new(Reach::Metadata)));
        let requests = self.work(0).await;
        let writes = requests.iter().filter(|request| request.method != "GET");
        assert_eq!(writes.count(), 0, "written again\n{}", self.sim.story());
    }

    /// A worker works until nothing is left to do, whatever time that takes; no write of it may be
    /// wrong, but where the world changes `meanwhile`: then a write may be late by the time of one
    /// answer. Returns what Plex was asked.
    async fn work(&mut self, meanwhile: usize) -> Vec<Recorded> {
        let Self {
            sim, config, queue, ..
        } = self;
        sim.say(format!("work, {meanwhile} actions meanwhile"));
        sim.stash
            .set_plugin_settings("Stash2Plex", sim.settings.clone());
        let place = Place::new(config.path(), &sim.stash);
        let around = place.around();
        let found = link::read(around.stash()).await.unwrap().read;
        assert_eq!(found.1, []);
        let began = sim.clock.now();
        let breaker = Arc::new(FakeClock::at(instant(began)));
        let time = Virtual {
            queue: sim.clock.clone(),
            breaker: breaker.clone(),
            began,
            passing: RefCell::new(Box::new(|_| {})),
        };
        let db = Db::new(queue);
        let lines = sim.lines.clone();
        let log = WorkerLog::memory(&lines);
        let mut engine = Worker::new(found, (&time, &log), &place.dir, &db, &around).unwrap();
        if let Some(kept) = self.syncer.take() {
            engine.link.syncer = kept;
        }
        let syncer = engine.link.syncer.clone();
        let actions = async {
            let mut then = Vec::new();
            for _ in 0..meanwhile {
                let some = Duration::from_micros(sim.below(4_000) as u64);
                tokio::time::sleep(some).await;
                then.push(sim.action());
            }
            then
        };
        let (end, then) = tokio::join!(engine.run(), actions);
        assert_eq!(end.unwrap(), End::Idle);
        drop(engine);
        drop(time);
        self.syncer = Some(syncer).filter(|_| !then.contains(&Then::AnotherWorker));
        let wrong = self.sim.judge.wrong();
        let right = meanwhile > 0 || wrong.is_empty();
        assert!(right, "{}\n{}", wrong.join("\n"), self.sim.story());
        self.sim.plex.take_requests()
    }
}

impl Sim {
    fn below(&mut self, limit: usize) -> usize {
        (self.random.next_u64() % limit as u64) as usize
    }

    fn one_of<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let n = self.below(from.len().max(1));
        from.get(n).cloned()
    }

    fn say(&self, what: impl Into<String>) {
        self.lines.borrow_mut().push(format!("--- {}", what.into()));
    }

    fn story(&self) -> String {
        let lines = self.lines.borrow().join("\n");
        let Self {
            seed,
            settings,
            libraries,
            ..
        } = self;
        let items = self.judge.shown();
        format!("RIGHT_ITEM_SEED={seed} {settings} {libraries:?}\n{lines}\n{items}")
    }

    /// Stash runs a hook: what the plugin makes of those that tell of a scene.
    fn hook(&mut self, stdin: &str) {
        let document: serde_json::Value = serde_json::from_str(stdin).unwrap();
        let context = &document["args"]["hookContext"];
        let id = context["id"].as_u64().unwrap();
        self.enqueue(
            match (context["type"].as_str(), context["input"].is_null()) {
                (Some("Scene.Create.Post"), _) | (Some("Scene.Update.Post"), true) => {
                    Job::Scanned { id }
                }
                (Some("Scene.Update.Post" | "Scene.Destroy.Post"), false) => {
                    Job::Scene { id, force: false }
                }
                (other, _) => panic!("unexpected hook {other:?}"),
            },
        );
    }

    fn enqueue(&mut self, job: Job) {
        let key = job.key();
        let job = NewJob::new(job).key(key).merge(Job::merge);
        self.hooks.enqueue(job).unwrap();
    }
}
