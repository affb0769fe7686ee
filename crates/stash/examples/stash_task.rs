//! A task as Stash sees it: this program starts itself as the plugin and reads it as Stash would.
//!
//! `cargo run --example stash_task`
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use stash::protocol::{Log, PluginInput, Reply};

const STDIN: &str = r#"{"server_connection": {"Scheme": "http", "Host": "localhost", "Port": 9999, "SessionCookie": null,
    "Dir": "/root/.stash", "PluginDir": "plugins/demo"}, "args": {"mode": "count", "to": 5}}"#;

fn main() {
    if std::env::args().any(|argument| argument == "as-plugin") {
        plugin();
    } else {
        stash();
    }
}

fn plugin() {
    let log = Log::stderr();
    let reply = match PluginInput::read(stdin()) {
        Ok(input) => {
            let steps = input
                .args
                .values
                .get("to")
                .and_then(|to| to.as_u64())
                .unwrap_or(3);
            for step in 1..=steps {
                thread::sleep(Duration::from_millis(100));
                log.info(format_args!("step {step}\nof {steps}"));
                log.progress(step as f64 / steps as f64);
            }
            Reply::Output(format!("counted to {steps}").into())
        }
        Err(why) => Reply::Error(why.to_string()),
    };
    log.linger();
    reply.write_to(stdout()).unwrap();
}

fn stash() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("as-plugin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(STDIN.as_bytes())
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    for line in stderr.lines() {
        let line = line.unwrap();
        match line.strip_prefix("\u{1}p\u{2}") {
            Some(share) => println!("  progress {share}"),
            None => println!("  log      {}", line.replace(['\u{1}', '\u{2}'], "·")),
        }
    }
    let output = child.wait_with_output().unwrap();
    println!(
        "  stdout   {}",
        String::from_utf8_lossy(&output.stdout).trim()
    );
    println!("  {}", output.status);
}
