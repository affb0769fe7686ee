//! Random worlds: files of the same names in several folders, which are moved, merged, split, thrown away and scanned again
//! on both sides, in any order and told of or not, under a path map that is right, wrong or missing. No write goes to an
//! item that holds no file of its scene; and in the end one reconciliation brings every item to show its scene.
//!
//! `RIGHT_ITEM_SEEDS=500 cargo test -p stash2plex-plugin --lib worlds -- --nocapture` plays more of them;
//! `RIGHT_ITEM_SEED=17` only that one, with its story.

mod deeds;
mod judge;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use backoff::SplitMix64;
use breaker::{Breaker, FakeClock, Rules};
use plex_health::Schedule;
use queue::{Clock, ManualClock, NewJob, Options, Queue};
use rand_core::Rng;
use serde_json::{Value, json};
use simulators::{
    FileFilter, PlexOptions, PlexServer, SectionKind, StashOptions, StashServer, TagMode,
};
use stash::protocol::PluginInput;
use tempfile::TempDir;

use super::circuit::Circuit;
use super::engine::{End, Engine};
use super::memory::Lasting;
use super::story::Virtual;
use super::{ramp, session};
use crate::data_dir::DataDir;
use crate::db::Db;
use crate::job::Job;
use crate::journal::Journal;
use crate::ledger;
use crate::reconcile::{Reach, Run};
use crate::request::Request;
use crate::settings::{Scope, Settings};
use crate::sync::Syncer;
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

/// Two servers, the plugin's queue, and a worker on a clock of its own.
struct World {
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
    dir: DataDir,
    _config: TempDir,
    clock: Arc<ManualClock>,
    queue: Queue<Job>,
    /// What a worker keeps while it lives.
    syncer: Option<Rc<Syncer>>,
    lines: RefCell<Vec<String>>,
    judge: Judge,
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
        let queue = Queue::open(dir.database(), Options::consumer().clock(clock.clone())).unwrap();
        ledger::create(queue.sql()).unwrap();
        let judge = Judge::watch(&stash, &plex, &libraries);
        judge.set_map(map);
        Self {
            seed,
            random,
            stash,
            plex,
            libraries,
            twins,
            unscanned: Vec::new(),
            version: 0,
            settings,
            dir,
            _config: config,
            clock,
            queue,
            syncer: None,
            lines: RefCell::default(),
            judge,
        }
    }

    async fn play(mut self) {
        for _ in 0..6 {
            self.newcomer();
        }
        self.enqueue(Job::Bulk { scope: Scope::All });
        self.work().await;
        for _ in 0..DEEDS {
            self.deed().await;
        }
        // The last word of a person who reads the guide: the path map is right, and all is compared once.
        self.say("the end");
        if self.settings["path_map"] != RIGHT {
            self.settings["path_map"] = json!(RIGHT);
            self.judge.set_map(RIGHT);
            self.syncer = None;
        }
        match self.below(2) {
            0 => self.syncer = None,
            _ => self.clock.advance(HOUR),
        }
        self.enqueue(Job::Reconcile(Run::new(Reach::All)));
        self.work().await;
        let wrong = self.judge.unequal();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), self.story());
        // And nothing is left to do.
        self.plex.take_requests();
        for scene in self.stash.scenes() {
            self.enqueue(Job::Scene {
                id: scene.id,
                force: false,
            });
        }
        self.enqueue(Job::Reconcile(Run::new(Reach::Metadata)));
        self.work().await;
        let writes = self.plex.take_requests();
        let writes = writes.iter().filter(|request| request.method != "GET");
        assert_eq!(writes.count(), 0, "written again\n{}", self.story());
    }

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

    /// Stash runs a hook.
    fn hook(&mut self, stdin: &str) {
        let input = PluginInput::parse(stdin.as_bytes()).unwrap();
        if let Ok(Request::Record(job)) = Request::of(&input.args) {
            self.enqueue(job);
        }
    }

    fn enqueue(&mut self, job: Job) {
        let key = job.key();
        let job = NewJob::new(job).key(key).merge(Job::merge);
        self.queue.enqueue(job).unwrap();
    }

    /// A worker works until nothing is left to do, whatever time that takes; no write of it may be wrong.
    async fn work(&mut self) {
        self.say("work");
        let (settings, faults) = Settings::read(self.settings.as_object().unwrap(), |_| None);
        assert_eq!(faults, []);
        let target = settings.plex.as_ref().unwrap();
        let syncer = self.syncer.take().unwrap_or_else(|| {
            let stdin = self.stash.task_stdin(json!({}));
            let connection = PluginInput::parse(stdin.as_bytes()).unwrap();
            let stash = session::stash(&connection.server_connection).unwrap();
            let plex = session::plex(target, &settings, &self.dir).unwrap();
            Rc::new(Syncer::new(stash, plex, &settings))
        });
        let began = self.clock.now();
        let breaker = Arc::new(FakeClock::at(ramp::instant(began)));
        let time = Virtual {
            queue: self.clock.clone(),
            breaker: breaker.clone(),
            began,
            passing: RefCell::new(Box::new(|_| {})),
        };
        let circuit = || {
            let breaker = Breaker::builder(Rules::default()).clock(breaker.clone());
            Circuit::new(breaker.build())
        };
        let (mut plex, mut stash) = (circuit(), circuit());
        let db = Db::new(&mut self.queue);
        let engine = Engine {
            time: &time,
            journal: &Journal::memory(&self.lines),
            db: &db,
            settings: &settings,
            plex: &mut plex,
            stash: &mut stash,
            schedule: &mut Schedule::default(),
            syncer: syncer.clone(),
            probe: session::probe(target, &settings, &self.dir).unwrap(),
            lasting: &mut Lasting::start(began),
            server: None,
            ramp: None,
            rng: SplitMix64::new(self.seed),
            drain: false,
            refresh_at: None,
            wake_at: None,
        };
        assert_eq!(engine.run().await.unwrap(), End::Idle);
        drop(time);
        self.syncer = Some(syncer);
        let wrong = self.judge.wrong();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), self.story());
        self.plex.take_requests();
    }
}
