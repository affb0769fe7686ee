//! A zip whose bytes depend on nothing but what is in it.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, System, ZipArchive, ZipWriter};

use crate::{Date, Error};

/// How much time is spent on making a package small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Little, as for a test.
    Quick,
    /// Half a minute, which saves a twentieth: Stash gives a download ten seconds.
    Small,
}

impl Packing {
    /// Of the deflater: above 9 are tries of one that takes its time.
    fn level(self) -> i64 {
        match self {
            Self::Quick => 1,
            Self::Small => 14,
        }
    }
}

pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) mode: u32,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn write(
    mut entries: Vec<Entry>,
    date: Date,
    packing: Packing,
) -> Result<Vec<u8>, Error> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        // Stash gives a file the mode that stands here, and one of another system no right to be
        // run.
        let options = SimpleFileOptions::default()
            .system(System::Unix)
            .unix_permissions(entry.mode)
            .last_modified_time(date.0)
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(packing.level()));
        zip.start_file(entry.name, options)?;
        zip.write_all(&entry.bytes)
            .map_err(zip::result::ZipError::from)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The text of one file in a zip, and its date.
pub(crate) fn read_text(zip: &[u8], name: &str) -> Result<(String, Date), Error> {
    let mut zip = ZipArchive::new(Cursor::new(zip))?;
    let mut file = zip.by_name(name)?;
    let date = file
        .last_modified()
        .ok_or_else(|| Error::Date(format!("{name} in the zip has none")))?;
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(zip::result::ZipError::from)?;
    Ok((text, Date(date)))
}
