//! Row 15: scenes are deleted in Stash while Sync All reads its pages.

use simulators::Requests;

use super::*;

/// Scenes of a page of Sync All, and some.
const SCENES: usize = 1010;

#[test]
fn scenes_deleted_between_two_pages_hide_no_other() {
    let plugin = installed(0, PlexOptions::default(), json!({}));
    let (stash, plex) = (&plugin.world.stash, &plugin.world.plex);
    // Nothing is to be written of most of them.
    let scenes: Vec<_> = (0..SCENES)
        .map(|n| stash.add_scene(&format!("/data/{n}.mp4")))
        .collect();
    let last: Vec<_> = scenes[SCENES - 10..].to_vec();
    let mut items = Vec::new();
    for scene in &last {
        let path = stash.scene(*scene).unwrap().files[0].path.clone();
        stash.edit(*scene).title(&path);
        items.push(plex.add_file(plugin.world.section, &plugin.world.mapping.to_plex(&path)));
    }
    let gone: Vec<_> = scenes[..5].to_vec();
    let pages = Requests::all().containing("ListScenes");
    stash.after(pages.times(1), move |stash| {
        for scene in &gone {
            stash.destroy_scene(*scene);
        }
    });
    work(&plugin, "all");
    let asked = stash.requests();
    let pages = asked.iter().filter(|one| one.contains("ListScenes"));
    assert_eq!(pages.count(), 2);
    for item in items {
        assert!(
            title(&plugin, item).starts_with("/data/"),
            "{}",
            plugin.worker_log()
        );
    }
    let told = format!("Sync All Scenes: read from Stash, {SCENES} scenes queued");
    assert_eq!(lines(&plugin, &told).len(), 1, "{}", plugin.worker_log());
    let dropped = "deleted in Stash; what was on record of it is dropped";
    let scene = |line: &String| line.split("scene ").nth(1).map(str::to_owned);
    let dropped: BTreeSet<_> = lines(&plugin, dropped).iter().map(scene).collect();
    assert_eq!(dropped.len(), 5);
    assert_eq!(dead(&plugin), []);
}
