//! The index of the source that a person adds to Stash.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlEmitter};

use crate::archive;
use crate::package::{MANIFEST, document};
use crate::{Error, PLATFORMS, Platform};

/// Writes `index.yml` and `SHA256SUMS` for the packages that are in this folder, and says which
/// these are.
///
/// # Errors
/// A zip that is none of ours, or a file that cannot be read or written.
pub fn write_index(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut packages, mut sums, mut found) = (Vec::new(), String::new(), zips(folder)?);
    found.sort_by_key(|(platform, _)| PLATFORMS.iter().position(|it| it == platform));
    for (platform, path) in &found {
        let zip = fs::read(path).map_err(Error::file(path))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let sum = sha256(&zip);
        // Writing to a string never fails.
        let _ = writeln!(sums, "{sum}  {file}");
        packages.push(entry(*platform, &zip, &file, &sum)?);
    }
    let mut index = String::new();
    let dumped = YamlEmitter::new(&mut index).dump(&Yaml::Array(packages));
    dumped.map_err(|why| Error::Manifest(why.to_string()))?;
    index.push('\n');
    for (name, text) in [("index.yml", index), ("SHA256SUMS", sums)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::file(&path))?;
    }
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn zips(folder: &Path) -> Result<Vec<(Platform, PathBuf)>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let paths = entries
        .map_err(Error::file(folder))?
        .into_iter()
        .map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "zip"))
        .map(|path| {
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            Ok((Platform::of_package(&id)?, path))
        })
        .collect()
}

/// Version and date are those of the zip: an index never says other than what is installed.
fn entry(platform: Platform, zip: &[u8], file: &str, sum: &str) -> Result<Yaml, Error> {
    let (manifest, date) = archive::read_text(zip, MANIFEST)?;
    let manifest = document(&manifest)?;
    let told = |key: &str| {
        let text = manifest[key].as_str();
        text.ok_or_else(|| Error::Manifest(format!("{key} is not a text")))
    };
    let metadata = map([("description", told("description")?), ("url", told("url")?)]);
    let mut entry = map([
        ("id", platform.package_id().as_str()),
        ("name", &platform.name()),
    ]);
    entry.insert(Yaml::String("metadata".to_owned()), Yaml::Hash(metadata));
    entry.extend(map([
        ("version", told("version")?),
        ("date", &date.to_string()),
        ("path", file),
        ("sha256", sum),
    ]));
    Ok(Yaml::Hash(entry))
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> Hash {
    let yaml = |text: &str| Yaml::String(text.to_owned());
    pairs
        .into_iter()
        .map(|(key, value)| (yaml(key), yaml(value)))
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string never fails.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
