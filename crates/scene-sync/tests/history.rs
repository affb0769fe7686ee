//! Whatever happens in whatever order: only what we sent goes, and all of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{Plex, field_mut, names};
use proptest::prelude::*;
use scene_sync::{EditPlan, Field, Item, LastWritten, Policy, Rating, Scene, Tag, TagKind, plan};

/// A scene that has nothing but its title.
fn dropped() -> Scene {
    Scene {
        title: "Dawn".into(),
        ..Scene::default()
    }
}

/// Words that only Stash has, that both have, and that only people in Plex write.
const WORDS: [&str; 6] = ["s1", "s2", "both1", "both2", "p1", "p2"];
const STASHS: std::ops::Range<usize> = 0..4;
const PEOPLES: std::ops::Range<usize> = 2..6;
const STASH_ONLY: std::ops::Range<usize> = 0..2;

#[derive(Debug, Clone)]
enum Step {
    /// Stash has these tags, this summary and this rating.
    Scene(Vec<usize>, Option<usize>, Option<usize>),
    /// A person toggles a tag.
    Tag(usize),
    /// A person writes a summary, or clears it.
    Text(Option<usize>),
    Rate(Option<usize>),
    /// A sync that is heard of.
    Sync,
    /// A sync of which Plex never carries out some parts, and the look after it.
    Refused([bool; 3]),
    /// A sync nobody hears of, of which these parts arrive at once and the others later or never.
    Lost([bool; 3]),
    /// What was lost arrives after all.
    Late,
    /// Tags are synced or not, and edits in Plex preserved or not.
    Settings(bool, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let word = |range| proptest::option::of(range);
    prop_oneof![
        3 => (proptest::collection::vec(STASHS, 0..3), word(STASHS), word(STASHS))
            .prop_map(|(tags, text, rating)| Step::Scene(tags, text, rating)),
        2 => PEOPLES.prop_map(Step::Tag),
        1 => word(PEOPLES).prop_map(Step::Text),
        1 => word(PEOPLES).prop_map(Step::Rate),
        3 => Just(Step::Sync),
        1 => any::<[bool; 3]>().prop_map(Step::Refused),
        1 => any::<[bool; 3]>().prop_map(Step::Lost),
        1 => Just(Step::Late),
        1 => any::<(bool, bool)>().prop_map(|(tags, preserve)| Step::Settings(tags, preserve)),
    ]
}

fn stars(word: usize) -> u8 {
    10 + 10 * u8::try_from(word).unwrap()
}

/// The parts of an edit that arrive, and the others.
fn apart(edit: &EditPlan, [fields, tags, rating]: [bool; 3]) -> (EditPlan, EditPlan) {
    let (mut now, mut later) = (edit.clone(), edit.clone());
    let both = [&mut now, &mut later];
    both[usize::from(fields)].fields.clear();
    both[usize::from(tags)].tags.clear();
    both[usize::from(rating)].rating = None;
    (now, later)
}

/// Stash, Plex, the ledger, and all that was ever sent.
struct World {
    scene: Scene,
    item: Item,
    last: Option<LastWritten>,
    lost: Vec<EditPlan>,
    sent_tags: BTreeSet<String>,
    sent_texts: BTreeSet<String>,
    sent_ratings: BTreeSet<Rating>,
    policy: Policy,
    plex: Plex,
}

impl World {
    fn new(policy: Policy, plex: Plex) -> Self {
        Self {
            scene: dropped(),
            item: Item::default(),
            last: None,
            lost: Vec::new(),
            sent_tags: BTreeSet::new(),
            sent_texts: BTreeSet::new(),
            sent_ratings: BTreeSet::new(),
            policy,
            plex,
        }
    }

    /// Plans a sync, holds it to what was ever sent, and records it.
    fn look(&mut self) -> Result<EditPlan, TestCaseError> {
        let edit = plan(&self.scene, &self.item, self.last.as_ref(), &self.policy);
        for tags in &edit.tags {
            for name in &tags.remove {
                prop_assert!(
                    self.sent_tags.contains(name),
                    "{name} was never sent: {edit}"
                );
            }
            self.sent_tags.extend(tags.add.iter().cloned());
        }
        for field in edit
            .fields
            .iter()
            .filter(|edit| edit.field == Field::Summary)
        {
            let ours = !field.to.is_empty() || self.sent_texts.contains(&field.from);
            prop_assert!(ours, "{edit}");
            self.sent_texts.insert(field.to.clone());
        }
        if let Some(rating) = &edit.rating {
            let ours = rating.to.is_some() || self.sent_ratings.contains(&rating.from.unwrap());
            prop_assert!(ours, "{edit}");
            self.sent_ratings.extend(rating.to);
        }
        let intent = edit.intent(&self.item, self.last.as_ref(), 0);
        self.last = intent.or(edit.written.clone()).or(self.last.take());
        Ok(edit)
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let word = |word: &Option<usize>| word.map(|word| WORDS[word].to_owned());
        match step {
            Step::Scene(tags, text, rating) => {
                self.scene = Scene {
                    tags: tags.iter().map(|tag| WORDS[*tag].to_owned()).collect(),
                    details: word(text).unwrap_or_default(),
                    rating100: rating.map(stars),
                    ..dropped()
                };
            }
            Step::Tag(tag) => {
                let had = self.item.genres.len();
                self.item.genres.retain(|shown| shown.name != WORDS[*tag]);
                if self.item.genres.len() == had {
                    self.item.genres.push(Tag::from(WORDS[*tag]));
                }
            }
            Step::Text(text) => {
                *field_mut(&mut self.item, Field::Summary) = word(text).unwrap_or_default();
                self.item.locked.insert("summary".into());
            }
            Step::Rate(rating) => {
                self.item.rating = rating.map(|word| Rating::from_stash(stars(word)).to_plex());
            }
            Step::Sync => {
                let edit = self.look()?;
                self.plex.apply(&edit, &mut self.item);
                prop_assert_eq!(edit.verify(&self.item), None);
                self.last = edit.written_after(&self.item).or(self.last.take());
            }
            Step::Refused(parts) => {
                let edit = self.look()?;
                let (now, _) = apart(&edit, *parts);
                self.plex.apply(&now, &mut self.item);
                self.last = edit.written_after(&self.item).or(self.last.take());
            }
            Step::Lost(parts) => {
                let edit = self.look()?;
                let (now, later) = apart(&edit, *parts);
                self.plex.apply(&now, &mut self.item);
                self.lost.push(later);
            }
            Step::Settings(tags, preserve_plex_edits) => {
                self.policy.tags = *tags;
                self.policy.preserve_plex_edits = *preserve_plex_edits;
            }
            Step::Late => {
                for edit in std::mem::take(&mut self.lost) {
                    self.plex.apply(&edit, &mut self.item);
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Scenes and people change things, answers are lost, edits come late: nothing is removed or
    /// cleared that we never sent. In the end Stash has nothing: what only we could have sent is
    /// gone, and a second sync sends nothing.
    #[test]
    fn only_what_we_sent_goes_and_all_of_it(
        steps in proptest::collection::vec(step(), 1..16), preserve_plex_edits in any::<bool>(),
        plex in proptest::sample::select(Plex::ALL.to_vec()),
    ) {
        let mut world = World::new(Policy { preserve_plex_edits, rating: true, ..Policy::default() }, plex);
        for step in &steps {
            world.step(step)?;
        }
        world.step(&Step::Late)?;
        world.step(&Step::Settings(true, preserve_plex_edits))?;
        world.step(&Step::Scene(vec![], None, None))?;
        world.step(&Step::Sync)?;
        let ours = &WORDS[STASH_ONLY];
        let shown = names(world.item.tags(TagKind::Genre));
        prop_assert!(!shown.iter().any(|name| ours.contains(name)), "{shown:?}");
        prop_assert!(!ours.contains(&world.item.summary.as_str()), "{}", world.item.summary);
        let ratings = STASH_ONLY.map(|word| Rating::from_stash(stars(word)).to_plex());
        prop_assert!(world.item.rating.is_none_or(|shown| !ratings.clone().any(|ours| ours == shown)));
        let before = world.item.clone();
        let again = world.look()?;
        prop_assert!(again.is_empty(), "{again}");
        prop_assert_eq!(before, world.item);
    }
}
