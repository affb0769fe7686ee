//! What servers do with `file=`, and the paths that put it to the test.

use super::*;

/// A composed and a decomposed É.
const NFC: &str = "\u{c9}t\u{e9}.mkv";
const NFD: &str = "E\u{301}te\u{301}.mkv";

struct Asked {
    plex: PlexServer,
    client: Client,
}

impl Asked {
    fn new(files: &[&str]) -> Self {
        let (plex, _) = films(files);
        let client = plex_client(&plex);
        Self { plex, client }
    }

    /// The files of the items found.
    fn found(&mut self, temper: FileFilter, text: &str) -> Vec<String> {
        self.plex.set(|options| options.file_filter = temper);
        let path = format!("/library/sections/1/all?type=1&file={}", encode(text));
        let list = self.client.get(&path).container();
        let files = list["Metadata"].as_array().into_iter().flatten();
        let file = |item: &Value| {
            item["Media"][0]["Part"][0]["file"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        files.map(file).collect()
    }
}

#[test]
fn a_text_is_contained_byte_by_byte_or_folded() {
    let [composed, decomposed] = [format!("/media/{NFC}"), format!("/media/{NFD}")];
    let mut asked = Asked::new(&[&composed, &decomposed, "/media/scene.MKV"]);
    for (temper, text, expected) in [
        (FileFilter::Substring, NFC, vec![&composed]),
        (FileFilter::Substring, NFD, vec![&decomposed]),
        (FileFilter::Folded, NFC, vec![&composed, &decomposed]),
        (FileFilter::BaseName, NFD, vec![&decomposed]),
    ] {
        let found = asked.found(temper, text);
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            expected,
            "{temper:?} {text}"
        );
    }
    assert_eq!(asked.found(FileFilter::Substring, "scene.mkv"), [""; 0]);
    assert_eq!(
        asked.found(FileFilter::Folded, "SCENE.mkv"),
        ["/media/scene.MKV"]
    );
}

#[test]
fn a_base_name_is_whole() {
    let mut asked = Asked::new(&[
        "/media/a/one.mkv",
        "/media/a/two one.mkv",
        r"\\nas\x\one.mkv",
    ]);
    let name = FileFilter::BaseName;
    let both = ["/media/a/one.mkv", r"\\nas\x\one.mkv"];
    assert_eq!(asked.found(name, "one.mkv"), both);
    assert_eq!(
        asked.found(name, "/media/a/one.mkv"),
        [""; 0],
        "a path is no name"
    );
    assert_eq!(asked.found(FileFilter::Substring, "one.mkv").len(), 3);
}

#[test]
fn a_comma_is_contained_or_means_or_finds_nothing() {
    let files = [
        "/media/One, two.mkv",
        "/media/One.mkv",
        "/media/other two.mkv",
        "/media/b.mkv",
    ];
    let mut asked = Asked::new(&files);
    let text = "One, two.mkv";
    assert_eq!(asked.found(FileFilter::Substring, text), files[..1]);
    assert_eq!(asked.found(FileFilter::CommaIsOr, text), files[..3]);
    assert_eq!(
        asked.found(FileFilter::CommaIsOr, "b.mkv,"),
        files[3..],
        "no piece is empty"
    );
    assert_eq!(asked.found(FileFilter::CommaFindsNothing, text), [""; 0]);
    assert_eq!(
        asked.found(FileFilter::CommaFindsNothing, "One.mkv"),
        files[1..2]
    );
    assert_eq!(asked.found(FileFilter::Ignored, text).len(), 4);
}

#[test]
fn paths_of_windows_and_of_shares_come_as_they_are() {
    let files = [
        r"\\?\D:\Films\Long, name.mkv",
        r"\\nas\films\Long, name.mkv",
        r"D:\Films\x.mkv",
    ];
    let mut asked = Asked::new(&files);
    assert_eq!(
        asked.found(FileFilter::Substring, "Long, name.mkv"),
        files[..2]
    );
    assert_eq!(asked.found(FileFilter::Substring, r"\\?\D:"), files[..1]);
    let titles = asked
        .plex
        .items()
        .into_iter()
        .map(|item| item.title().to_owned());
    assert_eq!(
        titles.collect::<Vec<_>>(),
        ["Long, name", "Long, name", "x"]
    );

    asked.plex.add_unscanned(1, r"\\nas\films\new\y.mkv");
    asked.plex.add_unscanned(1, r"\\?\D:\Films\z.mkv");
    let scan = |path: &str| format!("/library/sections/1/refresh?path={}", encode(path));
    asked.client.get(&scan(r"\\nas\films\new"));
    let files = |asked: &Asked| asked.plex.items().len();
    assert_eq!(files(&asked), 4);
    asked.client.get(&scan(r"\\?\D:\Films\"));
    assert_eq!(files(&asked), 5);
}
