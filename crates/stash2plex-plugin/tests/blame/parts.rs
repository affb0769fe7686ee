//! A picture or a rating that Plex, or a proxy, does not take: the rest is synced, and the part is
//! owed.

use simulators::{Fault, Response, Rule};

use super::*;

/// More scenes than failures open the circuit.
const SCENES: usize = 6;

struct Part {
    settings: Value,
    name: &'static str,
    /// The requests that bring it.
    method: &'static str,
    path: &'static str,
    /// How many of them one attempt at one scene takes.
    requests: usize,
    change: fn(&Installed, u64),
}

const POSTER: fn() -> Part = || Part {
    settings: json!({"sync_poster": true}),
    name: "poster",
    method: "POST",
    path: "/library/metadata/",
    requests: 1,
    change: |plugin, scene| {
        plugin.world.stash.edit(scene).cover(9);
    },
};

const PICTURES: fn() -> Part = || Part {
    settings: json!({"sync_poster": true, "sync_background": true}),
    name: "background",
    requests: 2,
    ..POSTER()
};

const RATING: fn() -> Part = || Part {
    settings: json!({"sync_rating": true}),
    name: "rating",
    method: "PUT",
    path: "/:/rate",
    requests: 1,
    change: |plugin, scene| {
        plugin.world.stash.edit(scene).rating(20);
    },
};

#[test]
fn a_picture_over_a_proxys_limit() {
    let page = "<html>\n<head><title>413 Request Entity Too Large</title></head>\n</html>";
    let answer = Response::new(413, "text/html", page);
    play(PICTURES(), Fault::Answer(answer), "413");
}

#[test]
fn a_picture_that_plex_refuses() {
    play(POSTER(), Fault::Status(400), "400");
}

#[test]
fn a_picture_at_which_plex_fails() {
    play(POSTER(), Fault::Status(500), "500");
}

#[test]
fn a_picture_that_a_filter_forbids() {
    let answer = Response::new(403, "text/html", "<html>\nno\n</html>");
    play(POSTER(), Fault::Answer(answer), "403");
}

/// No answer is no refusal, and may be a server's end: Plex answers another question meanwhile.
#[test]
fn a_picture_whose_upload_comes_to_nothing() {
    play(PICTURES(), Fault::Close, "closed");
}

#[test]
fn a_rating_at_which_plex_is_in_maintenance() {
    play(
        RATING(),
        Fault::Maintenance("no".to_owned()),
        "Plex is not ready",
    );
}

#[test]
fn a_rating_that_plex_refuses() {
    play(RATING(), Fault::Status(400), "400");
}

#[test]
fn a_rating_of_which_plex_knows_nothing() {
    play(RATING(), Fault::Status(404), "404");
}

#[test]
fn a_rating_at_which_plex_fails() {
    play(RATING(), Fault::Status(500), "500");
}

#[test]
fn a_rating_that_is_not_allowed() {
    play(RATING(), Fault::Status(403), "403");
}

fn play(part: Part, fault: Fault, status: &str) {
    // What comes to nothing is sent twice.
    let comes_to_nothing = matches!(fault, Fault::Close | Fault::Maintenance(_));
    let tries = SCENES * if comes_to_nothing { 2 } else { 1 };
    let mut plugin = installed(SCENES, part.settings.clone());
    let mapping = &mut plugin.world.mapping;
    (mapping.poster, mapping.background, mapping.rating) = (false, false, false);
    let plugin = plugin;
    for scene in plugin.world.scenes.clone() {
        (part.change)(&plugin, scene);
        let edit = plugin.world.stash.edit(scene);
        edit.title("Version 1").rating(40).cover(1);
    }
    let brings = || {
        let requests = plugin.world.plex.take_requests();
        let brings = |one: &&simulators::Recorded| {
            one.method == part.method && one.path.starts_with(part.path)
        };
        requests.iter().filter(brings).count()
    };
    let rule = Rule::new(fault).method(part.method).path(part.path);
    plugin.world.plex.fail_when(rule);

    // The rest arrives and counts as synced; it is said once of each scene, and in the status.
    save_all(&plugin);
    worked_off(&plugin);
    let equal = || plugin.world.comparison();
    assert!(equal().is_equal(), "{}", equal());
    stayed_closed(&plugin);
    assert_eq!(failed(&plugin).len(), 0);
    assert_eq!(brings(), tries * part.requests, "one attempt");
    let words = format!("synced without its {}: ", part.name);
    assert_eq!(said(&plugin, &words), SCENES);
    says(&plugin.worker_log(), status);
    let (text, output) = told(&plugin, "queue_status");
    let left_out = output["left_out"].as_array().unwrap();
    let of_part = |one: &&Value| one["reason"].as_str().unwrap().contains(part.name);
    let reason = left_out.iter().find(of_part).unwrap();
    assert_eq!(reason["scenes"], SCENES);
    says(&text, reason["reason"].as_str().unwrap());

    // Not at each save.
    for scene in plugin.world.scenes.clone() {
        plugin.world.stash.edit(scene).title("Version 2");
    }
    save_all(&plugin);
    worked_off(&plugin);
    assert_eq!(brings(), 0, "{}", plugin.worker_log());
    work(&plugin, "reconcile_all");
    assert!(equal().is_equal(), "{}", equal());
    assert_eq!(brings(), 0, "{}", plugin.worker_log());
    assert_eq!(said(&plugin, &words), SCENES);

    // A trouble that passes may have passed after an hour: nobody has to do anything.
    let passes = comes_to_nothing || status.starts_with('5');
    let again = if passes { tries * part.requests } else { 0 };
    an_hour_later(&plugin);
    save_all(&plugin);
    worked_off(&plugin);
    assert_eq!(brings(), again, "{}", plugin.worker_log());
    work(&plugin, "reconcile_all");
    assert_eq!(brings(), 0, "an hour begins anew");
    an_hour_later(&plugin);
    work(&plugin, "reconcile_all");
    assert_eq!(brings(), again, "{}", plugin.worker_log());
    let said_before = said(&plugin, &words);

    // When it is another one.
    let scene = plugin.world.scenes[0];
    (part.change)(&plugin, scene);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(brings(), tries / SCENES * part.requests);
    assert_eq!(said(&plugin, &words), said_before + 1);

    // And when the answer may be another one, as the line says.
    let log = plugin.worker_log();
    let line = log.lines().find(|line| line.contains(&words)).unwrap();
    says(line, "Sync All Scenes");
    plugin.world.plex.clear_faults();
    work(&plugin, "all");
    assert_eq!(brings(), SCENES * part.requests);
    let (_, output) = told(&plugin, "queue_status");
    assert_eq!(output["left_out"], json!([]));
    for item in &plugin.world.items {
        let item = plugin.world.plex.item(*item).unwrap();
        match part.name {
            "rating" => assert!(item.user_rating.is_some()),
            _ => assert!(item.posters.selected_sha1().is_some()),
        }
    }
}

/// Something answers an upload with 200 and keeps nothing: that is seen, told, and sent again.
#[test]
fn a_picture_that_is_only_said_to_be_taken() {
    let plugin = installed(1, json!({"sync_poster": true}));
    let (plex, item) = (&plugin.world.plex, plugin.world.items[0]);
    plex.change(item, |item| item.posters = simulators::Images::default());
    let said_so = Fault::Answer(Response::new(200, "application/json", "{}"));
    plex.fail_when(Rule::new(said_so).method("POST").times(1));
    save_all(&plugin);
    worked_off(&plugin);
    assert_eq!(
        said(
            &plugin,
            "synced without its poster: Plex answered that it has the picture"
        ),
        1
    );
    says(
        &told(&plugin, "queue_status").0,
        "the poster, at which Plex failed",
    );
    work(&plugin, "all");
    let is_shown = || {
        let shown = plex.item(item).unwrap().posters;
        shown.selected_sha1().is_some()
    };
    assert!(is_shown());
    assert_eq!(told(&plugin, "queue_status").1["left_out"], json!([]));
    // Plex loses it later.
    plex.change(item, |item| item.posters = simulators::Images::default());
    work(&plugin, "reconcile_missing_metadata");
    assert!(is_shown(), "{}", plugin.worker_log());
}

/// A picture that a person chose stays, where that is wanted, though the item's address of it is
/// the one that was known.
#[test]
fn a_picture_that_a_person_chose_stays() {
    let plugin = installed(1, json!({"sync_poster": true, "preserve_plex_edits": true}));
    let (plex, item) = (&plugin.world.plex, plugin.world.items[0]);
    work(&plugin, "all");
    let chosen = "media://chosen/by/hand.jpg";
    let at = plex.item(item).unwrap().updated_at;
    plex.change(item, |item| {
        item.posters.entries.push(simulators::Image {
            rating_key: chosen.to_owned(),
            bytes: std::sync::Arc::default(),
        });
        item.posters.selected = Some(chosen.to_owned());
        item.updated_at = at;
    });
    for version in [2, 3] {
        plugin
            .world
            .stash
            .edit(plugin.world.scenes[0])
            .cover(version);
        save_all(&plugin);
        worked_off(&plugin);
        let shown = plex.item(item).unwrap().posters;
        assert_eq!(
            shown.selected.as_deref(),
            Some(chosen),
            "{}",
            plugin.worker_log()
        );
    }
}

/// What an item shows cannot be asked for: its texts are written, the picture is left as it is, and
/// nobody asks at each save.
#[test]
fn a_list_of_pictures_that_cannot_be_read() {
    let page = "<html>\nno\n</html>";
    let forbidden = Fault::Answer(Response::new(403, "text/html", page));
    for (fault, passes) in [
        (Fault::Status(500), true),
        (Fault::Close, true),
        (forbidden, false),
    ] {
        let plugin = installed(SCENES, json!({"sync_poster": true}));
        let plex = &plugin.world.plex;
        work(&plugin, "all");
        let shows = |item: &u64| plex.item(*item).unwrap().posters;
        let given: Vec<_> = plugin.world.items.iter().map(shows).collect();
        assert!(given.iter().all(|one| one.selected_sha1().is_some()));
        for item in &plugin.world.items {
            let list = format!("/library/metadata/{item}/posters");
            plex.fail_when(Rule::new(fault.clone()).method("GET").path(&list));
        }
        let version = |version: &str| {
            plex.take_requests();
            for item in &plugin.world.items {
                // The address of its picture is another one then.
                plex.change(*item, |item| item.updated_at += 60);
            }
            for scene in &plugin.world.scenes {
                plugin.world.stash.edit(*scene).title(version);
            }
            save_all(&plugin);
            worked_off(&plugin);
            let titles = plugin.world.items.iter();
            let mut titles = titles.map(|item| plex.item(*item).unwrap());
            assert!(
                titles.all(|item| item.title() == version),
                "{fault:?}: {}",
                plugin.worker_log()
            );
            let requests = plex.take_requests();
            requests
                .iter()
                .filter(|one| one.path.ends_with("/posters"))
                .count()
        };
        let left_out = || told(&plugin, "queue_status").1["left_out"].clone();
        assert_ne!(version("Version 1"), 0);
        stayed_closed(&plugin);
        assert_eq!(failed(&plugin).len(), 0);
        assert_eq!(said(&plugin, "synced without its poster: "), SCENES);
        assert_eq!(left_out()[0]["scenes"], SCENES);
        assert_eq!(version("Version 2"), 0, "{fault:?}");
        assert_eq!(left_out()[0]["scenes"], SCENES);
        an_hour_later(&plugin);
        assert_eq!(version("Version 3") > 0, passes, "{fault:?}");
        plex.clear_faults();
        work(&plugin, "all");
        assert_eq!(left_out(), json!([]));
        let now: Vec<_> = plugin.world.items.iter().map(shows).collect();
        let selected = |of: &[simulators::Images]| -> Vec<_> {
            of.iter()
                .map(|one| one.selected_sha1().map(str::to_owned))
                .collect()
        };
        assert_eq!(selected(&now), selected(&given));
    }
}

/// As if what is on record had been written an hour ago.
fn an_hour_later(plugin: &Installed) {
    let queue = plugin.queue_as(queue::Options::producer());
    let db = queue.sql();
    let mut rows = db.prepare("SELECT item, written FROM plex_item").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(String, String)> = rows.unwrap().map(Result::unwrap).collect();
    for (item, written) in rows {
        let mut written: Value = serde_json::from_str(&written).unwrap();
        let failed = written.get_mut("failed_at").and_then(Value::as_object_mut);
        for at in failed.into_iter().flatten() {
            *at.1 = json!(at.1.as_i64().unwrap() - 3_600_000);
        }
        let change = "UPDATE plex_item SET written = ?2 WHERE item = ?1";
        db.execute(change, [item, written.to_string()]).unwrap();
    }
}
