//! Between the clients' types and those of the pure core.

use scene_sync::matching::Candidate;
use scene_sync::{Item, PathMap, Performer, Policy, Scene, SceneFile, Tag, TagKind};

use crate::core::job::Related;
use crate::core::settings::Settings;

pub fn policy(settings: &Settings) -> Policy {
    let on = &settings.toggles;
    let master = on.master;
    Policy {
        preserve_plex_edits: settings.preserve_plex_edits,
        title: master,
        summary: master && on.summary,
        tagline: master && on.tagline,
        studio: master && on.studio,
        date: master && on.date,
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
    let pairs = settings
        .path_map
        .iter()
        .map(|(stash, plex)| (stash.as_str(), plex.as_str()));
    PathMap::new(pairs).unwrap_or_default()
}

pub fn scene(scene: &stash::client::Scene) -> Scene {
    Scene {
        title: scene.title.clone(),
        details: scene.details.clone(),
        // Stash has no tagline; its code (such as a release number) is the short line Plex has room for.
        tagline: scene.code.clone(),
        date: scene.date.clone(),
        rating100: scene.rating100,
        studio: scene.studio.as_ref().map(|studio| studio.name.clone()),
        performers: scene
            .performers
            .iter()
            .map(|performer| Performer {
                name: performer.name.clone(),
                disambiguation: performer.disambiguation.clone(),
            })
            .collect(),
        tags: scene.tags.iter().map(|tag| tag.name.clone()).collect(),
        cover: scene.screenshot.clone(),
        files: scene.files.iter().map(file).collect(),
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
    let performers = scene
        .performers
        .iter()
        .map(|performer| (Related::Performer, &performer.id));
    let studios = scene
        .studio
        .iter()
        .map(|studio| (Related::Studio, &studio.id));
    let tags = scene.tags.iter().map(|tag| (Related::Tag, &tag.id));
    let groups = scene.groups.iter().map(|group| (Related::Group, &group.id));
    performers
        .chain(studios)
        .chain(tags)
        .chain(groups)
        .filter_map(|(kind, id)| Some((kind, id.parse().ok()?)))
        .collect()
}

/// Without pictures: which is selected stands in lists of their own.
pub fn item(item: &plex::Item) -> Item {
    let tags = |kind| item.tags(kind).iter().map(tag).collect();
    let locks = scene_sync::Field::ALL
        .into_iter()
        .filter(|wanted| item.is_locked(field(*wanted)))
        .map(|field| field.plex_name().to_owned())
        .chain(
            scene_sync::TagKind::ALL
                .into_iter()
                .filter(|wanted| item.is_locked(tag_kind(*wanted)))
                .map(|kind| kind.plex_name().to_owned()),
        )
        .chain(image_lock(item, plex::ImageKind::Poster, "thumb"))
        .chain(image_lock(item, plex::ImageKind::Background, "art"));
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
        locked: locks.collect(),
        poster: None,
        background: None,
    }
}

fn image_lock(item: &plex::Item, kind: plex::ImageKind, name: &str) -> Option<String> {
    item.is_locked(kind).then(|| name.to_owned())
}

fn tag(tag: &plex::Tag) -> Tag {
    let role = (!tag.role.is_empty()).then(|| tag.role.clone());
    Tag {
        name: tag.name.clone(),
        role,
    }
}

pub fn field(field: scene_sync::Field) -> plex::Field {
    use scene_sync::Field;
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
pub fn candidates(items: &[plex::Item]) -> Vec<Candidate> {
    let parts = items
        .iter()
        .flat_map(|item| item.files().map(move |part| (item, part)));
    parts
        .map(|(item, part)| Candidate {
            item: item.key.as_str().to_owned(),
            path: part.file.clone(),
            size: part.size,
            duration: part
                .duration
                .or(item.duration)
                .map(|duration| duration.as_secs_f64())
                .filter(|seconds| *seconds > 0.0),
            trashed: item.deleted_at.is_some(),
        })
        .collect()
}
