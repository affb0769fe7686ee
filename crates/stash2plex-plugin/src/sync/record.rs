//! What a scene's job leaves on record, written in one transaction with the settling of the job.

use std::collections::BTreeSet;

use queue::Tx;
use scene_sync::{LastWritten, SceneFile, path};
use sha2::{Digest, Sha256};

use super::capabilities::Learned;
use crate::job::{Job, Related};
use crate::ledger::{self, ItemRow, SceneRow, ServerId, SyncHash};

/// What changes on record.
pub struct Record {
    server: ServerId,
    scene: u64,
    refs: Vec<(Related, u64)>,
    /// Nothing was looked at, since nothing had changed but the cover's address.
    unchanged: Option<Option<SceneRow>>,
    /// What the scene was synced as, and when; none after a look that failed.
    synced: Option<SceneRow>,
    /// Items that were written to, or may have been.
    pub items: Vec<ItemRow<LastWritten>>,
    /// Items that hold none of the scene's files any more.
    pub released: Vec<String>,
    /// Items that are gone from Plex.
    pub gone: Vec<String>,
    /// Items of other scenes that hold a file of this one too.
    pub waits: Vec<String>,
    /// What Plex does not get, in words.
    pub left_out: Vec<String>,
    /// The path map rule that the scene speaks for.
    pub hint: Option<String>,
    /// What Plex was seen to keep, or not.
    pub learned: Vec<Learned>,
    /// Other scenes to look at.
    pub queue: BTreeSet<u64>,
}

impl Record {
    /// Of a job that has not found out anything yet.
    pub fn new(server: ServerId, scene: u64, refs: Vec<(Related, u64)>) -> Self {
        Self {
            server,
            scene,
            refs,
            unchanged: None,
            synced: None,
            items: Vec::new(),
            released: Vec::new(),
            gone: Vec::new(),
            waits: Vec::new(),
            left_out: Vec::new(),
            hint: None,
            learned: Vec::new(),
            queue: BTreeSet::new(),
        }
    }

    /// Whose job it was.
    pub fn scene(&self) -> u64 {
        self.scene
    }

    /// Nothing needed a look; `row` is what changed of the scene's row.
    pub fn unchanged(&mut self, row: Option<SceneRow>) {
        self.unchanged = Some(row);
    }

    /// The scene's items are equal to it now; without a hash something is still owed.
    pub fn equal(&mut self, row: SceneRow) {
        self.synced = Some(row);
    }

    /// Whether an edit that was given up may come yet, over what was written since.
    pub fn may_be_overtaken(&self) -> bool {
        let overtaken = |row: &ItemRow<LastWritten>| row.written.may_be_overtaken();
        self.synced.is_some() && self.items.iter().any(overtaken)
    }

    /// Writes all of it; the scenes to queue for that.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn apply(self, tx: &Tx<'_, Job>) -> queue::Result<BTreeSet<u64>> {
        let (db, server, scene) = (tx.sql(), self.server, self.scene);
        let mut queue = self.queue;
        if let Some(row) = self.unchanged {
            if let Some(row) = row {
                ledger::put_scene(db, server, scene, &row)?;
            }
            return Ok(queue);
        }
        for row in &self.items {
            // Taken away meanwhile: what was sent is the new owner's to know.
            let owner = ledger::owner(db, server, &row.item)?;
            let owner = owner.or(row.owner);
            ledger::put_item(
                db,
                server,
                &ItemRow {
                    owner,
                    ..row.clone()
                },
            )?;
        }
        for item in &self.gone {
            queue.extend(ledger::drop_item(db, server, item)?);
        }
        for item in &self.released {
            queue.extend(ledger::release(db, server, item, scene)?);
        }
        ledger::wait_no_more(db, server, scene)?;
        for item in &self.waits {
            ledger::wait_for(db, server, item, scene)?;
        }
        for Learned {
            library,
            field,
            state,
        } in &self.learned
        {
            ledger::put_library_field(db, server, library, field, state)?;
        }
        ledger::hint_path(db, scene, self.hint.as_deref())?;
        match &self.synced {
            Some(row) => {
                ledger::put_scene(db, server, scene, row)?;
                ledger::put_refs(db, scene, &self.refs)?;
                ledger::put_left_out(db, scene, &self.left_out)?;
            }
            None => ledger::make_unequal(db, server, scene)?,
        }
        queue.remove(&scene);
        Ok(queue)
    }
}

/// The fingerprint of a scene's content, files and items: other content, another path or another item is not equal.
pub fn sync_hash<'a>(
    content: &str,
    files: &[SceneFile],
    items: impl Iterator<Item = &'a str>,
) -> SyncHash {
    let paths: BTreeSet<_> = files.iter().map(|file| path::key(&file.path)).collect();
    let items: BTreeSet<_> = items.collect();
    let mut hash = Sha256::new();
    // A length before each text keeps ("ab", "c") and ("a", "bc") apart, a count the lists.
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(content);
    add(&paths.len().to_string());
    paths.iter().for_each(|path| add(path));
    items.iter().for_each(|item| add(item));
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    SyncHash(short)
}
