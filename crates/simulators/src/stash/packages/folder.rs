//! The folder of one package.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlEmitter};
use zip::ZipArchive;

use super::{Package, document, wrong};

/// The file in which Stash keeps what it has installed.
const MANIFEST: &str = "manifest";

pub(super) struct Folder(pub PathBuf);

/// What is installed here.
pub(super) struct Manifest {
    pub date: String,
    files: Vec<String>,
}

/// A plugin as Stash would run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The name of its manifest, under which Stash keeps the settings.
    pub id: String,
    /// What its manifest calls for.
    pub program: PathBuf,
}

impl Folder {
    pub(super) fn manifest(&self) -> io::Result<Manifest> {
        let manifest = document(&fs::read_to_string(self.0.join(MANIFEST))?)?;
        let files = manifest["files"].as_vec().into_iter().flatten();
        Ok(Manifest {
            date: manifest["date"].as_str().unwrap_or_default().to_owned(),
            files: files.filter_map(Yaml::as_str).map(str::to_owned).collect(),
        })
    }

    /// What is not in the manifest is none of Stash's business.
    pub(super) fn delete_files(&self) -> io::Result<()> {
        for file in self.manifest()?.files {
            // Stash passes over one that cannot be deleted, such as a program that runs on Windows.
            let _ = fs::remove_file(self.0.join(file));
        }
        fs::remove_file(self.0.join(MANIFEST))
    }

    pub(super) fn delete_if_empty(&self) {
        let _ = fs::remove_dir(&self.0);
    }

    pub(super) fn write(
        &self,
        package: &Package,
        source: &str,
        mut zip: ZipArchive<impl Read + Seek>,
    ) -> io::Result<()> {
        let mut files = Vec::new();
        for number in 0..zip.len() {
            let mut file = zip.by_index(number).map_err(wrong)?;
            if file.is_dir() {
                continue;
            }
            let name = file.name().map_err(wrong)?.into_owned();
            let path = self.0.join(&name);
            fs::create_dir_all(path.parent().unwrap_or(&self.0))?;
            let mut options = OpenOptions::new();
            // Without a mode in the zip Go says 0666: nobody may run it.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(
                &mut options,
                file.unix_mode().map_or(0o666, |mode| mode & 0o777),
            );
            let mut into = options.write(true).create(true).truncate(true).open(path)?;
            io::copy(&mut file, &mut into)?;
            files.push(Yaml::String(name));
        }
        let text = |text: &str| Yaml::String(text.to_owned());
        let mut manifest = Hash::new();
        for (key, value) in [
            ("id", text(&package.id)),
            ("name", text(&package.name)),
            ("version", text(&package.version)),
            ("date", text(&package.date)),
            ("source_repository", text(source)),
            ("files", Yaml::Array(files)),
        ] {
            manifest.insert(text(key), value);
        }
        let mut written = String::new();
        YamlEmitter::new(&mut written)
            .dump(&Yaml::Hash(manifest))
            .map_err(|why| wrong(why.to_string()))?;
        fs::write(self.0.join(MANIFEST), written)
    }

    pub(super) fn plugin(&self) -> io::Result<Plugin> {
        let entries = fs::read_dir(&self.0)?.flatten().map(|entry| entry.path());
        let is_manifest = |path: &PathBuf| path.extension().is_some_and(|it| it == "yml");
        let found: Vec<PathBuf> = entries.filter(is_manifest).collect();
        let [manifest] = found.as_slice() else {
            return Err(wrong(format!("{} manifests of plugins", found.len())));
        };
        let read = document(&fs::read_to_string(manifest)?)?;
        let program = read["exec"][0].as_str().ok_or_else(|| wrong("no exec"))?;
        Ok(Plugin {
            id: stem(manifest),
            program: self.0.join(program),
        })
    }
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
