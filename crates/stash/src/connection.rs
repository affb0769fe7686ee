//! Where Stash is and how a program that it started logs in; also what such a program hands to a
//! process of its own.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::Secret;
use crate::protocol::json::{shape, shape_of, syntax, unsigned};
use crate::protocol::{InputError, PluginInput};

/// How Stash is reached: `https` exactly when it has a certificate configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// TLS, usually with a self-signed certificate or one for another name.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The session Stash gives a plugin. It ends an hour after its last use unless Stash is set
/// otherwise (`maxSessionAge`), so a long-lived worker reads the API key early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    /// The cookie's name, `session`.
    pub name: String,
    /// The cookie's value.
    pub value: Secret,
}

/// Where Stash listens and where the plugin lives: the `server_connection` of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConnection {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The address Stash is configured to listen on, verbatim: often `0.0.0.0`. See
    /// [`url`](Self::url).
    pub host: String,
    /// The port.
    pub port: u16,
    /// The session, if Stash could make one.
    pub session_cookie: Option<SessionCookie>,
    /// Stash's configuration directory, absolute.
    pub dir: PathBuf,
    /// The plugin's directory. Stash may send it relative to the working directory; it is made
    /// absolute here, so read the input before any change of directory.
    pub plugin_dir: PathBuf,
}

impl ServerConnection {
    pub(crate) fn parse(text: &str) -> Result<Self, InputError> {
        let map: Map<String, Value> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
        let text = |key| map.get(key)?.as_str();
        let wrong = |what, expected, key| shape_of(what, expected, map.get(key));
        let scheme = match text("Scheme") {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) => return Err(shape("server_connection.Scheme", "`http` or `https`", "\"")),
            None => return Err(wrong("server_connection.Scheme", "text", "Scheme")),
        };
        let port = map.get("Port").and_then(unsigned).filter(|port| *port != 0);
        let port = port.and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or_else(|| wrong("server_connection.Port", "a port number", "Port"))?;
        let dir = text("Dir").ok_or_else(|| wrong("server_connection.Dir", "text", "Dir"))?;
        let plugin_dir = PathBuf::from(text("PluginDir").unwrap_or_default());
        Ok(Self {
            scheme,
            host: text("Host").unwrap_or_default().to_owned(),
            port,
            session_cookie: cookie(map.get("SessionCookie")),
            dir: dir.into(),
            plugin_dir: std::path::absolute(&plugin_dir).unwrap_or(plugin_dir),
        })
    }

    /// The base address to call, without a trailing slash: a wildcard listen address becomes
    /// loopback.
    pub fn url(&self) -> String {
        let host = match self.host.trim_start_matches('[').trim_end_matches(']') {
            "" | "0.0.0.0" => "127.0.0.1".to_owned(),
            "::" => "[::1]".to_owned(),
            v6 if v6.contains(':') => format!("[{v6}]"),
            name => name.to_owned(),
        };
        format!("{}://{host}:{}", self.scheme, self.port)
    }

    /// A document for the stdin of a child process of your own, which reads it with
    /// [`take_over`](Self::take_over): this connection, no arguments.
    ///
    /// It holds the session: write it to a pipe, never to a log, a file or a command line.
    pub fn handover(&self) -> Secret {
        let cookie = self.session_cookie.as_ref();
        let cookie = cookie.map(|it| json!({"Name": it.name, "Value": it.value.expose()}));
        let document = json!({
            "server_connection": {
                "Scheme": self.scheme.to_string(),
                "Host": self.host,
                "Port": self.port,
                "SessionCookie": cookie,
                "Dir": self.dir.to_string_lossy(),
                "PluginDir": self.plugin_dir.to_string_lossy(),
            },
            "args": {},
        });
        Secret::new(document.to_string())
    }

    /// Reads what [`handover`](Self::handover) wrote.
    ///
    /// # Errors
    /// As [`PluginInput::read`].
    pub fn take_over(stdin: impl Read) -> Result<Self, InputError> {
        Ok(PluginInput::read(stdin)?.server_connection)
    }
}

fn cookie(value: Option<&Value>) -> Option<SessionCookie> {
    let text = |key| value?.get(key)?.as_str();
    Some(SessionCookie {
        name: text("Name")?.to_owned(),
        value: Secret::new(text("Value")?),
    })
}
