//! The life of a background process: one at a time, of its own session, that notices when it is
//! asked to stop or its program was replaced. It knows nothing of what the process does.

pub mod copy;
mod fingerprint;
pub mod lock;
pub mod process;
pub mod program;
