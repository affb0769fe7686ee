//! The client identifier, made once and kept in a file.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The identifier in the file at `path`, which is made when it is missing or damaged, with `random`
/// as the source of a version 4 UUID. When several processes make it at once, all get the same.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("client-identifier");
/// let first = plex::client_identifier(&path, || [7; 16]).unwrap();
/// let second = plex::client_identifier(&path, || [8; 16]).unwrap();
/// assert_eq!(first, second);
/// ```
///
/// # Errors
/// The folder is missing, or the file cannot be read or written.
pub fn client_identifier(path: &Path, random: impl FnOnce() -> [u8; 16]) -> io::Result<String> {
    let damaged = match fs::read_to_string(path) {
        Ok(text) if is_uuid(text.trim()) => return Ok(text.trim().to_owned()),
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::InvalidData => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let identifier = uuid(random());
    let temporary = path.with_extension(&identifier);
    let mut file = private().create_new(true).write(true).open(&temporary)?;
    let placed = file
        .write_all(identifier.as_bytes())
        .and_then(|()| file.sync_all())
        // Unlike a rename, a link never replaces what another process has placed.
        .and_then(|()| match fs::hard_link(&temporary, path) {
            Err(error) if !damaged && error.kind() == ErrorKind::AlreadyExists => Err(error),
            // Some file systems, such as FAT and some network shares, have no links.
            Err(_) => fs::rename(&temporary, path),
            Ok(()) => Ok(()),
        });
    drop(file);
    let _ = fs::remove_file(&temporary);
    match placed {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(path)?.trim().to_owned())
        }
        placed => placed.map(|()| identifier),
    }
}

/// Opens options for a file that only the owner may read.
fn private() -> fs::OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix knows modes"))]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut hex = format!("{:032x}", u128::from_be_bytes(bytes));
    for at in [8, 13, 18, 23] {
        hex.insert(at, '-');
    }
    hex
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
