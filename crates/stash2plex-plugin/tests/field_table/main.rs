//! What an item shows in the end: field × what happened in Stash × what happened in Plex × mode, in
//! both tag modes. The real binary between simulated servers; `table.rs` says what is expected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod field;
mod removals;
mod table;
mod toggles;

use std::collections::BTreeMap;

use common::Installed;
use field::{Field, Shown, Version};
use queue::{NewJob, Options, Queue};
use serde_json::json;
use simulators::{Item, TagMode};
use sync_engine::core::job::{Job, scene_key};
use sync_engine::storage::data_dir::DataDir;
use table::{Ends, InPlex, InStash, Mode};

#[test]
fn stash_wins_where_plex_adds_tags() {
    every_cell(Mode::StashWins, TagMode::Add);
}

#[test]
fn stash_wins_where_plex_replaces_tags() {
    every_cell(Mode::StashWins, TagMode::Replace);
}

#[test]
fn edits_are_preserved_where_plex_adds_tags() {
    every_cell(Mode::Preserve, TagMode::Add);
}

#[test]
fn edits_are_preserved_where_plex_replaces_tags() {
    every_cell(Mode::Preserve, TagMode::Replace);
}

#[test]
fn a_field_turned_off_is_left_alone_where_plex_adds_tags() {
    every_cell(Mode::FieldsOff, TagMode::Add);
}

#[test]
fn a_field_turned_off_is_left_alone_where_plex_replaces_tags() {
    every_cell(Mode::FieldsOff, TagMode::Replace);
}

#[test]
fn nothing_is_written_with_sync_master_off() {
    every_cell(Mode::AllOff, TagMode::Add);
}

/// One scene, of which one field is looked at; the others have values that do not change.
struct Cell {
    field: Field,
    stash: InStash,
    plex: InPlex,
    scene: u64,
    item: u64,
}

impl Cell {
    fn name(&self) -> String {
        format!("{:?} {:?} {:?}", self.field, self.stash, self.plex)
    }
}

fn every_cell(mode: Mode, tag_mode: TagMode) {
    let world = TableWorld::new(tag_mode);
    let cells = world.cells();
    let synced = cells.iter().filter(|cell| cell.stash != InStash::Set);

    world.plugin.set(mode.settings_before());
    world.drain(synced.map(|cell| cell.scene), false);
    let ours: BTreeMap<_, _> = cells
        .iter()
        .filter(|cell| cell.stash != InStash::Set)
        .map(|cell| (cell.scene, cell.field.shown(&world.item(cell.item))))
        .collect();
    for cell in cells.iter().filter(|cell| cell.stash != InStash::Set) {
        let given = cell.field.in_stash(&world.plugin.world.stash, cell.scene);
        assert_eq!(ours[&cell.scene], given, "first sync: {}", cell.name());
    }

    world.later();
    for cell in &cells {
        cell.plex
            .act(&world.plugin.world.plex, cell.item, cell.field);
    }
    world.later();
    for cell in &cells {
        let version = match cell.stash {
            InStash::Set => continue,
            InStash::Changed => Version::Second,
            InStash::Cleared => Version::None,
        };
        cell.field
            .give(&world.plugin.world.stash, cell.scene, version);
    }
    world.plugin.set(mode.settings());
    let before: BTreeMap<u64, Item> = cells
        .iter()
        .map(|cell| (cell.item, world.item(cell.item)))
        .collect();

    let all = || cells.iter().map(|cell| cell.scene);
    for force in [false, true] {
        world.drain(all(), force);
        let wrong: Vec<String> = cells
            .iter()
            .flat_map(|cell| world.faults(cell, mode, &before[&cell.item], ours.get(&cell.scene)))
            .collect();
        let wrong = wrong.join("\n");
        assert!(
            wrong.is_empty(),
            "{mode:?} {tag_mode:?} force={force}\n{wrong}"
        );
        if !force {
            world.plugin.world.plex.take_requests();
        }
        world.later();
    }
    let again = world.writes(&cells);
    assert!(
        again.is_empty(),
        "{mode:?} {tag_mode:?} writes again\n{again}"
    );
}

/// A Stash and a Plex whose clocks stand still until told, since both show changes only by the
/// second.
struct TableWorld {
    plugin: Installed,
}

impl TableWorld {
    fn new(tag_mode: TagMode) -> Self {
        let plugin = Installed::new(0);
        plugin.world.plex.set(|options| options.tag_mode = tag_mode);
        let world = Self { plugin };
        world.later();
        world
    }

    fn later(&self) {
        let tick = |now: &mut Option<i64>| *now = Some(now.unwrap_or(1_700_000_000) + 100);
        self.plugin
            .world
            .stash
            .set(|options| tick(&mut options.now));
        self.plugin.world.plex.set(|options| tick(&mut options.now));
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for field in Field::ALL {
            for stash in [InStash::Set, InStash::Changed, InStash::Cleared] {
                for plex in InPlex::ALL {
                    let (scene, item) = self.scene(field.is_picture());
                    cells.push(Cell {
                        field,
                        stash,
                        plex,
                        scene,
                        item,
                    });
                }
            }
        }
        assert_eq!(cells.len(), 12 * 3 * 4);
        cells
    }

    /// A scene with a value in every field, and the item that a scan made of its file.
    fn scene(&self, with_cover: bool) -> (u64, u64) {
        let world = &self.plugin.world;
        let number = world.stash.scenes().len();
        let path = format!("/data/cell-{number:03}.mp4");
        let scene = world.stash.add_scene(&path);
        for field in Field::ALL {
            if with_cover || !field.is_picture() {
                field.give(&world.stash, scene, Version::First);
            }
        }
        let file = world.mapping.to_plex(&path);
        (scene, world.plex.add_file(world.section, &file))
    }

    fn item(&self, key: u64) -> Item {
        self.plugin.world.plex.item(key).unwrap()
    }

    /// Queues these scenes and works them all off.
    fn drain(&self, scenes: impl Iterator<Item = u64>, force: bool) {
        // One that lives notices within seconds that the settings changed.
        self.plugin.until_no_worker();
        let dir = DataDir::create(self.plugin.config.path()).unwrap();
        let mut queue: Queue<Job> = Queue::open(dir.database(), Options::producer()).unwrap();
        let jobs = scenes.map(|id| NewJob::new(Job::Scene { id, force }).key(scene_key(id)));
        let queued = queue.enqueue_all(jobs).unwrap().len();
        drop(queue);
        let run = self.plugin.task("process_queue");
        assert_eq!(
            run.output(),
            Some(&json!({"done": queued, "failed": 0, "waiting": 0})),
            "{}",
            run.log_text()
        );
    }

    /// What is not as the table says, one line each: the cell's own field, and the other fields of
    /// its scene.
    fn faults(&self, cell: &Cell, mode: Mode, before: &Item, ours: Option<&Shown>) -> Vec<String> {
        let item = self.item(cell.item);
        let mut faults = Vec::new();
        for field in Field::ALL {
            let (stash, plex) = if field == cell.field {
                (cell.stash, cell.plex)
            } else if field.source() == cell.field.source() {
                // Changed along with the cell's, and a cell of its own.
                continue;
            } else {
                (InStash::Set, InPlex::Untouched)
            };
            let was = field.shown(before);
            let given = field.in_stash(&self.plugin.world.stash, cell.scene);
            let nothing = Shown::new();
            let ours = ours.filter(|_| field == cell.field).unwrap_or(&nothing);
            let expected = match table::ends(field, stash, plex, mode) {
                _ if field.is_picture() && given.is_empty() => was.clone(),
                Ends::AsItWas => was.clone(),
                Ends::AsStash => given,
                Ends::StashAndForeign => &given | &(&was - ours),
                Ends::StashButTakenOffAndForeign => &(&given - &(ours - &was)) | &(&was - ours),
            };
            let shown = field.shown(&item);
            if shown != expected {
                faults.push(format!(
                    "{}: {field:?} shows {shown:?}, not {expected:?}",
                    cell.name()
                ));
            }
            if shown != was && field != Field::Rating && !item.locked.contains(field.lock()) {
                faults.push(format!(
                    "{}: {field:?} was written and not locked",
                    cell.name()
                ));
            }
        }
        faults
    }

    /// What Plex was told since the last look, with the cell each is about.
    fn writes(&self, cells: &[Cell]) -> String {
        let requests = self.plugin.world.plex.take_requests();
        let writes = requests.iter().filter(|request| request.method != "GET");
        let lines = writes.map(|write| {
            let about = |cell: &&Cell| {
                let key = cell.item.to_string();
                let in_query = |pair: &str| {
                    pair.split_once('=')
                        .is_some_and(|(name, value)| ["id", "key"].contains(&name) && value == key)
                };
                write.query.split('&').any(in_query)
                    || write.path.split('/').any(|part| part == key)
            };
            let cell = cells.iter().find(about).map(Cell::name);
            format!(
                "{cell:?}: {} {}?{}\n",
                write.method, write.path, write.query
            )
        });
        lines.collect()
    }
}
