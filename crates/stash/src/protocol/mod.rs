//! The raw plugin protocol: one JSON document on stdin, one on stdout, log lines on stderr.
//!
//! Nothing here needs an async runtime, a network or a feature.

mod edited;
mod hook;
mod input;
pub(crate) mod json;
mod log;
mod reply;

pub use hook::{Entity, HookContext, Operation, Trigger};
pub use input::{Args, InputError, MAX_INPUT, PluginInput};
pub use log::{LINGER, Level, Log, MAX_LINE, encode, encode_progress};
pub use reply::Reply;

pub use crate::connection::{Scheme, ServerConnection, SessionCookie};
