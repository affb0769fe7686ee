//! A sync is cut off at each of its requests to Plex, in every way that leaves Plex changed or not;
//! then the scene changes again. In the end Plex is equal to it, whatever was half done, and a
//! person's tag is still there.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, SystemTime};

use common::Installed;
use serde_json::json;
use simulators::{Fault, Rule, TagKind, TagMode};

/// What befalls the request.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Carried out, unanswered; then the worker is killed.
    Killed,
    /// Carried out, unanswered; then the connection breaks.
    Unanswered,
    /// Carried out; half an answer.
    Torn,
    /// Not carried out.
    Dropped,
    /// Not carried out, and refused.
    Refused,
}

const CUTS: [Cut; 5] = [
    Cut::Killed,
    Cut::Unanswered,
    Cut::Torn,
    Cut::Dropped,
    Cut::Refused,
];

impl Cut {
    fn fault(self) -> Fault {
        match self {
            Self::Killed | Self::Unanswered => Fault::AnswerLost,
            Self::Torn => Fault::Reset,
            Self::Dropped => Fault::Close,
            Self::Refused => Fault::Status(500),
        }
    }
}

/// More requests than a sync has, with pictures, rating and a look at what became of it.
const MOST: usize = 20;
const PERSONS: &str = "A person's";

#[test]
fn a_first_sync() {
    each_request(None, 2);
}

#[test]
fn a_later_sync() {
    each_request(Some(0), 2);
}

/// What Plex shows is not what was written last, though the scene is what was synced last.
#[test]
fn a_change_that_is_taken_back() {
    each_request(Some(0), 0);
}

/// Syncs version 1 of a scene over what was synced `before`, and `then` another.
fn each_request(before: Option<u32>, then: u32) {
    for preserve in [false, true] {
        each_request_of(before, then, preserve);
    }
}

fn each_request_of(before: Option<u32>, then: u32, preserve: bool) {
    let mut plugin = Installed::with(
        CUTS.len() * MOST,
        json!({
            "sync_poster": true, "sync_background": true, "sync_collection": true, "sync_rating": true,
            "preserve_plex_edits": preserve, "failure_threshold": 100, "idle_timeout": 30,
            // What comes late is looked for after twice this time: not here.
            "read_timeout": 120,
        }),
    );
    let mapping = &mut plugin.world.mapping;
    mapping.foreign_tags = true;
    mapping.collection = true;
    mapping.rating = true;
    mapping.poster = true;
    mapping.background = true;
    // As Plex is reported to be, one way or the other.
    plugin.world.plex.set(|plex| {
        plex.one_removal_per_edit = preserve;
        plex.tag_mode = if preserve {
            TagMode::Replace
        } else {
            TagMode::Add
        };
    });
    let mut scenes = 0..;
    for cut in CUTS {
        let mut steps = 0;
        for (step, n) in (0..MOST).zip(&mut scenes) {
            let story = Story {
                plugin: &plugin,
                scene: plugin.world.scenes[n],
                item: plugin.world.items[n],
                cut,
                step,
            };
            if !story.run(before, then) {
                break;
            }
            steps += 1;
        }
        assert!((5..MOST).contains(&steps), "{cut:?}: {steps} requests");
    }
}

struct Story<'a> {
    plugin: &'a Installed,
    scene: u64,
    item: u64,
    cut: Cut,
    step: usize,
}

impl Story<'_> {
    /// Whether the sync had so many requests.
    fn run(&self, before: Option<u32>, then: u32) -> bool {
        let plex = &self.plugin.world.plex;
        if let Some(before) = before {
            self.edit(before);
            self.plugin.save(self.scene);
            self.settle();
            self.check();
        }
        plex.add_tag(self.item, TagKind::Genre, PERSONS);
        self.edit(1);
        let before = plex.request_count();
        let rule = Rule::new(self.cut.fault()).after(self.step as u32).times(1);
        plex.fail_when(rule);
        self.plugin.save(self.scene);
        let settled = || self.is_settled();
        let struck = || plex.request_count() > before + self.step;
        self.plugin
            .until("struck or settled", || struck() || settled());
        let struck = struck();
        self.edit(then);
        if let Cut::Killed = self.cut {
            self.plugin.kill_worker();
            self.plugin.until_no_worker();
        }
        plex.clear_faults();
        self.plugin.save(self.scene);
        self.settle();
        self.check();
        let item = plex.item(self.item).unwrap();
        assert!(item.tag_names(TagKind::Genre).contains(&PERSONS));
        struck
    }

    /// Every field anew, each time.
    fn edit(&self, version: u32) {
        let stash = &self.plugin.world.stash;
        let text = |what: &str| format!("{what} {version}");
        let own = text("Tag");
        // Stash names a cover by the second of its last change.
        stash.set(|stash| stash.now = Some(stash.now.unwrap_or(1_800_000_000) + 1));
        stash
            .edit(self.scene)
            .title(&text("Title"))
            .details(&text("Details"))
            .date(&format!("2020-01-0{}", version + 1))
            .studio(&text("Studio"))
            .performers(&["Always", &text("Performer")])
            .tags(&["Always", &own])
            .rating(20 * (version + 1))
            .cover(version);
    }

    fn settle(&self) {
        self.plugin.until("settled", || self.is_settled());
    }

    fn is_settled(&self) -> bool {
        let queue = self.plugin.queue();
        let before = queue.counts().unwrap();
        let soon = SystemTime::now() + Duration::from_secs(60);
        let due = queue.next_due().unwrap().is_some_and(|at| at < soon);
        !due && before.live() == before.waiting && queue.counts().unwrap() == before
    }

    fn check(&self) {
        let differences = self.plugin.world.comparison().differences;
        let mut ours = differences.iter().filter(|d| d.scene == self.scene);
        let item = self.plugin.world.plex.item(self.item).unwrap();
        let mut left = Vec::new();
        for (kind, what) in [
            (TagKind::Actor, "Performer"),
            (TagKind::Genre, "Tag"),
            (TagKind::Collection, "Studio"),
        ] {
            let names = item.tag_names(kind);
            let ours = names.into_iter().filter(|name| name.starts_with(what));
            // One is wanted; of the versions before nothing may be left.
            left.extend(ours.skip(1).map(str::to_owned));
        }
        let (cut, step) = (self.cut, self.step);
        let log = || self.plugin.worker_log();
        assert_eq!(ours.next(), None, "{cut:?} at {step}\n{}", log());
        assert_eq!(left, [""; 0], "{cut:?} at {step}\n{}", log());
    }
}
