//! A Plex that honours only the first removal of an edit: the repair takes off what stayed, and
//! nothing of somebody else's.

use simulators::TagMode;

use crate::TableWorld;
use crate::field::{Field, Shown, Version};
use crate::table::all_on;

const LISTS: [Field; 3] = [Field::Actors, Field::Genres, Field::Collections];

#[test]
fn several_lists_are_emptied_where_one_removal_counts_and_tags_are_added() {
    lists_are_emptied(TagMode::Add);
}

#[test]
fn several_lists_are_emptied_where_one_removal_counts_and_tags_are_replaced() {
    lists_are_emptied(TagMode::Replace);
}

fn lists_are_emptied(tag_mode: TagMode) {
    let table = TableWorld::new(tag_mode);
    let world = &table.plugin.world;
    world
        .plex
        .set(|options| options.one_removal_per_edit = true);
    table.plugin.set(all_on());
    let (plain, plain_item) = table.scene(false);
    let (edited, edited_item) = table.scene(false);
    let both = || [plain, edited].into_iter();
    table.drain(both(), false);

    table.later();
    for list in LISTS {
        list.edit_in_plex(&world.plex, edited_item);
    }
    let of_others: Vec<Shown> = LISTS
        .iter()
        .map(|list| {
            let theirs =
                &list.shown(&table.item(edited_item)) - &list.in_stash(&world.stash, edited);
            assert_eq!(theirs.len(), 1);
            theirs
        })
        .collect();
    table.later();
    for scene in both() {
        for list in LISTS {
            list.give(&world.stash, scene, Version::None);
        }
    }
    table.drain(both(), false);
    for (list, theirs) in LISTS.iter().zip(of_others) {
        assert_eq!(
            list.shown(&table.item(plain_item)),
            Shown::new(),
            "{list:?}"
        );
        assert_eq!(list.shown(&table.item(edited_item)), theirs, "{list:?}");
    }

    world.plex.take_requests();
    table.drain(both(), true);
    assert_eq!(table.writes(&[]), "");
}
