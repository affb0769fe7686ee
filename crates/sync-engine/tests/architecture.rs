//! The picture in `docs/architecture.md` is true: which crate uses which, which part of the engine
//! uses which, and no file of it is in a circle with another one.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The arrows of a picture: lines of `one -> another, another` behind a fence with this name.
fn drawn(name: &str) -> Arrows {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let begin = format!("```{name}\n");
    let (_, rest) = text.split_once(&begin).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let line = |line: &str| {
        let (from, to) = line.split_once("->").unwrap_or((line, ""));
        let names = to.split(',').map(str::trim).filter(|name| !name.is_empty());
        (from.trim().to_owned(), names.map(str::to_owned).collect())
    };
    block.lines().map(line).collect()
}

#[test]
fn crates_use_each_other_as_drawn() {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let is_ours = |dependency: &&serde_json::Value| {
        dependency["path"].is_string() && dependency["kind"].is_null()
    };
    let name = |value: &serde_json::Value| {
        let name = value["name"].as_str().unwrap();
        name.trim_start_matches("outlast-").to_owned()
    };
    let shipped = drawn("crates");
    let arrows: Arrows = packages
        .iter()
        .map(|package| {
            let uses = package["dependencies"].as_array().unwrap();
            (
                name(package),
                uses.iter().filter(is_ours).map(&name).collect(),
            )
        })
        .filter(|(package, _): &(String, _)| shipped.contains_key(package))
        .collect();
    assert_eq!(arrows, shipped);
}

/// A source file, as the module it is, and its text without comments and tests.
fn sources(folder: &Path, module: &str, into: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = match module {
            "" => stem.to_owned(),
            parent => format!("{parent}::{stem}"),
        };
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            sources(&path, &name, into);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        into.insert(name, lines.collect::<Vec<_>>().join("\n"));
    }
}

/// The paths that a `use` names, written out.
fn written_out(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(at) = tree.find('{') else {
        return vec![tree.to_owned()];
    };
    let (before, inside) = (&tree[..at], tree[at + 1..].strip_suffix('}').unwrap());
    let (mut parts, mut depth) = (vec![String::new()], 0_i32);
    for c in inside.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            c => parts.last_mut().unwrap().push(c),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    let whole = |part: &String| written_out(&format!("{before}{}", part.trim()));
    parts.iter().flat_map(whole).collect()
}

/// Which files of the engine name which.
fn arrows(files: &BTreeMap<String, String>) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, code) in files {
        let mut named: Vec<String> = Vec::new();
        for (n, part) in code.split("use ").enumerate() {
            let is_use = n > 0
                && ["crate::", "super::"]
                    .iter()
                    .any(|own| part.starts_with(own));
            if is_use && let Some((tree, _)) = part.split_once(';') {
                named.extend(written_out(tree));
            }
        }
        for own in ["crate::", "super::"] {
            named.extend(code.split(own).skip(1).map(|rest| {
                let path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let end = rest.find(|c| !path(c)).unwrap_or(rest.len());
                format!("{own}{}", &rest[..end])
            }));
        }
        let uses = named.iter().filter_map(|path| {
            let mut path: Vec<_> = path.split("::").map(str::trim).collect();
            let mut whole = match path.remove(0) {
                "super" => module.split("::").collect::<Vec<_>>(),
                _ => Vec::new(),
            };
            whole.pop();
            whole.extend(path);
            let longest = (1..=whole.len()).rev().map(|n| whole[..n].join("::"));
            longest.into_iter().find(|name| files.contains_key(name))
        });
        arrows.insert(module.clone(), uses.filter(|used| used != module).collect());
    }
    arrows
}

fn engine() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    sources(&root().join("crates/sync-engine/src"), "", &mut files);
    files.remove("lib");
    files
}

#[test]
fn the_engines_parts_use_each_other_as_drawn() {
    let part = |module: &String| module.split("::").next().unwrap().to_owned();
    let mut parts = Arrows::new();
    for (module, uses) in arrows(&engine()) {
        let to = parts.entry(part(&module)).or_default();
        to.extend(uses.iter().map(part).filter(|used| *used != part(&module)));
    }
    assert_eq!(parts, drawn("engine"));
}

#[test]
fn no_file_is_in_a_circle() {
    fn visit(at: &str, arrows: &Arrows, way: &mut Vec<String>, done: &mut BTreeSet<String>) {
        if let Some(start) = way.iter().position(|before| before == at) {
            panic!("{} -> {at}", way[start..].join(" -> "));
        }
        if done.insert(at.to_owned()) {
            way.push(at.to_owned());
            arrows[at]
                .iter()
                .for_each(|next| visit(next, arrows, way, done));
            way.pop();
        }
    }
    let arrows = arrows(&engine());
    assert!(arrows.len() > 60 && arrows.values().map(BTreeSet::len).sum::<usize>() > 200);
    let mut done = BTreeSet::new();
    for file in arrows.keys() {
        visit(file, &arrows, &mut Vec::new(), &mut done);
    }
}

#[test]
fn the_core_is_pure_and_the_engine_speaks_no_plugin_protocol() {
    for (module, code) in engine() {
        assert!(!code.contains("stash::protocol"), "{module}");
        if module.starts_with("core") {
            for shell in ["tokio", "reqwest", "rusqlite", "std::fs", "std::net"] {
                assert!(
                    !code.contains(&format!("{shell}::")),
                    "{module} uses {shell}"
                );
            }
        }
    }
}
