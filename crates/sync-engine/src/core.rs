//! What is decided and said, as functions of what is known: no network, no file, no runtime.

pub mod catch_up;
pub mod change;
pub mod client_errors;
pub mod compare;
pub mod first_run;
pub mod job;
pub mod obfuscate;
pub mod outcome;
pub mod reconcile;
pub mod scheduler;
pub mod settings;
pub mod status;
pub mod time;
pub mod words;
