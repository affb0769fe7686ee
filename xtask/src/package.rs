use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::archive::{self, Entry};
use crate::{Date, Error, Packing, Platform};

/// Its name without the ending is the plugin's id, under which Stash keeps the settings.
pub(crate) const MANIFEST: &str = "Stash2Plex.yml";

const PROGRAM: &str = "stash2plex";

/// The plugin of one platform, as Stash installs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Whom it is for.
    pub platform: Platform,
    /// The zip.
    pub zip: Vec<u8>,
}

impl Package {
    /// Of a program that was built for the platform, and the files of this repository.
    ///
    /// # Errors
    /// A file cannot be read, or the manifest is another than this knows.
    pub fn new(
        platform: Platform,
        program: &Path,
        date: Date,
        packing: Packing,
    ) -> Result<Self, Error> {
        let read = |path: &Path| fs::read(path).map_err(Error::file(path));
        let mut entries = vec![Entry {
            name: platform.program().to_owned(),
            mode: 0o755,
            bytes: read(program)?,
        }];
        for path in plugin_files()? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let mut bytes = read(&path)?;
            if name == MANIFEST {
                bytes = manifest_for(platform, &String::from_utf8_lossy(&bytes))?.into_bytes();
            }
            let mode = 0o644;
            entries.push(Entry { name, mode, bytes });
        }
        let zip = archive::write(entries, date, packing)?;
        Ok(Self { platform, zip })
    }

    /// Its file name beside the index.
    pub fn file_name(&self) -> String {
        format!("{}.zip", self.platform.package_id())
    }

    /// Writes it into this folder, and says where.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_to(&self, folder: &Path) -> Result<PathBuf, Error> {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let path = folder.join(self.file_name());
        fs::write(&path, &self.zip).map_err(Error::file(&path))?;
        Ok(path)
    }
}

/// The files that are the same for all: the manifest and those of the page.
///
/// # Errors
/// The folder cannot be read.
pub fn plugin_files() -> Result<Vec<PathBuf>, Error> {
    let folder = crate::root().join("plugin");
    let entries = fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(Error::file(&folder))?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

/// Stash looks for the very name, on Windows too.
fn manifest_for(platform: Platform, text: &str) -> Result<String, Error> {
    let (line, theirs) = (
        format!("\n  - {PROGRAM}\n"),
        format!("\n  - {}\n", platform.program()),
    );
    let changed = text.replacen(&line, &theirs, 1);
    let exec = &document(&changed)?["exec"];
    match exec[0].as_str() == Some(platform.program()) && exec[1].is_badvalue() {
        true => Ok(changed),
        false => Err(Error::Manifest(format!(
            "exec is to be {PROGRAM} alone, found {exec:?}"
        ))),
    }
}

pub(crate) fn document(text: &str) -> Result<Yaml, Error> {
    let documents = YamlLoader::load_from_str(text);
    let documents = documents.map_err(|why| Error::Manifest(why.to_string()))?;
    documents
        .into_iter()
        .next()
        .ok_or_else(|| Error::Manifest("is empty".to_owned()))
}
