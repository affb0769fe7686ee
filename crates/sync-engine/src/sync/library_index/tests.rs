use plex::{Device, Timeouts};
use serde_json::json;
use simulators::{FileFilter, PlexOptions, PlexServer, SectionKind};

use super::*;
use crate::sync::libraries::Libraries;

const MOMENT: Duration = Duration::from_millis(1);

struct Case {
    server: PlexServer,
    client: Client,
    library: Library,
    indexes: Indexes,
    section: u32,
}

impl Case {
    fn new() -> Self {
        let options = PlexOptions {
            file_filter: FileFilter::Ignored,
            ..PlexOptions::default()
        };
        let server = PlexServer::start_with(options).unwrap();
        let section = server.add_section("Filme", SectionKind::Movie, &["/media"]);
        let token = server.token().parse().unwrap();
        let client = Client::new(
            crate::clients::tls::client_builder(),
            &server.url(),
            Some(token),
            &Device::new("test", "test", "1"),
            Timeouts::default(),
        );
        let sections = json!([{"key": section.to_string(), "type": "movie", "title": "Filme"}]);
        let sections = serde_json::from_value(sections).unwrap();
        let library = Libraries::choose(sections, &[]).unwrap().chosen.remove(0);
        Self {
            server,
            client: client.unwrap(),
            library,
            indexes: Indexes::default(),
            section,
        }
    }

    async fn keys(&self, path: &str, now: Moment) -> Vec<String> {
        let wish = (path, Wish::Path);
        let keys = self.indexes.fresh(&self.client, &self.library, wish, now);
        let keys = keys.await.unwrap();
        let items = self.client.items(&keys).await.unwrap().items;
        let holds = |item: &&Item| item.files().any(|part| part.file == path);
        items
            .iter()
            .filter(holds)
            .map(|item| item.key.to_string())
            .collect()
    }
}

#[tokio::test]
async fn jobs_that_began_before_a_look_share_it_and_later_ones_look_again() {
    let library = Case::new();
    let start = Moment::START;
    assert_eq!(library.keys("/media/a.mp4", start).await, [""; 0]);
    let key = library.server.add_file(library.section, "/media/a.mp4");
    assert_eq!(library.keys("/media/a.mp4", start - MOMENT).await, [""; 0]);
    let found = library.keys("/media/a.mp4", start + MOMENT).await;
    assert_eq!(found, [key.to_string()]);
}

#[tokio::test]
async fn an_item_that_was_removed_and_added_again_is_found_under_its_new_key() {
    let library = Case::new();
    let start = Moment::START;
    let old = library.server.add_file(library.section, "/media/a.mp4");
    let moved = library.server.add_file(library.section, "/media/b.mp4");
    assert_eq!(library.keys("/media/a.mp4", start).await, [old.to_string()]);
    let new = library.server.re_add(old).unwrap();
    assert_ne!(new, old);
    // The file of the other goes to an item that was there before.
    library.server.remove(moved);
    library.server.add_version(new, "/media/b.mp4");
    assert_eq!(library.keys("/media/a.mp4", start - MOMENT).await, [""; 0]);
    for path in ["/media/b.mp4", "/media/a.mp4"] {
        let found = library.keys(path, start + MOMENT).await;
        assert_eq!(found, [new.to_string()]);
    }
    library.server.take_requests();
    // Gone for good: a look at what changed each time.
    library.server.remove(new);
    for moments in 2..5 {
        let now = start + moments * MOMENT;
        assert_eq!(library.keys("/media/a.mp4", now).await, [""; 0]);
    }
    let requests = library.server.take_requests();
    let whole = |query: &str| query.contains("sort=title");
    let listings = requests.iter().filter(|request| whole(&request.query));
    assert_eq!(listings.count(), 0, "{requests:?}");
}
