//! Kinds of jobs: the variants of an enum payload. A worker may take those that its own enum has,
//! and leave the others to others.

use std::fmt::{self, Display};

use rusqlite::Connection;
use serde::Deserializer;
use serde::de::{DeserializeOwned, Visitor};

use crate::error::{Error, Result};
use crate::options::Options;
use crate::statements as sql;

/// The variant in a payload as serde writes it: `{"Mail":{…}}` or `"Mail"`. Nothing is stored for
/// it, so a newer payload that takes a job's place brings its kind along.
macro_rules! kind {
    () => {
        "substr(payload, instr(payload, '\"') + 1, instr(substr(payload, instr(payload, '\"') + 1), '\"') - 1)"
    };
}

/// Made by the first worker that asks for kinds: other files do not pay for it.
const INDEX: &str = concat!(
    "CREATE INDEX IF NOT EXISTS queue_job_kind ON queue_job (",
    kind!(),
    ", priority, due) WHERE state = 1"
);

/// The kinds that a worker takes, as the statements that look for them.
#[derive(Debug, Clone)]
pub(crate) struct Kinds {
    /// As [`sql::READY`].
    pub(crate) ready: String,
    /// As [`sql::ANY_READY`].
    pub(crate) any_ready: String,
    /// As [`sql::ANY_DUE`]: what comes due of other kinds is made ready for others.
    pub(crate) any_due: String,
}

impl Kinds {
    /// The variants of an enum. None when the type is no enum, or one that serde does not write so.
    pub(crate) fn of<T: DeserializeOwned>() -> Option<Self> {
        let Err(Found(variants)) = T::deserialize(Probe) else {
            return None;
        };
        let names: Vec<String> = variants?
            .iter()
            .map(|name| format!("'{}'", name.replace('\'', "''")))
            .collect();
        // One search for each kind, of as many jobs as are asked for: what is queued of other kinds
        // is not looked at.
        let only = |statement: &str, names: &str| {
            let these = format!("WHERE state = 1 AND {} IN ({names})", kind!());
            statement.replace("WHERE state = 1", &these)
        };
        let of_one = |name: &String| format!("SELECT * FROM ({})", only(sql::READY, name));
        let each: Vec<String> = names.iter().map(of_one).collect();
        Some(Self {
            ready: format!(
                "{} ORDER BY priority, due, id LIMIT ?1",
                each.join(" UNION ALL ")
            ),
            any_ready: only(sql::ANY_READY, &names.join(", ")),
            any_due: only(sql::ANY_DUE, &names.join(", ")),
        })
    }
}

/// Makes what a worker that takes certain kinds needs.
pub(crate) fn prepare(connection: &Connection, options: &Options) -> Result<()> {
    match &options.kinds {
        None => Ok(()),
        Some(Ok(_)) => Ok(connection.execute_batch(INDEX)?),
        Some(Err(NoKinds(type_name))) => Err(Error::NoKinds { type_name }),
    }
}

/// A payload type that has no kinds.
#[derive(Debug, Clone)]
pub(crate) struct NoKinds(pub(crate) &'static str);

/// Gives no value: it hears which variants a type asks for.
struct Probe;

/// An error, since there is no value.
#[derive(Debug)]
struct Found(Option<&'static [&'static str]>);

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for Found {}

impl serde::de::Error for Found {
    fn custom<D: Display>(_: D) -> Self {
        Self(None)
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Found;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Found> {
        Err(Found(Some(variants)))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found(None))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{NewJob, Queue};

    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Mine {
        Mail {
            to: String,
        },
        #[serde(rename = "sum", alias = "add")]
        Sum(Vec<u64>),
        Nothing,
    }

    #[derive(Deserialize)]
    #[serde(tag = "type")]
    #[allow(dead_code)]
    enum Tagged {
        Mail { to: String },
    }

    #[test]
    fn kinds_are_the_variants_of_an_enum_and_their_aliases() {
        let any = Kinds::of::<Mine>().unwrap().any_ready;
        for name in ["'Mail'", "'sum'", "'add'", "'Nothing'"] {
            assert!(any.contains(name), "{any}");
        }
        assert!(Kinds::of::<Box<Mine>>().is_some());
        assert!(Kinds::of::<String>().is_none() && Kinds::of::<Tagged>().is_none());
        assert!(Kinds::of::<Vec<Mine>>().is_none());
    }

    /// Whatever else is queued, a claim searches by the index, once for each kind.
    #[test]
    fn a_claim_of_kinds_searches_its_own_index() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::consumer().kinds_of::<Mine>();
        let mut queue: Queue<serde_json::Value> =
            Queue::open(dir.path().join("q.db"), options).unwrap();
        let mail = |to: String| NewJob::new(serde_json::json!({"Mail": {"to": to}}));
        queue
            .enqueue_all((0..50).map(|n| mail(n.to_string())))
            .unwrap();
        let kinds = Kinds::of::<Mine>().unwrap();
        let steps = |queue: &Queue<serde_json::Value>| {
            [&kinds.ready, &kinds.any_ready, &kinds.any_due].map(|statement| {
                let mut statement = queue.connection.prepare(statement).unwrap();
                let parameters = statement.parameter_count();
                let mut rows = statement
                    .query(rusqlite::params_from_iter([3].iter().take(parameters)))
                    .unwrap();
                while rows.next().unwrap().is_some() {}
                drop(rows);
                statement.get_status(rusqlite::StatementStatus::VmStep)
            })
        };
        let before = steps(&queue);
        let others = (0..2_000).map(|n| NewJob::new(serde_json::json!({"Other": n})).priority(-1));
        queue.enqueue_all(others).unwrap();
        assert_eq!(steps(&queue), before);
        assert_eq!(queue.claim(99).unwrap().len(), 50);
    }
}
