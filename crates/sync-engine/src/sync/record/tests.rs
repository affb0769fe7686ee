use proptest::prelude::*;

use super::*;

/// What one scene sends.
fn sent(tag: &str) -> LastWritten {
    LastWritten {
        content: tag.to_owned(),
        ..LastWritten::default()
    }
}

fn tables() -> (Connection, ServerId) {
    let db = Connection::open_in_memory().unwrap();
    ledger::create(&db).unwrap();
    let server = ledger::server(&db, "server").unwrap();
    (db, server)
}

fn row(owner: Option<u64>, written: LastWritten) -> ItemRow<LastWritten> {
    ItemRow {
        item: "7".into(),
        owner,
        path: "/media/a.mp4".into(),
        written,
    }
}

/// All that a record says may have been sent.
fn all_sent(written: &LastWritten) -> BTreeSet<String> {
    let mut all = BTreeSet::from([written.content.clone()]);
    for intent in &written.intents {
        all.extend(all_sent(&intent.written));
    }
    all
}

/// The heir looks; the scene before takes, sends and settles; then the heir settles what it planned
/// from its look.
#[test]
fn an_heir_that_planned_from_an_older_look_is_told_to_look_again() {
    let (db, server) = tables();
    ledger::put_item(&db, server, &row(Some(1), sent("one"))).unwrap();
    let heir = Kept {
        row: row(Some(2), sent("two")),
        before: None,
        at: 5,
    };
    assert_eq!(
        heir.put(&db, server).unwrap(),
        Some(1),
        "the owner looks again"
    );
    let there = ledger::item::<LastWritten>(&db, server, "7")
        .unwrap()
        .unwrap();
    assert_eq!(there.owner, Some(1));
    assert_eq!(
        all_sent(&there.written),
        ["one", "two"].map(str::to_owned).into()
    );
}

proptest! {
    /// Whatever jobs overlap on one item: what anybody sent is on record in the end, unless whoever
    /// replaced it knew of it.
    #[test]
    fn nothing_that_was_sent_is_forgotten(steps in prop::collection::vec((0..3usize, any::<bool>()), 1..20)) {
        let (db, server) = tables();
        let mut planned: [Option<Option<LastWritten>>; 3] = Default::default();
        for (n, (job, settles)) in steps.into_iter().enumerate() {
            let there = ledger::item::<LastWritten>(&db, server, "7").unwrap();
            if !settles {
                // A look, and a plan that accounts for all that is on record.
                planned[job] = Some(there.map(|there| there.written));
                continue;
            }
            let Some(before) = planned[job].take() else { continue };
            let known = before.as_ref().map(all_sent).unwrap_or_default();
            let tag = format!("{job}-{n}");
            let now = there.as_ref().map(|there| all_sent(&there.written)).unwrap_or_default();
            let kept = Kept { row: row(Some(job as u64), sent(&tag)), before, at: 1 };
            kept.put(&db, server).unwrap();
            // What the plan knew of, it has removed or kept.
            let mut all: BTreeSet<_> = now.difference(&known).cloned().collect();
            all.insert(tag);
            let there = ledger::item::<LastWritten>(&db, server, "7").unwrap().unwrap();
            let told = all_sent(&there.written);
            prop_assert!(all.is_subset(&told), "{all:?} {told:?}");
        }
    }
}
