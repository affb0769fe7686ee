//! Edits that were cut off, and edits that come late.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::any::{folded, item, plex, policy, scene, visible};
use proptest::prelude::*;
use scene_sync::{EditPlan, Item, LastWritten, Rating, TagKind, Wanted, plan};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// An edit that was cut off anywhere, its intent on record: what comes after ends as if it had
    /// been carried out.
    #[test]
    fn an_edit_cut_off_anywhere_is_known_for_ours(
        zeroth in scene(), first in scene(), second in scene(), item in item(), policy in policy(), plex in plex(),
        arrived in proptest::collection::vec(any::<bool>(), 16), before in any::<bool>(), twice in any::<bool>(),
        meanwhile in proptest::option::of(policy()),
    ) {
        let (mut item, mut last) = (item, None);
        if before {
            let edit = plan(&zeroth, &item, None, &policy);
            plex.apply(&edit, &mut item);
            last = edit.written;
        }
        let edit = plan(&first, &item, last.as_ref(), &policy);
        let mut whole = item.clone();
        plex.apply(&edit, &mut whole);
        // The settings may change for one sync, and change back.
        let for_a_while = |item: &mut Item, last: Option<LastWritten>| match &meanwhile {
            None => last,
            Some(policy) => {
                let edit = plan(&first, item, last.as_ref(), policy);
                plex.apply(&edit, item);
                edit.written.or(last)
            }
        };
        let recorded = for_a_while(&mut whole, edit.written.or(last.clone()));
        let whole_edit = plan(&second, &whole, recorded.as_ref(), &policy);
        plex.apply(&whole_edit, &mut whole);

        let mut cut = item.clone();
        for _ in 0..=usize::from(twice) {
            let mut edit = plan(&first, &cut, last.as_ref(), &policy);
            last = edit.intent(&cut, last.as_ref(), 0).or(edit.written.take()).or(last);
            let mut arrived = arrived.iter();
            let mut next = || *arrived.next().unwrap();
            edit.fields.retain(|_| next());
            edit.tags.retain(|_| next());
            edit.rating = edit.rating.filter(|_| next());
            plex.apply(&edit, &mut cut);
        }
        last = for_a_while(&mut cut, last);
        let edit = plan(&second, &cut, last.as_ref(), &policy);
        plex.apply(&edit, &mut cut);

        let wanted = Wanted::of(&second, &policy);
        for (field, wanted) in &wanted.fields {
            // What never arrived was never ours: without a wish for the field, it stays the item's
            // own.
            let own = wanted.is_empty() && cut.field(*field) == item.field(*field);
            if !own {
                prop_assert_eq!(visible(cut.field(*field)), visible(whole.field(*field)), "{}", field);
            }
        }
        for kind in TagKind::ALL {
            let set = |item: &Item| item.tags(kind).iter().map(|tag| folded(&tag.name)).collect::<BTreeSet<_>>();
            prop_assert_eq!(set(&cut), set(&whole), "{}", kind);
        }
        if wanted.rating != Some(None) {
            prop_assert_eq!(cut.rating.map(Rating::from_plex), whole.rating.map(Rating::from_plex));
        }
    }

    /// An edit nobody waits for any more that Plex carries out before, between or after those that
    /// follow: the look after them ends as if it had never been sent.
    #[test]
    fn an_edit_that_comes_late_is_known_for_ours(
        zeroth in scene(), first in scene(), second in scene(), third in scene(), item in item(), policy in policy(),
        plex in plex(), first_comes in 0..4, second_comes in 1..4, before in any::<bool>(),
    ) {
        let (mut item, mut last) = (item, None);
        if before {
            let edit = plan(&zeroth, &item, None, &policy);
            plex.apply(&edit, &mut item);
            last = edit.written;
        }
        let mut never = item.clone();
        plex.apply(&plan(&third, &never, last.as_ref(), &policy), &mut never);

        let late_first = plan(&first, &item, last.as_ref(), &policy);
        last = late_first.intent(&item, last.as_ref(), 0).or(last);
        let comes = |when, what: &EditPlan, item: &mut Item| if when { plex.apply(what, item) };
        let mut shown = item.clone();
        comes(first_comes == 0, &late_first, &mut shown);
        let late_second = plan(&second, &shown, last.as_ref(), &policy);
        last = late_second.intent(&shown, last.as_ref(), 1).or(last);
        for step in 1..4 {
            // The last look is the one that comes when nothing comes any more.
            comes(first_comes == step, &late_first, &mut shown);
            comes(second_comes == step, &late_second, &mut shown);
            let edit = plan(&third, &shown, last.as_ref(), &policy);
            plex.apply(&edit, &mut shown);
            last = edit.written.or(last);
        }

        let wanted = Wanted::of(&third, &policy);
        for (field, wanted) in wanted.fields.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            // Once a version without it let go of what the item had of its own, that is a person's.
            let [shown, kept, own] = [&shown, &never, &item].map(|item| visible(item.field(*field)));
            prop_assert!(shown == visible(wanted) || shown == kept || shown == own, "{field}: {shown:?}");
        }
        for kind in wanted.tags.keys() {
            let set = |item: &Item| item.tags(*kind).iter().map(|tag| folded(&tag.name)).collect::<BTreeSet<_>>();
            let (shown, never) = (set(&shown), set(&never));
            prop_assert!(shown.is_subset(&never), "{kind}: of what came late {shown:?} is left, not {never:?}");
            // What the item had and a version of the scene too went with that version.
            let wishes = [&first, &second].map(|scene| Wanted::of(scene, &policy).tags.remove(kind));
            let wishes: BTreeSet<_> = wishes.iter().flatten().flatten().map(|name| folded(name)).collect();
            prop_assert!((&never - &shown).is_subset(&wishes), "{kind}: {shown:?} lacks some of {never:?}");
        }
        if let Some(Some(rating)) = wanted.rating {
            let [shown, kept, own] = [&shown, &never, &item].map(|item| item.rating.map(Rating::from_plex));
            prop_assert!(shown == Some(rating) || shown == kept || shown == own, "{shown:?}");
        }
    }
}
