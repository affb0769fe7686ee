//! The package manager does as Stash's: what it checks, what it writes, and what it leaves alone.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use simulators::{Fault, PackageManager, PackageSource, Rule};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const ID: &str = "one";

struct Shop {
    source: PackageSource,
    packages: PackageManager,
    _plugins: TempDir,
}

fn shop() -> Shop {
    let (plugins, source) = (
        tempfile::tempdir().unwrap(),
        PackageSource::start().unwrap(),
    );
    let packages = PackageManager::new(plugins.path(), &source.index()).unwrap();
    Shop {
        packages,
        source,
        _plugins: plugins,
    }
}

impl Shop {
    /// A package of these files, on the n-th of May.
    fn publish(&self, day: u32, files: &[(&str, &str)]) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            let mode = if *name == "program" { 0o755 } else { 0o644 };
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(mode))
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let zip = zip.finish().unwrap().into_inner();
        let sum: String = Sha256::digest(&zip)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.list(day, &sum);
        self.source.publish("one.zip", zip);
    }

    fn list(&self, day: u32, sum: &str) {
        let index = format!(
            "- id: {ID}\n  name: One\n  metadata:\n    description: Does one thing\n  version: 0.1.0\n  \
             date: \"2026-05-{day:02} 00:00:00\"\n  path: one.zip\n  sha256: {sum}\n"
        );
        self.source.publish("index.yml", index);
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.packages.path(ID).join(name)).ok()
    }
}

const MANIFEST: (&str, &str) = ("One.yml", "name: One\nexec:\n  - program\n");

#[test]
fn an_update_deletes_what_the_manifest_names_and_no_more() {
    let shop = shop();
    shop.publish(1, &[MANIFEST, ("program", "first"), ("page/old.js", "old")]);
    assert_eq!(shop.packages.available().unwrap()[0].name, "One");
    shop.packages.install(ID).unwrap();
    let plugin = shop.packages.plugin(ID).unwrap();
    assert_eq!(plugin.id, "One");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(plugin.program), 0o755);
    assert_eq!(mode(shop.packages.path(ID).join("One.yml")), 0o644);
    fs::write(shop.packages.path(ID).join("foreign"), "kept").unwrap();

    assert!(!shop.packages.update(ID).unwrap());
    shop.publish(2, &[MANIFEST, ("program", "second")]);
    assert!(shop.packages.update(ID).unwrap());
    assert_eq!(shop.read("program").as_deref(), Some("second"));
    assert_eq!(shop.read("page/old.js"), None);

    shop.packages.uninstall(ID).unwrap();
    assert_eq!(shop.read("program"), None);
    assert_eq!(shop.read("manifest"), None);
    assert_eq!(shop.read("foreign").as_deref(), Some("kept"));
    assert!(shop.packages.uninstall(ID).is_err());

    fs::remove_file(shop.packages.path(ID).join("foreign")).unwrap();
    fs::remove_dir(shop.packages.path(ID).join("page")).unwrap();
    shop.packages.install(ID).unwrap();
    shop.packages.uninstall(ID).unwrap();
    assert!(!shop.packages.path(ID).exists());
}

#[test]
fn a_wrong_checksum_or_a_slow_download_leaves_what_is_there() {
    let shop = shop();
    shop.publish(1, &[MANIFEST, ("program", "first")]);
    shop.packages.install(ID).unwrap();
    let failed = |packages: &PackageManager, kind| {
        assert_eq!(packages.update(ID).unwrap_err().kind(), kind);
        assert_eq!(shop.read("program").as_deref(), Some("first"));
        assert!(shop.read("manifest").unwrap().contains("2026-05-01"));
    };
    shop.publish(2, &[MANIFEST, ("program", "second")]);
    shop.list(2, &"0".repeat(64));
    failed(&shop.packages, ErrorKind::InvalidData);

    shop.publish(2, &[MANIFEST, ("program", "second")]);
    let hurried = shop.packages.clone().within(Duration::from_millis(300));
    shop.source
        .fail_when(Rule::new(Fault::Hang).path("/plugins/one.zip"));
    failed(&hurried, ErrorKind::TimedOut);
    shop.source.clear_faults();
    shop.source
        .fail_when(Rule::new(Fault::Truncated).path("/plugins/one.zip"));
    failed(&shop.packages, ErrorKind::UnexpectedEof);
    shop.source.clear_faults();
    shop.source.fail_when(Rule::new(Fault::Status(404)));
    failed(&shop.packages, ErrorKind::InvalidData);
    shop.source.clear_faults();
    assert!(shop.packages.update(ID).unwrap());
    assert_eq!(shop.read("program").as_deref(), Some("second"));
}

#[test]
fn a_zip_without_modes_makes_no_program() {
    let shop = shop();
    let options = SimpleFileOptions::default().system(zip::System::Dos);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("program", options).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let sum: String = Sha256::digest(&zip)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    shop.list(1, &sum);
    shop.source.publish("one.zip", zip);
    shop.packages.install(ID).unwrap();
    let program = shop.packages.path(ID).join("program");
    let mode = fs::metadata(program).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);
}
