//! Stash's package manager: what a person does under Settings › Plugins, with the files of one
//! plugins folder.

mod download;
mod folder;
mod source;

use std::fmt::Write as _;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use url::Url;
use yaml_rust2::{Yaml, YamlLoader};
use zip::ZipArchive;

use folder::Folder;

pub use folder::Plugin;
pub use source::PackageSource;

/// The package manager of a Stash: it reads the index of a source, and installs, updates and
/// removes what stands in it.
///
/// As in Stash, a package is known by its id and its source, an update is what has a later date, a
/// wrong checksum or a download that takes too long leaves what is there as it was, and only files
/// that the package has brought are ever deleted.
#[derive(Debug, Clone)]
pub struct PackageManager {
    plugins: PathBuf,
    source: Url,
    limit: Duration,
}

/// What the index of a source tells of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id, and the name of its folder.
    pub id: String,
    /// As it stands in the list.
    pub name: String,
    /// The text below the name.
    pub description: String,
    /// Shown, and nothing else.
    pub version: String,
    /// What decides whether it is an update.
    pub date: String,
    path: String,
    sha256: String,
}

impl PackageManager {
    /// With this plugins folder and the address of a source's index, as *Add Source* takes it.
    ///
    /// # Errors
    /// It is no address.
    pub fn new(plugins: impl Into<PathBuf>, source: &str) -> io::Result<Self> {
        let source = Url::parse(source).map_err(wrong)?;
        Ok(Self {
            plugins: plugins.into(),
            source,
            limit: Duration::from_secs(10),
        })
    }

    /// With another time for a whole download than Stash's ten seconds.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The list of *Available Plugins*.
    ///
    /// # Errors
    /// The index cannot be read, or is none.
    pub fn available(&self) -> io::Result<Vec<Package>> {
        let index = download::get(&self.source, self.limit)?;
        let index = String::from_utf8(index).map_err(wrong)?;
        match document(&index)? {
            Yaml::Array(packages) => packages.iter().map(Package::read).collect(),
            _ => Err(wrong("the index is not a list")),
        }
    }

    /// *Install*, or *Update* of what is there whatever its date.
    ///
    /// # Errors
    /// There is no such package, its download takes too long or is another, or its files cannot be
    /// written: these stay half written then.
    pub fn install(&self, id: &str) -> io::Result<()> {
        self.put(&self.find(id)?)
    }

    /// *Check for Updates*, and *Update* if there is one: whether there was.
    ///
    /// # Errors
    /// As [`Self::install`].
    pub fn update(&self, id: &str) -> io::Result<bool> {
        let (newest, folder) = (self.find(id)?, self.folder(id));
        // Dates of this form are in order as texts.
        let is_newer = newest.date > folder.manifest()?.date;
        if is_newer {
            self.put(&newest)?;
        }
        Ok(is_newer)
    }

    /// *Uninstall*.
    ///
    /// # Errors
    /// It is not installed.
    pub fn uninstall(&self, id: &str) -> io::Result<()> {
        let folder = self.folder(id);
        folder.delete_files()?;
        folder.delete_if_empty();
        Ok(())
    }

    /// The plugin that an installed package has brought.
    ///
    /// # Errors
    /// There is none that Stash could run.
    pub fn plugin(&self, id: &str) -> io::Result<Plugin> {
        self.folder(id).plugin()
    }

    /// Where a package is installed.
    pub fn path(&self, id: &str) -> PathBuf {
        self.plugins.join(id)
    }

    fn folder(&self, id: &str) -> Folder {
        Folder(self.path(id))
    }

    fn find(&self, id: &str) -> io::Result<Package> {
        let mut packages = self.available()?.into_iter();
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no package {id}"));
        packages.find(|it| it.id == id).ok_or_else(missing)
    }

    fn put(&self, package: &Package) -> io::Result<()> {
        let from = self.source.join(&package.path).map_err(wrong)?;
        let zip = download::get(&from, self.limit)?;
        let sum = sha256(&zip);
        if sum != package.sha256 {
            return Err(wrong(format!(
                "package data ({sum}) does not match expected SHA256 ({})",
                package.sha256
            )));
        }
        let zip = ZipArchive::new(Cursor::new(zip)).map_err(wrong)?;
        let folder = self.folder(&package.id);
        if folder.manifest().is_ok() {
            folder.delete_files()?;
        }
        folder.write(package, self.source.as_str(), zip)
    }
}

impl Package {
    fn read(yaml: &Yaml) -> io::Result<Self> {
        let text = |yaml: &Yaml, key: &str| {
            let text = yaml[key].as_str().map(str::to_owned);
            text.ok_or_else(|| wrong(format!("{key} of a package is not a text")))
        };
        Ok(Self {
            id: text(yaml, "id")?,
            name: text(yaml, "name")?,
            description: text(&yaml["metadata"], "description")?,
            version: text(yaml, "version")?,
            date: date(text(yaml, "date")?)?,
            path: text(yaml, "path")?,
            sha256: text(yaml, "sha256")?,
        })
    }
}

/// `2026-11-29 18:58:28`, and nothing else.
fn date(text: String) -> io::Result<String> {
    let form: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    match form == "0000-00-00 00:00:00" {
        true => Ok(text),
        false => Err(wrong(format!("{text:?} is not a date"))),
    }
}

fn document(text: &str) -> io::Result<Yaml> {
    let documents = YamlLoader::load_from_str(text).map_err(wrong)?;
    documents
        .into_iter()
        .next()
        .ok_or_else(|| wrong("an empty document"))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
}

fn wrong(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
