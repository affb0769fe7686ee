//! Plex carries an edit out, and nobody hears of it: the next look must know its own doing from a person's.
#![allow(clippy::unwrap_used)]

mod common;

use common::Installed;
use serde_json::{Value, json};
use simulators::{Fault, Rule, TagKind};

/// How the edit is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// The connection breaks.
    Answer,
    /// The worker dies.
    Worker,
}

/// Each of them, with and without `preserve_plex_edits`.
fn each_way(settings: &Value, story: impl Fn(&Installed, Cut)) {
    for cut in [Cut::Answer, Cut::Worker] {
        for preserve in [false, true] {
            eprintln!("{cut:?}, preserve_plex_edits: {preserve}");
            let mut settings = settings.clone();
            settings["preserve_plex_edits"] = json!(preserve);
            story(&Installed::with(1, settings), cut);
        }
    }
}

impl Cut {
    /// From now on.
    fn begin(plugin: &Installed, method: &str) {
        let rule = Rule::new(Fault::AnswerLost).method(method);
        plugin.world.plex.fail_when(rule);
    }

    fn end(self, plugin: &Installed) {
        if self == Self::Worker {
            plugin.kill_worker();
            plugin.until_no_worker();
        }
        plugin.world.plex.clear_faults();
    }
}

fn synced(plugin: &Installed) {
    plugin.save(plugin.world.scenes[0]);
    plugin.until_equal();
    plugin.until("settled", || plugin.queue().counts().unwrap().live() == 0);
}

#[test]
fn what_was_half_written_gives_way_to_the_next_save() {
    each_way(&json!({}), |plugin, cut| {
        let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
        let shown = || plugin.world.plex.item(item).unwrap();
        let edit = || plugin.world.stash.edit(scene);
        edit().title("Zeroth").tags(&["Kept", "Zeroth"]);
        synced(plugin);
        plugin
            .world
            .plex
            .add_tag(item, TagKind::Genre, "A person's");

        Cut::begin(plugin, "PUT");
        edit().title("First").tags(&["Kept", "First"]);
        plugin.save(scene);
        plugin.until("carried out", || shown().title() == "First");
        edit().title("Second").tags(&["Kept", "Second"]);
        cut.end(plugin);
        plugin.save(scene);
        plugin.until("there", || shown().title() == "Second");
        plugin.until("settled", || plugin.queue().counts().unwrap().live() == 0);
        let item = shown();
        let mut tags = item.tag_names(TagKind::Genre);
        tags.sort_unstable();
        assert_eq!(tags, ["A person's", "Kept", "Second"]);
    });
}

#[test]
fn a_scene_put_back_as_it_was_is_not_taken_for_unchanged() {
    each_way(&json!({}), |plugin, cut| {
        let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
        let edit = || plugin.world.stash.edit(scene);
        edit().title("As it was");
        synced(plugin);

        Cut::begin(plugin, "PUT");
        edit().title("On second thoughts");
        plugin.save(scene);
        let title = || plugin.world.plex.item(item).unwrap().title().to_owned();
        plugin.until("carried out", || title() == "On second thoughts");
        edit().title("As it was");
        cut.end(plugin);
        plugin.save(scene);
        plugin.until_equal();
    });
}

#[test]
fn a_half_given_poster_gives_way_to_the_next_cover() {
    each_way(&json!({"sync_poster": true}), |plugin, cut| {
        let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
        // Stash names a cover by the second of its last change.
        let at = |now: i64| plugin.world.stash.set(|stash| stash.now = Some(now));
        at(1_800_000_000);
        plugin.world.stash.edit(scene).cover(1);
        Cut::begin(plugin, "POST");
        plugin.save(scene);
        let poster = || {
            let item = plugin.world.plex.item(item).unwrap();
            item.posters.selected_sha1().map(str::to_owned)
        };
        plugin.until("given", || poster().is_some());
        at(1_800_000_001);
        plugin.world.stash.edit(scene).cover(2);
        let cover = plugin.world.stash.scene(scene).unwrap().cover.unwrap();
        cut.end(plugin);
        plugin.save(scene);
        plugin.until("shown", || poster() == Some(plex::image_sha1(&cover)));
    });
}
