//! An item that a job writes to: what stands on record of it meanwhile.

use std::cell::RefCell;

use scene_sync::LastWritten;

use crate::storage::db::Db;
use crate::storage::ledger::{self, ServerId};
use crate::sync::record::{Kept, Row, same};

/// How old an intent may be when its request is sent, in milliseconds.
const STALE: i64 = 1_000;

/// An item's row in the hands of one job, which writes it only while it is as the job left it.
pub struct Held<'a, 'q> {
    pub db: &'a Db<'q>,
    pub server: ServerId,
    pub item: String,
    /// The scene that it is about to be of, by the file at this path.
    pub scene: u64,
    pub path: String,
    /// What was read of it, or written since.
    pub standing: RefCell<Option<LastWritten>>,
}

impl Held<'_, '_> {
    /// Records that the item is the scene's, with what is about to be sent, if anything is; false
    /// when another scene owns it, or what is on record of it is not what the plan was made from.
    pub fn put(&self, written: Option<LastWritten>) -> queue::Result<bool> {
        let Some(written) = written else {
            return Ok(true);
        };
        let row = self.row(written);
        let put = self.db.write(|tx| {
            let there = ledger::item::<LastWritten>(tx.sql(), self.server, &self.item)?;
            let owner = there.as_ref().and_then(|there| there.owner);
            let there = there.as_ref().map(|there| &there.written);
            if owner.is_some_and(|owner| owner != self.scene)
                || !same(there, self.standing.borrow().as_ref())
            {
                return Ok(false);
            }
            ledger::put_item(tx.sql(), self.server, &row)?;
            ledger::make_unequal(tx.sql(), self.server, self.scene)?;
            Ok(true)
        })?;
        if put {
            self.standing.replace(Some(row.written));
        }
        Ok(put)
    }

    /// Whether a request that changes the item may be sent now: no other scene has taken it. An
    /// intent that had to wait for this counts from now on, or it could be too old to come when it
    /// does.
    pub fn may_send(&self, now: i64) -> bool {
        let (server, item) = (self.server, &self.item);
        let owner = self.db.read(|db| ledger::owner(db, server, item));
        // What cannot be read or written will fail when the end is recorded.
        if !owner.is_ok_and(|owner| owner == Some(self.scene)) {
            return false;
        }
        let stale = self.standing.borrow().clone().and_then(|mut standing| {
            let intent = standing.intents.last_mut()?;
            let is_stale = now.saturating_sub(intent.at) >= STALE;
            intent.at = now;
            is_stale.then_some(standing)
        });
        self.put(stale).is_ok()
    }

    /// What the job leaves on record of the item in the end.
    pub fn end(self, written: LastWritten, at: i64) -> Kept {
        Kept {
            row: self.row(written),
            before: self.standing.take(),
            at,
        }
    }

    fn row(&self, written: LastWritten) -> Row {
        Row {
            item: self.item.clone(),
            owner: Some(self.scene),
            path: self.path.clone(),
            written,
        }
    }
}
