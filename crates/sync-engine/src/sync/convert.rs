//! Between the clients' types and those of the pure core.

use scene_sync::matching::Candidate;
use scene_sync::{Field, Item, PathMap, Performer, Policy, Scene, SceneFile, Tag, TagKind};

use crate::core::job::Related;
use crate::core::settings::Settings;

pub fn policy(settings: &Settings) -> Policy {
    let on = &settings.toggles;
    let master = on.master;
    let writes = |field: &Field| {
        master
            && match field {
                Field::Summary => on.summary,
                Field::Tagline => on.tagline,
                Field::Studio => on.studio,
                Field::Date => on.date,
                _ => true,
            }
    };
    Policy {
        preserve_plex_edits: settings.preserve_plex_edits,
        fields: Field::ALL.into_iter().filter(writes).collect(),
        performers: master && on.performers,
        tags: master && on.tags,
        collection: master && on.collection,
        rating: master && on.rating,
        content_rating: (master && on.content_rating).then(|| "XXX".to_owned()),
        poster: master && on.poster,
        background: master && on.background,
        max_tags: settings.max_tags,
        ..Policy::default()
    }
}

/// The user's path map. Faulty pairs were reported when the settings were read.
pub fn path_map(settings: &Settings) -> PathMap {
    PathMap::new(settings.path_map.clone()).unwrap_or_default()
}

pub fn scene(scene: &stash::client::Scene) -> Scene {
    Scene {
        title: scene.title.clone(),
        details: scene.details.clone(),
        // Stash has no tagline; its code (such as a release number) is the short line Plex has room
        // for.
        tagline: scene.code.clone(),
        date: scene.date.clone(),
        rating100: scene.rating100,
        studio: scene.studio.as_ref().map(|studio| studio.name.clone()),
        performers: scene.performers.iter().map(performer).collect(),
        tags: scene.tags.iter().map(|tag| tag.name.clone()).collect(),
        cover: scene.screenshot.clone(),
        files: scene.files.iter().map(file).collect(),
    }
}

fn performer(performer: &stash::client::Performer) -> Performer {
    Performer {
        name: performer.name.clone(),
        disambiguation: performer.disambiguation.clone(),
    }
}

fn file(file: &stash::client::SceneFile) -> SceneFile {
    SceneFile {
        path: file.path.clone(),
        size: file.size,
        // What was not analysed yet has none.
        duration: file.duration.filter(|seconds| *seconds > 0.0),
    }
}

/// What a change of which must bring the scene back.
pub fn related(scene: &stash::client::Scene) -> Vec<(Related, u64)> {
    let mut related = Vec::new();
    let mut add = |kind, id: &String| related.extend(id.parse().ok().map(|id| (kind, id)));
    for performer in &scene.performers {
        add(Related::Performer, &performer.id);
    }
    if let Some(studio) = &scene.studio {
        add(Related::Studio, &studio.id);
    }
    for tag in &scene.tags {
        add(Related::Tag, &tag.id);
    }
    for group in &scene.groups {
        add(Related::Group, &group.id);
    }
    related
}

/// Without pictures: which is selected stands in lists of their own.
pub fn item(item: &plex::Item) -> Item {
    let tags = |kind| item.tags(kind).iter().map(tag).collect();
    use plex::ImageKind::{Background, Poster};
    let fields = Field::ALL
        .into_iter()
        .filter(|one| item.is_locked(field(*one)));
    let lists = TagKind::ALL
        .into_iter()
        .filter(|one| item.is_locked(tag_kind(*one)));
    let images = [(Poster, "thumb"), (Background, "art")].into_iter();
    let images = images.filter_map(|(kind, name)| item.is_locked(kind).then_some(name));
    let lists = lists.map(TagKind::plex_name);
    let locked = fields.map(Field::plex_name).chain(lists).chain(images);
    Item {
        key: item.key.as_str().to_owned(),
        title: item.title.clone(),
        summary: item.summary.clone(),
        tagline: item.tagline.clone(),
        studio: item.studio.clone(),
        date: item.originally_available_at.clone(),
        content_rating: item.content_rating.clone(),
        rating: item.user_rating,
        genres: tags(plex::TagKind::Genre),
        actors: tags(plex::TagKind::Actor),
        collections: tags(plex::TagKind::Collection),
        locked: locked.map(str::to_owned).collect(),
        poster: None,
        background: None,
    }
}

fn tag(tag: &plex::Tag) -> Tag {
    let role = (!tag.role.is_empty()).then(|| tag.role.clone());
    Tag {
        name: tag.name.clone(),
        role,
    }
}

pub fn field(field: Field) -> plex::Field {
    match field {
        Field::Title => plex::Field::Title,
        Field::Summary => plex::Field::Summary,
        Field::Tagline => plex::Field::Tagline,
        Field::Studio => plex::Field::Studio,
        Field::Date => plex::Field::OriginallyAvailableAt,
        Field::ContentRating => plex::Field::ContentRating,
    }
}

pub fn tag_kind(kind: TagKind) -> plex::TagKind {
    match kind {
        TagKind::Genre => plex::TagKind::Genre,
        TagKind::Actor => plex::TagKind::Actor,
        TagKind::Collection => plex::TagKind::Collection,
    }
}

/// One candidate for each file of each item.
pub fn candidates<'a>(items: impl IntoIterator<Item = &'a plex::Item>) -> Vec<Candidate> {
    let parts = |item: &'a plex::Item| item.files().map(move |part| (item, part));
    let candidate = |(item, part): (&plex::Item, &plex::Part)| {
        let duration = part.duration.or(item.duration);
        let seconds = duration.map(|duration| duration.as_secs_f64());
        Candidate {
            item: item.key.as_str().to_owned(),
            path: part.file.clone(),
            size: part.size,
            duration: seconds.filter(|seconds| *seconds > 0.0),
            trashed: item.deleted_at.is_some(),
        }
    };
    items.into_iter().flat_map(parts).map(candidate).collect()
}
