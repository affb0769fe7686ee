//! Any scene, item and policy.

use proptest::prelude::*;
use scene_sync::{Field, Item, Performer, Policy, Scene, Tag};
use unicode_normalization::UnicodeNormalization;

use super::Plex;

pub fn plex() -> impl Strategy<Value = Plex> {
    proptest::sample::select(Plex::ALL.to_vec())
}

/// Names that are the same to a Plex of any collation; the spelling of one in another Unicode form
/// is the same, too.
pub fn folded(name: &str) -> String {
    let folded: String = name
        .nfd()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    folded.trim().to_owned()
}

/// Control characters show nowhere, so Plex's own are no difference.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != ' ')
        .collect()
}

pub fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]{1,3}",
        any::<String>(),
        "\\PC{0,40}",
        "[\u{0}-\u{20}]{0,5}x?",
    ]
}

prop_compose! {
    pub fn scene()(
        title in texts(), details in texts(), tagline in texts(), date in prop_oneof![
            Just(String::new()), "[0-9]{4}", "20[0-9]{2}-[01][0-9]-[0-3][0-9]", "20[0-9]{2}-[01][0-9]", any::<String>(),
        ],
        rating100 in any::<Option<u8>>(), studio in proptest::option::of(texts()),
        performers in proptest::collection::vec(texts(), 0..5), tags in proptest::collection::vec(texts(), 0..5),
    ) -> Scene {
        let performers = performers.iter().map(|name| Performer::from(name.as_str())).collect();
        Scene { title, details, tagline, date, rating100, studio, performers, tags, ..Scene::default() }
    }
}

prop_compose! {
    pub fn item()(
        title in texts(), summary in texts(), studio in texts(), date in texts(),
        rating in proptest::option::of(-1.0..11.0),
        genres in proptest::collection::vec(texts(), 0..5), actors in proptest::collection::vec(texts(), 0..5),
        locked in proptest::sample::subsequence(vec!["title", "summary", "studio", "genre"], 0..4),
    ) -> Item {
        let tags = |names: Vec<String>| names.iter().map(|name| Tag::from(name.as_str())).collect();
        Item {
            key: "7".into(), title, summary, studio, date, rating, genres: tags(genres), actors: tags(actors),
            locked: locked.into_iter().map(str::to_owned).collect(), ..Item::default()
        }
    }
}

prop_compose! {
    pub fn policy()(
        preserve_plex_edits in any::<bool>(), rating in any::<bool>(), tags in any::<bool>(), title in any::<bool>(),
        collection in any::<bool>(), max_tags in 0usize..4, content_rating in proptest::option::of(texts()),
    ) -> Policy {
        let fields = Field::ALL.into_iter().filter(|field| title || *field != Field::Title).collect();
        Policy { preserve_plex_edits, rating, tags, fields, collection, max_tags, content_rating, ..Policy::default() }
    }
}
