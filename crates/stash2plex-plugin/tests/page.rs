//! The script that Stash loads with its pages.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_page_asks_at_its_times_and_no_more() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new("node")
        .arg(here.join("tests/page/clock.mjs"))
        .arg(here.join("../../plugin/stash2plex.js"))
        .output();
    let Ok(run) = run else {
        println!("skipped: needs node");
        return;
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
