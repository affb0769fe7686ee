//! Which Plex item is a scene? The same files, with and without a path map.
//!
//! `cargo run --example scene_sync_match`

use scene_sync::matching::{Candidate, find};
use scene_sync::{PathMap, PathMapError, SceneFile};

fn main() -> Result<(), PathMapError> {
    let candidates = [
        in_plex("101", r"\\?\D:\Films\A\clip.mp4", 700),
        in_plex("102", r"\\?\D:\Films\B\clip.mp4", 700),
        in_plex("103", r"\\?\D:\Films\Dawn.mp4", 900),
    ];
    println!("Plex has");
    for candidate in &candidates {
        println!("    {}  {}", candidate.item, candidate.path);
    }
    let mapped = PathMap::parse(r"/data=>D:\Films")?;
    let scenes = [
        ("/data/a/clip.mp4", 700),
        ("/data/C/clip.mp4", 700),
        ("/data/new/Dawn.mp4", 900),
        ("/data/new/Dawn.mp4", 123),
        ("/data/dusk.mp4", 500),
    ];
    for (path, size) in scenes {
        let file = SceneFile {
            path: path.into(),
            size: Some(size),
            ..SceneFile::default()
        };
        println!("\n{path}, {size} bytes");
        for (with, map) in [("a map:  ", &mapped), ("no map: ", &PathMap::default())] {
            println!(
                "    {with}{}",
                find(std::slice::from_ref(&file), &candidates, map, false)
            );
        }
    }
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
