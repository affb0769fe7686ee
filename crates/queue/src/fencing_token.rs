//! Claim numbers: the fence that keeps a late settle from touching somebody else's claim.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Room for a trillion claims by each of eight million owners.
const SEQUENCE_BITS: u32 = 40;

/// Unique for ever within a file: the owner's id, which the file never gives twice, and the owner's
/// own count of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FencingToken(i64);

impl FencingToken {
    /// The number before an owner's first claim.
    pub(crate) fn first(owner: i64) -> Self {
        Self(owner << SEQUENCE_BITS)
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The owner whose claim it is.
    pub(crate) fn owner(self) -> i64 {
        self.0 >> SEQUENCE_BITS
    }

    /// Smallest and largest number of an owner.
    pub(crate) fn range(owner: i64) -> (Self, Self) {
        (Self::first(owner), Self(((owner + 1) << SEQUENCE_BITS) - 1))
    }
}

impl ToSql for FencingToken {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for FencingToken {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}
