use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::InputError;
use super::json::{shape, syntax, unsigned};

/// Why a hook fired. `Debug` leaves the input out: it may be megabytes.
#[derive(Clone)]
pub struct HookContext {
    /// The object's id; Stash leaves it out when it is 0.
    pub id: Option<u64>,
    /// What happened to what.
    pub trigger: Trigger,
    /// The names of the fields that were sent. In random order; empty for scans, creates and destroys.
    ///
    /// Only this says what was sent: `input` lists the unsent fields too, as null.
    pub input_fields: Vec<String>,
    /// The mutation's input as Stash sent it, unparsed since it may hold megabytes of base64; none if null.
    pub raw_input: Option<Box<RawValue>>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Entity {
    Scene,
    SceneMarker,
    Image,
    Gallery,
    GalleryChapter,
    /// Also sent as `Movie` before Stash 0.27.
    Group,
    Performer,
    Studio,
    Tag,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let entity = match entity {
            "Scene" => Entity::Scene,
            "SceneMarker" => Entity::SceneMarker,
            "Image" => Entity::Image,
            "Gallery" => Entity::Gallery,
            "GalleryChapter" => Entity::GalleryChapter,
            "Group" | "Movie" => Entity::Group,
            "Performer" => Entity::Performer,
            "Studio" => Entity::Studio,
            "Tag" => Entity::Tag,
            _ => return None,
        };
        let operation = match operation {
            "Create" => Operation::Create,
            "Update" => Operation::Update,
            "Destroy" => Operation::Destroy,
            "Merge" => Operation::Merge,
            _ => return None,
        };
        Some(Self::Known(entity, operation))
    }
}

impl fmt::Debug for HookContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookContext")
            .field("id", &self.id)
            .field("trigger", &self.trigger)
            .field("input_fields", &self.input_fields)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    id: Option<Value>,
    #[serde(rename = "type")]
    trigger: Option<Value>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(rename = "inputFields")]
    input_fields: Option<Value>,
}

impl HookContext {
    pub(super) fn parse(text: &str) -> Result<Self, InputError> {
        const TYPE: &str = "args.hookContext.type";
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
        let trigger = match &wire.trigger {
            Some(Value::String(text)) => Trigger::parse(text),
            other => {
                let found = other.as_ref().map(Value::to_string).unwrap_or_default();
                return Err(shape(TYPE, "text", &found));
            }
        };
        let fields = wire.input_fields.as_ref().and_then(Value::as_array);
        Ok(Self {
            id: wire.id.as_ref().and_then(unsigned).filter(|id| *id != 0),
            trigger,
            input_fields: fields
                .into_iter()
                .flatten()
                .filter_map(|field| field.as_str().map(str::to_owned))
                .collect(),
            raw_input: wire.input.map(ToOwned::to_owned),
        })
    }

    /// The mutation's input as a type of yours; `None` when it is null (a scan, a create).
    ///
    /// # Errors
    /// When the input has another shape. The error names a place, no values.
    pub fn input<'a, T: Deserialize<'a>>(&'a self) -> Result<Option<T>, InputError> {
        self.raw_input
            .as_deref()
            .map(|raw| {
                serde_json::from_str(raw.get()).map_err(|_| {
                    shape("args.hookContext.input", "of the expected shape", raw.get())
                })
            })
            .transpose()
    }
}
