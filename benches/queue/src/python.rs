//! Python's persist-queue, when it is there.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What one run of `persist_queue.py` took.
pub struct PersistQueue(serde_json::Value);

impl PersistQueue {
    /// Runs it, or says why not.
    pub fn run(folder: &Path, arguments: &[&str]) -> Result<Self, String> {
        let python = std::env::var("QUEUE_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/persist_queue.py");
        let mut command = Command::new(&python);
        let (what, rest) = arguments.split_at(3);
        let output = command
            .arg(script)
            .args(what)
            .arg(folder)
            .args(rest)
            .output()
            .map_err(|error| format!("{python}: {error}"))?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "{python}: {}",
                error.lines().last().unwrap_or_default()
            ));
        }
        serde_json::from_slice(&output.stdout)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// The time a phase took.
    pub fn took(&self, phase: &str) -> Duration {
        Duration::from_secs_f64(
            self.0
                .get(phase)
                .and_then(serde_json::Value::as_f64)
                .unwrap_or_default(),
        )
    }
}
