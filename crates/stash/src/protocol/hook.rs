//! Why did a hook fire?

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::{self, StrDeserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::InputError;
use super::edited;
use super::json::{shape, shape_of, unsigned};

/// Why a hook fired. `Debug` leaves the input out: it may be megabytes.
#[derive(Debug, Clone)]
pub struct HookContext {
    /// The object's id; Stash leaves it out when it is 0.
    pub id: Option<u64>,
    /// What happened to what.
    pub trigger: Trigger,
    /// The names of the fields that were sent. In random order; empty for scans, creates and
    /// destroys.
    ///
    /// Only this says what was sent: `input` lists the unsent fields too, as null.
    pub input_fields: Vec<String>,
    input: Option<Part>,
}

/// The mutation's input within the document: it may be megabytes of base64, which are neither
/// parsed nor copied.
#[derive(Clone)]
struct Part {
    document: Arc<String>,
    range: Range<usize>,
}

/// The event a hook reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// An event this crate knows, as `Scene.Update.Post`.
    Known(Entity, Operation),
    /// Any other, verbatim: a newer Stash has more.
    Unknown(String),
}

/// What a hook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Entity {
    Scene,
    SceneMarker,
    Image,
    Gallery,
    GalleryChapter,
    /// Also sent as `Movie` before Stash 0.27.
    #[serde(alias = "Movie")]
    Group,
    Performer,
    Studio,
    Tag,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Operation {
    Create,
    Update,
    Destroy,
    /// Tags only.
    Merge,
}

impl Trigger {
    /// Parses a hook type such as `Scene.Update.Post`.
    ///
    /// ```
    /// use stash::protocol::{Entity, Operation, Trigger};
    /// assert_eq!(Trigger::parse("Tag.Merge.Post"), Trigger::Known(Entity::Tag, Operation::Merge));
    /// assert_eq!(Trigger::parse("Podcast.Create.Post"), Trigger::Unknown("Podcast.Create.Post".into()));
    /// ```
    pub fn parse(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
    }

    fn known(text: &str) -> Option<Self> {
        let (entity, operation) = text.strip_suffix(".Post")?.split_once('.')?;
        Some(Self::Known(named(entity)?, named(operation)?))
    }
}

/// The variant of this name.
fn named<'a, T: Deserialize<'a>>(name: &'a str) -> Option<T> {
    T::deserialize(StrDeserializer::<value::Error>::new(name)).ok()
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.range.fmt(f)
    }
}

#[derive(Deserialize)]
pub(super) struct Wire<'a> {
    id: Option<Value>,
    #[serde(rename = "type")]
    trigger: Option<Value>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(rename = "inputFields")]
    input_fields: Option<Value>,
}

impl HookContext {
    /// What was read of this document.
    pub(super) fn of(wire: Wire<'_>, document: &Arc<String>) -> Result<Self, InputError> {
        const TYPE: &str = "args.hookContext.type";
        let trigger = match &wire.trigger {
            Some(Value::String(text)) => Trigger::parse(text),
            other => return Err(shape_of(TYPE, "text", other.as_ref())),
        };
        let fields = wire.input_fields.as_ref().and_then(Value::as_array);
        let fields = fields.into_iter().flatten().filter_map(Value::as_str);
        let input = wire.input.map(|raw| {
            let start = raw.get().as_ptr().addr() - document.as_ptr().addr();
            Part {
                document: Arc::clone(document),
                range: start..start + raw.get().len(),
            }
        });
        Ok(Self {
            id: wire.id.as_ref().and_then(unsigned).filter(|id| *id != 0),
            trigger,
            input_fields: fields.map(str::to_owned).collect(),
            input,
        })
    }

    /// The mutation's input as Stash sent it; `None` when it is null (a scan, a create).
    pub fn raw_input(&self) -> Option<&str> {
        let Part { document, range } = self.input.as_ref()?;
        document.get(range.clone())
    }

    /// The mutation's input as a type of yours; `None` when it is null (a scan, a create).
    ///
    /// # Errors
    /// When the input has another shape. The error names a place, no values.
    pub fn input<'a, T: Deserialize<'a>>(&'a self) -> Result<Option<T>, InputError> {
        self.raw_input()
            .map(|raw| {
                serde_json::from_str(raw)
                    .map_err(|_| shape("args.hookContext.input", "of the expected shape", raw))
            })
            .transpose()
    }

    /// The ids of all objects of the edit that this hook is about, in the order in which Stash runs
    /// their hooks; none when it was an edit of one object.
    ///
    /// Stash commits such an edit first, then runs a hook for each object, one after the other, and
    /// **kills the running one and skips the rest when the browser goes away**: the first hook is
    /// the only one that is sure to run.
    ///
    /// ```
    /// # let stdin = br#"{"server_connection": {"Scheme": "http", "Port": 9999, "Dir": "/root/.stash"}, "args": {"hookContext":
    /// #     {"id": 45, "type": "Scene.Update.Post", "input": {"ids": ["45", "46"], "rating100": 60}, "inputFields": ["ids", "rating100"]}}}"#;
    /// # let input = stash::protocol::PluginInput::read(&stdin[..])?;
    /// // A bulk edit of two scenes.
    /// let hook = input.args.hook.unwrap();
    /// assert_eq!((hook.id, hook.edited()), (Some(45), vec![45, 46]));
    /// # Ok::<(), stash::protocol::InputError>(())
    /// ```
    pub fn edited(&self) -> Vec<u64> {
        match self.raw_input() {
            Some(input) if self.lists_several() => edited::ids(input),
            _ => Vec::new(),
        }
    }

    /// Whether [`edited`](Self::edited) has anything to look for. Costs nothing, also beside a
    /// cover.
    pub fn lists_several(&self) -> bool {
        let Some(input) = self.raw_input() else {
            return false;
        };
        // An update of one object says so in its fields.
        input.starts_with('[')
            || match self.input_fields.as_slice() {
                [] => input.contains("\"ids\""),
                fields => fields.iter().any(|name| name == "ids"),
            }
    }
}
