//! Row 14: Plex ignores the file filter, and a file is renamed while the worker lives. In this
//! process, for the time between two looks at what changed in Plex is a minute.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use queue::{Options, Queue};
use simulators::FileFilter;
use sync_engine::clients::tls;
use sync_engine::core::job::Job;
use sync_engine::core::outcome::{Done, Failure, Outcome, SceneFault, Whose};
use sync_engine::core::settings::Settings;
use sync_engine::core::time::Moment;
use sync_engine::core::time::Time;
use sync_engine::storage::db::Db;
use sync_engine::storage::ledger::{self, ServerId};
use sync_engine::sync::{Synced, Syncer};

use super::*;

struct Hands(Cell<Moment>);

impl Time for Hands {
    type Clock = breaker::SystemClock;

    fn now(&self) -> Moment {
        self.0.get()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now() + (self.now() - Moment::START)
    }

    fn clock(&self) -> Self::Clock {
        breaker::SystemClock::new()
    }

    async fn sleep(&self, until: Moment, _: bool, _: impl FnMut() -> bool) {
        self.0.set(until);
    }
}

/// What one worker has in hand.
struct Worker {
    world: World,
    syncer: Syncer,
    time: Hands,
}

impl Worker {
    fn new(filter: FileFilter) -> Self {
        let plex = PlexOptions {
            file_filter: filter,
            now: Some(1_700_000_000),
            ..PlexOptions::default()
        };
        let world = World::with(3, 7, StashOptions::default(), plex).unwrap();
        let settings = json!({
            "plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": "/data=>/media/scenes",
            "sync_poster": false, "sync_background": false,
        });
        let (settings, faults) = Settings::read(settings.as_object().unwrap(), |_| None);
        assert_eq!(faults, []);
        let token = world.plex.token().parse().unwrap();
        let plex = plex::Client::new(
            tls::client_builder(),
            &world.plex.url(),
            Some(token),
            &plex::Device::new("test", "test", "1"),
            plex::Timeouts::default(),
        );
        let task = world.stash.task_stdin(json!({}));
        let task = stash::protocol::PluginInput::parse(task.as_bytes()).unwrap();
        let stash = sync_engine::clients::stash(&task.server_connection).unwrap();
        Self {
            syncer: Syncer::new(stash, plex.unwrap(), &settings),
            time: Hands(Cell::new(Moment::START)),
            world,
        }
    }

    async fn sync(&self, db: &Db<'_>, server: ServerId, scene: u64) -> Outcome<Synced> {
        let found = self
            .syncer
            .fetch(&[stash::client::SceneId(scene)])
            .await
            .unwrap();
        let scene = &found.scenes[0];
        let ended = self
            .syncer
            .sync((db, server), scene, false, &self.time)
            .await
            .unwrap();
        db.write(|tx| ended.record.apply(tx)).unwrap();
        ended.outcome
    }

    /// The file of a scene gets another name, of which Stash and Plex have heard.
    fn rename(&self, nth: usize) -> String {
        let (scene, item) = (self.world.scenes[nth], self.world.items[nth]);
        let to = format!("/data/renamed {nth}.mp4");
        let from = self.world.stash.scene(scene).unwrap().files[0].path.clone();
        self.world.stash.scan_moved(&from, &to).unwrap();
        let added = self.world.plex.item(item).unwrap().added_at;
        self.world.plex.rename_file(
            &self.world.mapping.to_plex(&from),
            &self.world.mapping.to_plex(&to),
        );
        assert_eq!(self.world.plex.item(item).unwrap().added_at, added);
        to
    }
}

#[tokio::test]
async fn a_file_renamed_in_plex_is_found_by_a_worker_that_lives() {
    for filter in [FileFilter::Ignored, FileFilter::CommaFindsNothing] {
        let worker = Worker::new(filter);
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::<Job>::open(folder.path().join("db"), Options::consumer()).unwrap();
        ledger::create(queue.sql()).unwrap();
        let server = ledger::server(queue.sql(), "one").unwrap();
        let db = &Db::new(&mut queue);
        let (scenes, plex) = (&worker.world.scenes, &worker.world.plex);
        // Pages of newer files lie before the scenes', whose times are the oldest.
        plex.set(|plex| plex.now = Some(1_700_000_100));
        worker.world.fill_plex(800);
        plex.set(|plex| plex.now = Some(1_700_000_200));
        worker.world.fill_plex(1600);
        plex.set(|plex| plex.now = Some(1_700_000_300));
        // The listing is read, with the files under their old names.
        let absent = worker.world.stash.add_scene("/data/not, there.mp4");
        worker.world.stash.edit(absent).title("Not there");
        assert!(matches!(
            worker.sync(db, server, absent).await,
            Err(Failure {
                whose: Whose::Scene(SceneFault::NotInPlex),
                ..
            })
        ));
        assert!(matches!(
            worker.sync(db, server, scenes[0]).await,
            Ok(Done::Synced(_))
        ));

        // One that is on record is found at once, by its item.
        worker.rename(0);
        plex.take_requests();
        assert!(matches!(
            worker.sync(db, server, scenes[0]).await,
            Ok(Done::Synced(_))
        ));
        assert_eq!(plex.take_requests().len(), 1);

        // One that is not: at the next look at what changed, which does not read the library anew.
        worker.rename(1);
        worker
            .time
            .0
            .set(worker.time.now() + Duration::from_secs(60));
        let outcome = worker.sync(db, server, scenes[1]).await;
        assert!(matches!(outcome, Ok(Done::Synced(_))), "{outcome:?}");
        let requests = plex.take_requests();
        assert!(
            !requests.iter().any(|one| one.query.contains("sort=title")),
            "{}",
            told(&requests)
        );
        assert!(
            worker
                .world
                .comparison()
                .differences
                .iter()
                .all(|one| one.scene != scenes[1])
        );
        assert!(matches!(
            worker.sync(db, server, absent).await,
            Err(Failure {
                whose: Whose::Scene(SceneFault::NotInPlex),
                ..
            })
        ));
    }
}
