//! A Stash and a Plex with the same files in them.

use std::io;

use serde_json::{Value, json};

use crate::compare::Mapping;
use crate::plex::{PlexOptions, PlexServer, SectionKind};
use crate::random::Random;
use crate::stash::{EntityKind, StashOptions, StashServer};

/// A Stash with scenes full of metadata, and a Plex that has scanned the same files and knows
/// nothing but their names.
///
/// ```
/// let world = simulators::World::new(3, 42)?;
/// assert_eq!(world.comparison().scenes, 3);
/// assert_eq!(world.comparison().equal(), 0); // nothing synced yet
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct World {
    /// The Stash.
    pub stash: StashServer,
    /// The Plex.
    pub plex: PlexServer,
    /// Where Plex sees Stash's files.
    pub mapping: Mapping,
    /// The scenes in the order they were made.
    pub scenes: Vec<u64>,
    /// The `ratingKey` of each scene's item, in the same order.
    pub items: Vec<u64>,
    /// Plex's library.
    pub section: u32,
}

/// The title of the library.
const SECTION: &str = "Scenes";

const STUDIOS: [&str; 8] = [
    "Northlight Pictures",
    "Česká Dílna",
    "东方映画",
    "Société Générale d’Images",
    "Студия Восток",
    "R&D \"Lab\" <7>",
    "Ñandú Films",
    "استوديو النور",
];

const FIRST: [&str; 12] = [
    "Zoë",
    "Søren",
    "花子",
    "Ольга",
    "José",
    "Nguyễn",
    "Łucja",
    "Ada",
    "محمد",
    "O'Neill",
    "Élodie",
    "Jürgen",
];

const LAST: [&str; 10] = [
    "Kravčenko",
    "Ærø",
    "山田",
    "Петрова",
    "Muñoz",
    "Thị Mai",
    "Żółć",
    "Lovelace, Jr.",
    "علي",
    "van der Berg",
];

const TAGS: [&str; 16] = [
    "Outdoor",
    "Köln",
    "4K",
    "日本",
    "Black & White",
    "Interview, long",
    "Été",
    "Документальный",
    "🎬 Behind the scenes",
    "100%",
    "Slow+Motion",
    "Über-Tag",
    "Night",
    "a/b",
    "ΑΒΓ",
    "Śnieg",
];

const WORDS: [&str; 14] = [
    "Morning", "río", "Straße", "雨", "Горы", "Lumière", "quiet", "Île", "Garden", "señal", "نور",
    "Winter", "φως", "Łódź",
];

impl World {
    /// `scenes` scenes; the same seed makes the same world.
    pub fn new(scenes: usize, seed: u64) -> io::Result<Self> {
        Self::with(
            scenes,
            seed,
            StashOptions::default(),
            PlexOptions::default(),
        )
    }

    /// The same with servers set up otherwise.
    pub fn with(
        scenes: usize,
        seed: u64,
        stash: StashOptions,
        plex: PlexOptions,
    ) -> io::Result<Self> {
        let stash = StashServer::start_with(stash)?;
        let plex = PlexServer::start_with(plex)?;
        let section = plex.add_section(SECTION, SectionKind::Movie, &["/media/scenes"]);
        let mut world = Self {
            stash,
            plex,
            mapping: Mapping::path("/data", "/media/scenes"),
            scenes: Vec::new(),
            items: Vec::new(),
            section,
        };
        let mut random = Random::new(seed);
        for number in 1..=scenes {
            world.add(number, &mut random);
        }
        Ok(world)
    }

    fn add(&mut self, number: usize, random: &mut Random) {
        let pick =
            |random: &mut Random, names: &[&str]| random.pick(names).unwrap_or_default().to_owned();
        let studio = pick(random, &STUDIOS);
        let title = format!("{} {} {number}", pick(random, &WORDS), pick(random, &WORDS));
        // Every tenth file has the same base name as others, in a folder of its own.
        let file = if number.is_multiple_of(10) {
            format!("{number}/scene.mp4")
        } else {
            format!("{}.1080p.mp4", title.replace(' ', "."))
        };
        let folder = studio.replace(['"', '<', '>'], "");
        let path = format!("/data/{folder}/{file}");
        let performers: Vec<u64> = (0..1 + random.below(4))
            .map(|_| format!("{} {}", pick(random, &FIRST), pick(random, &LAST)))
            .map(|name| self.stash.named(EntityKind::Performer, &name))
            .collect();
        let tags: Vec<u64> = (0..2 + random.below(5))
            .map(|_| self.stash.named(EntityKind::Tag, &pick(random, &TAGS)))
            .collect();
        let studio = self.stash.named(EntityKind::Studio, &studio);
        let date = format!(
            "{}-{:02}-{:02}",
            1999 + random.below(26),
            1 + random.below(12),
            1 + random.below(28)
        );
        let details = (0..8 + random.below(30))
            .map(|_| pick(random, &WORDS))
            .collect::<Vec<_>>()
            .join(" ");
        let rating = random.below(101) as u32;

        let id = self.stash.add_scene(&path);
        self.stash.edit(id).with(|scene| {
            scene.title = title;
            scene.details = details;
            scene.date = date;
            scene.studio = Some(studio);
            scene.performers = once_each(performers);
            scene.tags = once_each(tags);
            scene.rating100 = (rating > 0).then_some(rating);
        });
        self.scenes.push(id);
        self.items.push(
            self.plex
                .add_file(self.section, &self.mapping.to_plex(&path)),
        );
    }

    /// Fills Plex up with items that no scene knows, until the library has `items`.
    pub fn fill_plex(&self, items: usize) {
        let others: Vec<String> = (self.items.len()..items)
            .map(|number| {
                format!(
                    "/media/scenes/other/{}/{} other {number}.mp4",
                    number / 100,
                    WORDS[number % WORDS.len()]
                )
            })
            .collect();
        self.plex
            .add_files(self.section, others.iter().map(String::as_str));
    }

    /// Address, token and library as the plugin's settings have them.
    pub fn settings(&self) -> Value {
        json!({"plex_url": self.plex.url(), "plex_token": self.plex.token(), "plex_library": SECTION})
    }

    /// How equal both are.
    pub fn comparison(&self) -> crate::Comparison {
        crate::compare(&self.stash, &self.plex, &self.mapping)
    }
}

fn once_each(mut ids: Vec<u64>) -> Vec<u64> {
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}
