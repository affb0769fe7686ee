//! Each field's switch turns off that field and no other.

use serde_json::json;
use simulators::TagMode;

use crate::TableWorld;
use crate::field::Field;
use crate::table::all_on;

#[test]
fn a_switch_turns_off_its_own_field_and_no_other() {
    let table = TableWorld::new(TagMode::Add);
    for off in Field::ALL
        .into_iter()
        .filter(|field| *field != Field::Title)
    {
        let (scene, key) = table.scene(true);
        let before = table.item(key);
        let mut settings = all_on();
        settings[off.switch()] = json!(false);
        table.plugin.set(settings);
        table.drain([scene].into_iter(), false);
        let item = table.item(key);
        for field in Field::ALL {
            let expected = if field == off {
                field.shown(&before)
            } else {
                field.in_stash(&table.plugin.world.stash, scene)
            };
            assert_eq!(
                field.shown(&item),
                expected,
                "{field:?} without {}",
                off.switch()
            );
        }
    }
}
