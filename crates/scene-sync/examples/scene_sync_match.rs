//! Which Plex items hold a scene's file? With a path map, and without one.
//!
//! `cargo run --example scene_sync_match`

use scene_sync::matching::{Candidate, by_likeness, by_path};
use scene_sync::{PathMap, PathMapError, SceneFile, path};

fn main() -> Result<(), PathMapError> {
    let library = r"D:\Films";
    let candidates = [
        in_plex("101", r"\\?\D:\Films\A\clip.mp4", 700),
        in_plex("102", r"\\?\D:\Films\B\clip.mp4", 700),
        in_plex("103", r"\\?\D:\Films\Dawn.mp4", 900),
        in_plex("203", r"D:\FILMS\Dawn.mp4", 900),
    ];
    println!("Plex has");
    for candidate in &candidates {
        println!("    {}  {}", candidate.item, candidate.path);
    }
    let mapped = PathMap::parse(r"/data=>D:\Films")?;
    let scenes = [
        ("/data/a/clip.mp4", 700),
        ("/data/C/clip.mp4", 700),
        ("/data/Dawn.mp4", 900),
        ("/data/new/Dawn.mp4", 123),
        ("/data/dusk.mp4", 500),
    ];
    for (path, size) in scenes {
        println!("\n{path}, {size} bytes");
        for (with, map) in [("a map:  ", &mapped), ("no map: ", &PathMap::default())] {
            let file = SceneFile {
                path: map.map(path),
                size: Some(size),
                duration: None,
            };
            let bound = by_path(std::slice::from_ref(&file), &candidates);
            let items: Vec<_> = bound.into_iter().map(|bound| bound.item).collect();
            if path::covers(library, &file.path) {
                println!("    {with}items {items:?} hold {}", file.path);
            } else {
                let likeness = by_likeness(&file, &candidates, |_| false);
                println!("    {with}{likeness}");
            }
        }
    }
    let rule = path::suggested_rule("/data/A/clip.mp4", r"\\?\D:\Films\A\clip.mp4");
    println!("\nA rule for the path map: {rule:?}");
    Ok(())
}

fn in_plex(item: &str, path: &str, size: u64) -> Candidate {
    Candidate {
        item: item.into(),
        path: path.into(),
        size: Some(size),
        ..Candidate::default()
    }
}
