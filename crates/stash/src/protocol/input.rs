//! What does Stash ask of a plugin? The document on its stdin.

use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::hook::Wire;
use super::json::{Object, object, shape, syntax};
use super::{HookContext, ServerConnection};

/// How many bytes [`PluginInput::read`] takes at most: a pasted cover arrives as base64 inside the
/// hook's input, and bulk calls repeat the whole array, so megabytes are normal.
pub const MAX_INPUT: u64 = 256 * 1024 * 1024;

/// What Stash writes to a raw plugin's stdin.
///
/// ```
/// use stash::protocol::{Entity, Operation, PluginInput, Trigger};
///
/// let stdin = br#"{
///     "server_connection": {"Scheme": "http", "Host": "0.0.0.0", "Port": 9999,
///         "SessionCookie": {"Name": "session", "Value": "s3cret"},
///         "Dir": "/root/.stash", "PluginDir": "/root/.stash/plugins/demo"},
///     "args": {"hookContext": {"id": 45, "type": "Scene.Update.Post",
///         "input": {"id": "45", "title": "New"}, "inputFields": ["id", "title"]}}}"#;
/// let input = PluginInput::read(&stdin[..])?;
/// assert_eq!(input.server_connection.url(), "http://127.0.0.1:9999");
///
/// let hook = input.args.hook.unwrap();
/// assert_eq!(hook.trigger, Trigger::Known(Entity::Scene, Operation::Update));
/// assert_eq!(hook.id, Some(45));
/// # Ok::<(), stash::protocol::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PluginInput {
    /// Where Stash listens, and with which session.
    pub server_connection: ServerConnection,
    /// What the plugin is asked to do.
    pub args: Args,
}

/// The `args` of a call: the hook, if it is one, and everything else.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Present when a hook fired; absent for tasks and operations.
    pub hook: Option<HookContext>,
    /// The other arguments. `defaultArgs` of the manifest arrive as text, callers' values keep their type.
    pub values: Map<String, Value>,
}

/// Why stdin is not a plugin input. No variant carries a value of the input: it may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Reading stdin failed.
    #[error("stdin could not be read: {0}")]
    Read(#[from] io::Error),
    /// The document exceeds the limit.
    #[error("the input on stdin is larger than {limit} bytes; send less in one call")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Nothing but white space arrived.
    #[error(
        "stdin is empty; this program is a Stash plugin and expects Stash to start it with its input"
    )]
    Empty,
    /// The bytes are no text.
    #[error("stdin is not UTF-8; is this input from Stash?")]
    NotText,
    /// The text is not JSON.
    #[error("stdin is not JSON: {reason} (line {line}, column {column})")]
    NotJson {
        /// Line of the fault, from 1, within the document or the part named by the reason.
        line: usize,
        /// Column of the fault.
        column: usize,
        /// What is wrong, in words.
        reason: &'static str,
    },
    /// The JSON is sound but not what Stash sends.
    #[error("{what} must be {expected}, found {found}; is this input from Stash?")]
    Shape {
        /// The place.
        what: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// The kind of value that stood there.
        found: &'static str,
    },
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    server_connection: Option<&'a RawValue>,
    #[serde(borrow)]
    args: Option<Object<ArgsWire<'a>>>,
}

/// The hook, and the other arguments.
struct ArgsWire<'a> {
    hook: Option<Object<Wire<'a>>>,
    values: Map<String, Value>,
}

impl<'de: 'a, 'a> Deserialize<'de> for ArgsWire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Entries<'a> {
            type Value = ArgsWire<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the arguments")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut hook, mut values) = (None, Map::new());
                while let Some(key) = map.next_key::<String>()? {
                    if key == "hookContext" {
                        hook = map.next_value()?;
                    } else {
                        values.insert(key, map.next_value()?);
                    }
                }
                Ok(ArgsWire { hook, values })
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl PluginInput {
    /// Reads to the end of `reader`, normally stdin, and parses.
    ///
    /// # Errors
    /// [`InputError`] when reading fails, more than [`MAX_INPUT`] bytes arrive, or the document is not Stash's.
    pub fn read(reader: impl Read) -> Result<Self, InputError> {
        Self::read_up_to(reader, MAX_INPUT)
    }

    /// As [`read`](Self::read), with a limit in bytes of your own.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_up_to(reader: impl Read, limit: u64) -> Result<Self, InputError> {
        let mut bytes = Vec::new();
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(InputError::TooLarge { limit });
        }
        Self::of(String::from_utf8(bytes).map_err(|_| InputError::NotText)?)
    }

    /// Parses a whole document.
    ///
    /// # Errors
    /// [`InputError`] when it is empty, not JSON, or not as Stash sends it.
    pub fn parse(bytes: &[u8]) -> Result<Self, InputError> {
        let text = std::str::from_utf8(bytes).map_err(|_| InputError::NotText)?;
        Self::of(text.to_owned())
    }

    fn of(text: String) -> Result<Self, InputError> {
        // Each look at the whole costs a millisecond when it holds a cover, so the kind is told by one character.
        match text.trim_ascii_start().bytes().next() {
            None => return Err(InputError::Empty),
            Some(b'{') => {}
            Some(_) => {
                let whole: &RawValue = serde_json::from_str(&text).map_err(|e| syntax(&e))?;
                return Err(shape("stdin", "an object", whole.get()));
            }
        }
        let text = Arc::new(text);
        let document: Document<'_> = serde_json::from_str(&text).map_err(|e| syntax(&e))?;
        let connection = object("server_connection", document.server_connection)?;
        let server_connection = ServerConnection::parse(connection)?;
        let ArgsWire { hook, values } = Object::get(document.args, "args")?;
        let hook = hook.map(|hook| {
            let wire = Object::get(Some(hook), "args.hookContext")?;
            HookContext::of(wire, &text)
        });
        Ok(Self {
            args: Args {
                hook: hook.transpose()?,
                values,
            },
            server_connection,
        })
    }
}

impl Args {
    /// The argument as text, if it is there and is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_str()
    }
}
