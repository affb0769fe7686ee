//! What does Stash ask of a plugin? The document on its stdin.

use std::io::{self, Read};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::hook::Wire;
use super::json::{object, shape, syntax};
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
    /// The other arguments. `defaultArgs` of the manifest arrive as text, callers' values keep
    /// their type.
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
    #[error("stdin is not UTF-8; if Stash started this program, report it with Stash's version")]
    NotText,
    /// The text is not JSON.
    #[error(
        "stdin is not JSON: {reason} (line {line}, column {column}); if Stash started this program, report it with Stash's version"
    )]
    NotJson {
        /// Line of the fault, from 1, within the document or the part named by the reason.
        line: usize,
        /// Column of the fault.
        column: usize,
        /// What is wrong, in words.
        reason: &'static str,
    },
    /// The JSON is sound but not what Stash sends.
    #[error(
        "{what} must be {expected}, found {found}; if Stash started this program, report it with Stash's version"
    )]
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
    args: Option<ArgsWire<'a>>,
}

#[derive(Deserialize)]
struct ArgsWire<'a> {
    #[serde(borrow, rename = "hookContext")]
    hook: Option<Wire<'a>>,
    #[serde(flatten)]
    values: Map<String, Value>,
}

/// Which part is not the object that belongs there, if that is what is wrong. Looked for only then:
/// each look at the whole costs a millisecond when it holds a cover.
fn misshapen(text: &str) -> Option<InputError> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(borrow, alias = "hookContext")]
        args: &'a RawValue,
    }
    let mut text = text;
    for what in ["args", "args.hookContext"] {
        let Parts { args } = serde_json::from_str(text).ok()?;
        match object(what, Some(args)) {
            Ok(part) => text = part,
            Err(wrong) => return Some(wrong),
        }
    }
    None
}

impl PluginInput {
    /// Reads to the end of `reader`, normally stdin, and parses.
    ///
    /// # Errors
    /// [`InputError`] when reading fails, more than [`MAX_INPUT`] bytes arrive, or the document is
    /// not Stash's.
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
        // The kind is told by one character, since a look at the whole takes its time.
        match text.trim_ascii_start().bytes().next() {
            None => return Err(InputError::Empty),
            Some(b'{') => {}
            Some(_) => {
                let whole: &RawValue = serde_json::from_str(&text).map_err(|e| syntax(&e))?;
                return Err(shape("stdin", "an object", whole.get()));
            }
        }
        let text = Arc::new(text);
        let document: Document<'_> = serde_json::from_str(&text)
            .map_err(|error| misshapen(&text).unwrap_or_else(|| syntax(&error)))?;
        let connection = object("server_connection", document.server_connection)?;
        let server_connection = ServerConnection::parse(connection)?;
        let args = document
            .args
            .ok_or_else(|| shape("args", "an object", ""))?;
        let hook = args.hook.map(|wire| HookContext::of(wire, &text));
        Ok(Self {
            server_connection,
            args: Args {
                hook: hook.transpose()?,
                values: args.values,
            },
        })
    }
}

impl Args {
    /// The argument as text, if it is there and is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_str()
    }
}
