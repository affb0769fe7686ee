//! The background worker.

pub mod agenda;
