//! Rows 17 and 18: two names that are one to a program that compares carelessly.

use simulators::{EntityKind, Trigger};

use super::*;

/// A performer of a name that others have too.
fn namesake(plugin: &Installed, id_name: &str, name: &str, apart: &str) -> u64 {
    let stash = &plugin.world.stash;
    let id = stash.named(EntityKind::Performer, id_name);
    stash.change_entity(EntityKind::Performer, id, |performer| {
        name.clone_into(&mut performer.name);
        apart.clone_into(&mut performer.disambiguation);
    });
    id
}

#[test]
fn two_performers_of_one_name_are_two_actors() {
    let plugin = installed(2, PlexOptions::default(), json!({}));
    let stash = &plugin.world.stash;
    let [both, one] = plugin.world.scenes[..] else {
        panic!()
    };
    let [both_item, one_item] = plugin.world.items[..] else {
        panic!()
    };
    let czech = namesake(&plugin, "1", "Jane Doe", "Czech");
    let us = namesake(&plugin, "2", "Jane Doe", "US");
    stash
        .edit(both)
        .with(|scene| scene.performers = vec![czech, us]);
    stash.edit(one).with(|scene| scene.performers = vec![czech]);
    work(&plugin, "all");
    let actors = |item| tags(&plugin, item, TagKind::Actor);
    assert_eq!(
        actors(both_item),
        set_of(&["Jane Doe (Czech)", "Jane Doe (US)"])
    );
    assert_eq!(
        actors(one_item),
        set_of(&["Jane Doe"]),
        "nobody else there has the name"
    );
    is_stable(&plugin);

    // The hook of a performer whose disambiguation changed counts, and only the scene that shows it
    // is written.
    let performer = EntityKind::Performer;
    stash.change_entity(performer, us, |entity| {
        "American".clone_into(&mut entity.disambiguation);
    });
    plugin.world.plex.take_requests();
    plugin.hook(&Trigger::EntityUpdate(
        performer,
        us,
        &["id", "disambiguation"],
    ));
    worked_off(&plugin);
    assert_eq!(
        actors(both_item),
        set_of(&["Jane Doe (Czech)", "Jane Doe (American)"])
    );
    stash.change_entity(performer, czech, |entity| {
        "Prague".clone_into(&mut entity.disambiguation);
    });
    plugin.world.plex.take_requests();
    plugin.hook(&Trigger::EntityUpdate(
        performer,
        czech,
        &["id", "disambiguation"],
    ));
    worked_off(&plugin);
    let requests = asked(&plugin);
    let to_one = format!("id={one_item}&");
    assert!(
        !requests
            .iter()
            .any(|request| request.query.contains(&to_one)),
        "{}",
        told(&requests)
    );
    assert_eq!(
        actors(both_item),
        set_of(&["Jane Doe (Prague)", "Jane Doe (American)"])
    );
    assert_eq!(actors(one_item), set_of(&["Jane Doe"]));

    // One of the two leaves: the other needs no word in brackets any more.
    stash.edit(both).with(|scene| scene.performers = vec![us]);
    plugin.save(both);
    worked_off(&plugin);
    assert_eq!(actors(both_item), set_of(&["Jane Doe"]));
    assert_eq!(dead(&plugin), []);
    is_stable(&plugin);
}

/// Plex takes two names for one where only the case of A to Z differs, and nowhere else.
#[test]
fn tags_are_folded_as_plex_folds_them() {
    let plugin = installed(1, PlexOptions::default(), json!({}));
    let (scene, item) = (plugin.world.scenes[0], plugin.world.items[0]);
    plugin.world.stash.edit(scene).tags(&[
        "strasse",
        "straße",
        "STRASSE",
        "Ärger",
        "ärger",
        "Ilk",
        "\u{131}lk",
        "Σας",
        "σασ",
    ]);
    plugin.save(scene);
    worked_off(&plugin);
    let wanted = [
        "strasse",
        "straße",
        "Ärger",
        "ärger",
        "Ilk",
        "\u{131}lk",
        "Σας",
        "σασ",
    ];
    assert_eq!(
        tags(&plugin, item, TagKind::Genre),
        set_of(&wanted),
        "{}",
        plugin.worker_log()
    );
    is_stable(&plugin);

    // Each goes by itself.
    plugin.world.stash.edit(scene).tags(&["straße", "ärger"]);
    plugin.save(scene);
    worked_off(&plugin);
    assert_eq!(
        tags(&plugin, item, TagKind::Genre),
        set_of(&["straße", "ärger"])
    );
    assert_eq!(dead(&plugin), []);
    is_stable(&plugin);
}
