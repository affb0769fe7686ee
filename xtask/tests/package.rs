//! What is in a package, and what its index says of it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use xtask::{Date, PLATFORMS, Package, Packing, Platform, write_index};
use yaml_rust2::{Yaml, YamlLoader};
use zip::ZipArchive;

/// A program that is as good as any.
fn package(platform: Platform, seconds: u64) -> Package {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("built");
    fs::write(&program, "a program ".repeat(1000)).unwrap();
    Package::new(
        platform,
        &program,
        Date::from_unix(seconds).unwrap(),
        Packing::Quick,
    )
    .unwrap()
}

fn text(package: &Package, name: &str) -> String {
    let mut zip = ZipArchive::new(Cursor::new(&package.zip)).unwrap();
    let mut text = String::new();
    zip.by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn yaml(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).unwrap().remove(0)
}

#[test]
fn the_same_program_makes_the_same_bytes() {
    let [first, second] = [(); 2].map(|()| package(PLATFORMS[0], 1_795_978_708));
    assert_eq!(first.zip, second.zip);
    assert_ne!(first.zip, package(PLATFORMS[0], 1_795_978_710).zip);
}

#[test]
fn only_the_program_may_be_run() {
    for platform in PLATFORMS {
        let package = package(platform, 1_795_978_708);
        let mut zip = ZipArchive::new(Cursor::new(&package.zip)).unwrap();
        let mut files = Vec::new();
        for number in 0..zip.len() {
            let file = zip.by_index(number).unwrap();
            files.push((
                file.name().unwrap().into_owned(),
                file.unix_mode().unwrap() & 0o777,
            ));
        }
        let expected = [
            ("Stash2Plex.yml", 0o644),
            (platform.program(), 0o755),
            ("stash2plex.js", 0o644),
        ];
        assert_eq!(files, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }
}

#[test]
fn the_manifest_names_the_program() {
    let ours = fs::read_to_string(Path::new("../plugin/Stash2Plex.yml")).unwrap();
    for platform in PLATFORMS {
        let theirs = text(&package(platform, 1_795_978_708), "Stash2Plex.yml");
        let exec = &yaml(&theirs)["exec"];
        assert_eq!(exec[0].as_str(), Some(platform.program()));
        assert_eq!(theirs.replace("stash2plex.exe", "stash2plex"), ours);
    }
}

#[test]
fn the_index_tells_what_stash_asks_of_it() {
    let folder = tempfile::tempdir().unwrap();
    for platform in PLATFORMS.into_iter().rev() {
        let package = package(platform, 1_795_978_709);
        package.write_to(folder.path()).unwrap();
    }
    let read = || {
        ["index.yml", "SHA256SUMS"]
            .map(|name| fs::read_to_string(folder.path().join(name)).unwrap())
    };
    assert_eq!(write_index(folder.path()).unwrap().len(), PLATFORMS.len());
    let [index, sums] = read();
    write_index(folder.path()).unwrap();
    assert_eq!(
        [&index, &sums].map(String::as_str),
        read().each_ref().map(String::as_str)
    );

    let packages = yaml(&index).into_vec().unwrap();
    let first = &packages[0];
    let expected = [
        ("id", "Stash2Plex-linux-x86_64"),
        ("name", "Stash2Plex (Linux Intel/AMD, Docker too)"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("date", "2026-11-29 18:58:28"),
        ("path", "Stash2Plex-linux-x86_64.zip"),
    ];
    for (key, value) in expected {
        assert_eq!(first[key].as_str(), Some(value));
    }
    assert!(
        first["metadata"]["description"]
            .as_str()
            .unwrap()
            .contains("Plex")
    );
    let sum = |package: &Yaml| {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        format!("{}  {}\n", text("sha256"), text("path"))
    };
    assert_eq!(packages.iter().map(sum).collect::<String>(), sums);
    let mut ids: Vec<_> = packages
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    ids.dedup();
    // Stash keeps one of those that share an id.
    assert_eq!(ids.len(), PLATFORMS.len());

    fs::write(folder.path().join("other.zip"), "").unwrap();
    assert!(write_index(folder.path()).is_err());
}
