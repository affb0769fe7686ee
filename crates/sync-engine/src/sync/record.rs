//! What a scene's job leaves on record, written in one transaction with the settling of the job.

use std::collections::BTreeSet;

use queue::Tx;
use rusqlite::Connection;
use scene_sync::{Intent, LastWritten, SceneFile, path};
use sha2::{Digest, Sha256};

use crate::core::job::{Job, Related};
use crate::storage::ledger::{self, ItemRow, SceneRow, ServerId, SyncHash};
use crate::sync::capabilities::Learned;

/// What changes on record.
pub struct Record {
    server: ServerId,
    /// Whose job it was.
    pub scene: u64,
    refs: Vec<(Related, u64)>,
    /// What becomes of its own row.
    pub becomes: Becomes,
    /// Items that were written to, or may have been.
    pub items: Vec<Kept>,
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
    /// Something is owed that may soon be had.
    pub looks_again: bool,
}

/// What the scene is on record as from now on.
pub enum Becomes {
    /// Not equal to its items: a look has failed, or was not made to the end.
    Unequal,
    /// What it was, for nothing was looked at; with its row, where the cover's address is another.
    Unchanged(Option<SceneRow>),
    /// Equal to its items; without a hash something is still owed.
    Equal(SceneRow),
}

/// What is on record of an item.
pub type Row = ItemRow<LastWritten>;

/// What a job leaves on record of an item.
pub struct Kept {
    /// The row, if nobody else has written it meanwhile.
    pub row: Row,
    /// What stood there when this job wrote it last; none when it never did.
    pub before: Option<LastWritten>,
    /// When it ends, in milliseconds since 1970.
    pub at: i64,
}

impl Kept {
    /// Writes the row; the scene to look at again, where another job wrote to the item at the same
    /// time. Then both may have sent what the other does not know of: all of it counts as sent
    /// until a look shows what became of it.
    fn put(&self, db: &Connection, server: ServerId) -> queue::Result<Option<u64>> {
        let there = ledger::item::<LastWritten>(db, server, &self.row.item)?;
        let Some(there) = there.filter(|there| !same(Some(&there.written), self.before.as_ref()))
        else {
            ledger::put_item(db, server, &self.row)?;
            return Ok(None);
        };
        let is_ours = there.owner.is_none() || there.owner == self.row.owner;
        let (mut kept, mut other) = match is_ours {
            true => (self.row.clone(), there.written),
            false => (there, self.row.written.clone()),
        };
        let at = self.at;
        let intents = &mut kept.written.intents;
        intents.append(&mut other.intents);
        intents.push(Intent { at, written: other });
        ledger::put_item(db, server, &kept)?;
        Ok(kept.owner)
    }
}

/// Whether two records say the same, as they are stored.
pub fn same(one: Option<&LastWritten>, other: Option<&LastWritten>) -> bool {
    let text = |written: Option<&LastWritten>| written.map(|one| serde_json::to_string(one).ok());
    text(one) == text(other)
}

impl Record {
    /// Of a job that has not found out anything yet.
    pub fn new(server: ServerId, scene: u64, refs: Vec<(Related, u64)>) -> Self {
        Self {
            server,
            scene,
            refs,
            becomes: Becomes::Unequal,
            items: Vec::new(),
            released: Vec::new(),
            gone: Vec::new(),
            waits: Vec::new(),
            left_out: Vec::new(),
            hint: None,
            learned: Vec::new(),
            queue: BTreeSet::new(),
            looks_again: false,
        }
    }

    /// Whether its job must come again by itself: something is owed that may soon be had, or an
    /// edit that was given up may come yet, over what was written since.
    pub fn needs_another_look(&self) -> bool {
        let overtaken = |kept: &Kept| kept.row.written.may_be_overtaken();
        matches!(self.becomes, Becomes::Equal(_))
            && (self.looks_again || self.items.iter().any(overtaken))
    }

    /// Writes all of it; the scenes to queue for that.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn apply(self, tx: &Tx<'_, Job>) -> queue::Result<BTreeSet<u64>> {
        let (db, server, scene) = (tx.sql(), self.server, self.scene);
        let mut queue = self.queue;
        if let Becomes::Unchanged(row) = self.becomes {
            row.map_or(Ok(()), |row| ledger::put_scene(db, server, scene, &row))?;
            return Ok(queue);
        }
        let mut again = BTreeSet::new();
        for kept in &self.items {
            again.extend(kept.put(db, server)?);
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
        for new in &self.learned {
            ledger::put_library_field(db, server, &new.library, &new.field, &new.state)?;
        }
        ledger::hint_path(db, scene, self.hint.as_deref())?;
        match &self.becomes {
            Becomes::Equal(row) => {
                ledger::put_scene(db, server, scene, row)?;
                ledger::put_refs(db, scene, &self.refs)?;
                ledger::put_left_out(db, scene, &self.left_out)?;
            }
            _ => ledger::make_unequal(db, server, scene)?,
        }
        queue.remove(&scene);
        queue.extend(again);
        Ok(queue)
    }
}

/// The fingerprint of a scene's content, files and items: other content, another path or another
/// item is not equal.
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

#[cfg(test)]
mod tests;
