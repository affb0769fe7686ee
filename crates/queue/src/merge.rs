//! What becomes of an older payload when a newer one takes its place.

use serde::Serialize;

use crate::error::Result;
use crate::payload::encode;

/// How an older payload and a newer one become one; see [`NewJob::merge`](crate::NewJob::merge).
/// And how they are read.
pub(crate) type Merge<T> = (fn(T, T) -> T, fn(&str) -> serde_json::Result<T>);

/// An older payload that cannot be read is none.
fn merged<T: Serialize>(
    (merge, read): Merge<T>,
    held: &str,
    new: &str,
    limit: usize,
) -> Result<String> {
    match (read(held), read(new)) {
        (Ok(held), Ok(new)) => encode(&merge(held, new), limit),
        _ => Ok(new.to_owned()),
    }
}

/// The payloads, as stored, of a job whose key is wanted again.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) payload: String,
    /// The follow-up's, when the job is running and has one.
    pub(crate) next: Option<String>,
    /// The follow-up's, unless the running job is done; none when that makes no difference.
    pub(crate) next_unless_done: Option<String>,
}

/// What a follow-up will do: the first when the running job is done, the second when it is not, and
/// so has yet to be done too. None when that makes no difference.
pub(crate) type Next = (String, Option<String>);

impl Held {
    /// The payload of the job when it is idle.
    pub(crate) fn replaced<T: Serialize>(
        &self,
        new: &str,
        merge: Merge<T>,
        limit: usize,
    ) -> Result<String> {
        merged(merge, &self.payload, new, limit)
    }

    /// The payloads of its follow-up, when it runs.
    pub(crate) fn followed<T: Serialize>(
        &self,
        new: &str,
        merge: Merge<T>,
        limit: usize,
    ) -> Result<Next> {
        let with = |held: &str| merged(merge, held, new, limit);
        Ok(match (&self.next, &self.next_unless_done) {
            (None, _) => (new.to_owned(), Some(with(&self.payload)?)),
            (Some(next), None) => (with(next)?, None),
            (Some(next), Some(unless_done)) => (with(next)?, Some(with(unless_done)?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERGE: Merge<String> = (
        |held, new| format!("{held}+{new}"),
        |json| serde_json::from_str(json),
    );

    fn held(next: Option<&str>, next_unless_done: Option<&str>) -> Held {
        let json = |text: &str| format!("{text:?}");
        Held {
            payload: json("old"),
            next: next.map(json),
            next_unless_done: next_unless_done.map(json),
        }
    }

    fn followed(held: &Held) -> (String, Option<String>) {
        held.followed(r#""new""#, MERGE, 99).unwrap()
    }

    #[test]
    fn a_follow_up_takes_in_the_follow_up_before_and_what_runs_unless_that_is_done() {
        let text = |text: &str| format!("{text:?}");
        assert_eq!(
            followed(&held(None, None)),
            (text("new"), Some(text("old+new")))
        );
        assert_eq!(
            followed(&held(Some("next"), Some("old+next"))),
            (text("next+new"), Some(text("old+next+new")))
        );
        // One that replaced it wanted nothing of what runs.
        assert_eq!(
            followed(&held(Some("next"), None)),
            (text("next+new"), None)
        );
    }

    #[test]
    fn an_unreadable_payload_counts_as_absent() {
        let held = Held {
            payload: "7".into(),
            next: Some("[".into()),
            next_unless_done: None,
        };
        assert_eq!(held.replaced(r#""new""#, MERGE, 99).unwrap(), r#""new""#);
        assert_eq!(followed(&held), (r#""new""#.into(), None));
    }

    #[test]
    fn what_is_merged_obeys_the_limit() {
        let error = held(None, None).replaced(r#""new""#, MERGE, 8).unwrap_err();
        assert!(matches!(
            error,
            crate::Error::PayloadTooLarge { size: 9, limit: 8 }
        ));
    }
}
