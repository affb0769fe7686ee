//! The HTTP/1.1 server under both simulators: messages, faults, the request log.

mod connection;
mod fault;
mod log;
mod message;
mod server;

pub use fault::{Fault, Requests, Rule};
pub use log::Recorded;
pub(crate) use message::percent_decode;
pub use message::{Request, Response};
pub(crate) use server::Moment;
pub use server::Server;

/// What a simulator is to the HTTP server.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer of the healthy server.
    fn answer(&self, request: &Request) -> Response;

    /// The answer of this kind of server when it is in the state `fault` names; `None` for faults
    /// of the connection, which the HTTP server plays itself.
    fn failure(&self, fault: &Fault, request: &Request) -> Option<Response>;
}
